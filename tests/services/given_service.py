"""A service that runs already, given by its address."""

from __future__ import annotations

from typing import NoReturn

from tests.services.errors import ServiceNotOursError


class GivenService:
    """Hands on the address in an environment variable; refuses to inject faults into what others run."""

    def __init__(self, address: str, variable: str) -> None:
        self.address = address
        self._variable = variable

    def start(self) -> str:
        return self.address

    def stop(self) -> None:
        self._refuse("stopped")

    def kill(self) -> None:
        self._refuse("killed")

    def restart(self) -> str:
        self._refuse("restarted")

    def close(self) -> None:
        """Nothing: whoever started it, stops it."""

    def _refuse(self, act: str) -> NoReturn:
        raise ServiceNotOursError(
            f"{self.address} comes from {self._variable} and cannot be {act} here; "
            f"unset {self._variable} to run this test against a server of its own"
        )
