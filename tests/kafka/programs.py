"""`procvars relay` and `procvars worker` as processes, as an operator starts them."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.command_line import PROCVARS

STOP_SECONDS = 40


@dataclass
class Program:
    arguments: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Program":
        with self.log.open("ab") as log:
            environ = {**os.environ, **self.environment}
            self.process = subprocess.Popen(
                [*PROCVARS, *self.arguments], cwd=self.log.parent, env=environ, stdout=log, stderr=log
            )
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code. A program that does not stop is killed, and fails the test."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        assert self.process is not None
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.arguments} did not end:\n{self.text()[-4000:]}") from None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def text(self) -> str:
        return self.log.read_text(errors="replace")
