"""What a test can do with a service, whoever runs it."""

from __future__ import annotations

from typing import Protocol


class Service(Protocol):
    """A server at an address that stays the same while the server is stopped, killed and started again."""

    @property
    def address(self) -> str:
        """Where it listens, in the form that the project's own setting for it takes."""

    def start(self) -> str:
        """Start it unless it runs, wait until it answers, and return its address.

        Raises ToolMissingError, ServiceBuildError or ServiceStartError.
        """

    def stop(self) -> None:
        """Stop it in good order; its data stay.

        Raises ServiceStopError if that took too long, ServiceNotOursError if it was given by its address.
        """

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL); its data stay as they were at that moment.

        Raises ServiceStopError or ServiceNotOursError.
        """

    def restart(self) -> str:
        """`stop()`, then `start()`: same address, same data. Raises what these raise."""

    def close(self) -> None:
        """Be done with it: stop it if it is ours and runs, and remove data that nobody asked to keep.

        Raises ServiceStopError.
        """
