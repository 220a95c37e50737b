"""How often Python looks for cycles of objects nobody refers to."""

import gc

_ALLOCATIONS_BETWEEN = 50_000


def collect_rarely() -> None:
    """Documents are many objects and no cycles. At Python's own threshold of 700 allocations the collector walks through
    those in memory, and all that was imported, over and over, which took a third of the server's time. To be called once
    the program is imported.
    """
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN)
