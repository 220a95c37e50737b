"""What starts a module of this program as a child process."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol


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
    async def launch(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        with_output: bool = False,
        with_errors: bool = False,
    ) -> LaunchedChild:
        """Run `main()` of the module in a process and a session of its own, with nothing but this environment.

        It inherits stderr, unless that is asked for, and `pass_fds` under the same numbers. Raises OSError.
        """
        ...
