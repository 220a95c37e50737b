"""A child as a server supervises it: `python -m tests.api.supervised_program FILE MANNER`, which appends to the file what
it lives through.
"""

import os
import sys
import threading
from pathlib import Path

from procvars.api.processes.lifeline import stop_with_the_parent


def main() -> None:
    """Run until told to end; with the manner `stubborn` not even then, with `fails` not at all."""
    file, manner = Path(sys.argv[1]), sys.argv[2]

    def note(what: str) -> None:
        with file.open("a") as lines:
            lines.write(f"{what} {os.getpid()}\n")

    if manner == "fails":
        note("failed")
        sys.exit(3)
    told = threading.Event()
    stop_with_the_parent(told.set, seconds=0.5)
    note("started")
    told.wait()
    note("told")
    if manner == "stubborn":
        threading.Event().wait()
    note("ended")


if __name__ == "__main__":
    main()
