"""What starts a module of this program as a child process."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a child is to be: `main()` of the module, in a process and a session of its own."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    """All of it: nothing of this process' own is inherited."""
    pass_fds: Sequence[int] = ()
    """Descriptors that it inherits under the same numbers."""
    with_output: bool = False
    """Whether its stdout can be read; otherwise what it prints is lost."""
    with_errors: bool = False
    """Whether its stderr can be read; otherwise it is that of this process."""


class LaunchedChild(Protocol):
    """A child process. Its stdin is a pipe that nothing is written to: its end is what the child has to hear."""

    @property
    def pid(self) -> int: ...

    @property
    def output(self) -> asyncio.StreamReader | None:
        """What it prints to stdout, if that was asked for."""

    @property
    def errors(self) -> asyncio.StreamReader | None:
        """What it prints to stderr, if that was asked for."""

    async def wait(self) -> int:
        """Wait for its end, and return its exit code, which is negative for a signal."""
        ...

    def has_ended(self) -> bool: ...

    def close_stdin(self) -> None: ...

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing once it has ended."""


class Launcher(Protocol):
    async def launch(self, assignment: Assignment) -> LaunchedChild:
        """Start the child. Raises OSError."""
        ...
