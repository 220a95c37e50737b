"""Frequency of Python's garbage collection of cycles."""

import gc

SHORT_PAUSES = 50_000
FEW_PAUSES = 1_000_000
"""Allocations between collections where nobody waits for an answer: more than a page of events has."""


def collect_rarely(allocations_between: int = SHORT_PAUSES) -> None:
    """Collect garbage after that many allocations only; call it once the program is imported.

    Documents are many objects without cycles. At Python's own threshold of 700 allocations the collector repeatedly
    walks through those in memory, and all that was imported, which took a third of the server's time.
    """
    gc.freeze()
    gc.set_threshold(allocations_between)
