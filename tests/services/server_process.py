"""A server as a child process: started, stopped, killed and restarted with its data and its port kept."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.services.errors import ServiceStartError, ServiceStopError
from tests.services.free_port import free_port
from tests.services.guardian import Guardian, is_over
from tests.waiting import TimedOut, until

_LOG_TAIL_LINES = 40


@dataclass(frozen=True, slots=True)
class Command:
    """How to run a server: in which directory, and as which user where not as our own."""

    arguments: Sequence[str | Path]
    directory: Path
    user: str | None = None


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    guardian: Guardian
    lifeline: int
    """Read end of a pipe whose other end the server and its children hold: at end of file all of them are gone."""


class ServerProcess(ABC):
    """One server of the tests on 127.0.0.1; it does not outlive the process that started it, however that ends."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    start_limit: ClassVar[float] = 60.0
    stop_limit: ClassVar[float] = 30.0

    def __init__(self, directory: Path | None = None) -> None:
        """`directory` holds data and log and is kept.

        Without one, a temporary directory is made and goes with `close()`, unless a start failed: then its log is kept.
        """
        self.port = free_port()
        self._directory = directory
        self._keep_directory = directory is not None
        self._log_start = 0
        self._running: _Running | None = None

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it listens, in the form that the project's own setting for it takes."""

    @abstractmethod
    def _prepare(self) -> Command:
        """Make what a first start needs in `directory`, keep what is there, and say what to run.

        Raises ToolMissingError, ServiceBuildError or ServiceStartError.
        """

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether it answers its clients by now."""

    @property
    def directory(self) -> Path:
        """Where data and log are; made when first asked for."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix=f"procvars-{self.name}-"))
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory.resolve()

    @property
    def log(self) -> Path:
        """Everything that the server printed, over all its starts."""
        return self.directory / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._running.process.pid if self._running and self._running.process.poll() is None else None

    def start(self) -> str:
        """Start it unless it runs, wait until it answers, and return its address.

        Raises ToolMissingError, ServiceBuildError or ServiceStartError.
        """
        if self.pid is None:
            self._forget()
            command = self._prepare()
            try:
                self._running = self._spawn(command)
                self._wait_until_ready(self._running.process)
            except BaseException as exc:
                self._keep_directory |= isinstance(exc, ServiceStartError)
                self.kill()
                raise
        return self.address

    def stop(self) -> None:
        """Stop it in good order; its data stay. Raises ServiceStopError if it had to be killed in the end."""
        if self._running is None:
            return
        self._running.process.send_signal(self.stop_signal)
        if not self._is_gone(self.stop_limit):
            self.kill()
            raise ServiceStopError(f"{self.name} did not stop within {self.stop_limit:g} s\n{self._log_tail()}")
        self._forget()

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL); its data stay. Raises ServiceStopError if children of it live on."""
        if self._running is None:
            return
        self._running.process.kill()
        if not self._is_gone(self.stop_limit):
            raise ServiceStopError(f"processes of {self.name} outlived it\n{self._log_tail()}")
        self._forget()

    def restart(self) -> str:
        """`stop()`, then `start()`: same address, same data. Raises what these raise."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Stop it if it runs and remove its directory if that is a temporary one. Raises ServiceStopError."""
        try:
            self.stop()
        finally:
            if not self._keep_directory and self._directory is not None:
                shutil.rmtree(self._directory)
                self._directory = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _log_of_this_start(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _log_tail(self) -> str:
        lines = self._log_of_this_start().splitlines()[-_LOG_TAIL_LINES:]
        return "\n".join([f"the end of {self.log}:", *lines])

    def _spawn(self, command: Command) -> _Running:
        lifeline, other_end = os.pipe()
        try:
            with self.log.open("ab") as log:
                self._log_start = log.tell()
                process = subprocess.Popen(
                    command.arguments,
                    cwd=command.directory,
                    user=command.user,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[other_end],
                    start_new_session=True,  # a Ctrl-C in the terminal must not reach it before the tests are done
                )
        except OSError as exc:
            os.close(lifeline)
            raise ServiceStartError(f"{self.name} could not be run: {exc}") from exc
        finally:
            os.close(other_end)
        remove = None if self._keep_directory else self.directory
        return _Running(process, Guardian(process.pid, self.stop_signal, lifeline, remove), lifeline)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        def ready() -> bool:
            if process.poll() is not None:
                raise ServiceStartError(f"{self.name} ended with {process.returncode}\n{self._log_tail()}")
            return self._is_ready()

        try:
            until(f"{self.name} is ready", ready, seconds=self.start_limit, more=self._log_tail)
        except TimedOut as exc:
            raise ServiceStartError(str(exc)) from exc

    def _is_gone(self, limit: float) -> bool:
        assert self._running is not None
        if not is_over(self._running.lifeline, limit):
            return False
        self._running.process.wait()
        return True

    def _forget(self) -> None:
        if self._running is not None:
            self._running.guardian.dismiss()
            os.close(self._running.lifeline)
            self._running = None
