"""How often Python looks for cycles of objects nobody refers to."""

import gc

SHORT_PAUSES = 50_000
FEW_PAUSES = 1_000_000
"""More objects than a page of events has: where nobody waits for an answer."""


def collect_rarely(allocations_between: int = SHORT_PAUSES) -> None:
    """Documents are many objects and no cycles. At Python's own threshold of 700 allocations the collector walks through
    those in memory, and all that was imported, over and over, which took a third of the server's time. To be called once
    the program is imported.
    """
    gc.freeze()
    gc.set_threshold(allocations_between)
