"""Exit codes of the commands, for scripts and for the processes that run a command."""

from typing import Final

FAILED: Final = 1
USAGE: Final = 2
DIFFERENCE: Final = 3
"""A verification found a difference."""
ANOTHER_RUNS: Final = 4
"""Another rebuild or check of the same projection is running."""
INTERRUPTED: Final = 130
