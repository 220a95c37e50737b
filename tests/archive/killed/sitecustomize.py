"""Kills its process as `kill -9` does, at the step of archiving that `KILLED_AT` names: `<step>:<how often it is reached>`."""

import os
import signal
from collections.abc import Callable
from typing import Any

from procvars.adapters.archives.folder import ArchiveFolder
from procvars.adapters.archives.writing import ArchiveWriter
from procvars.adapters.postgres.archive_ledger import PostgresArchiveLedger

STEP, _, TIMES = os.environ.get("KILLED_AT", "").partition(":")
_left = int(TIMES or 1)


def _reached(step: str) -> None:
    global _left
    if step == STEP:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _before(step: str, of: type, name: str) -> None:
    original: Callable[..., Any] = getattr(of, name)

    def called(*args: Any, **named: Any) -> Any:
        _reached(step)
        return original(*args, **named)

    setattr(of, name, called)


def _after(step: str, of: type, name: str) -> None:
    original: Callable[..., Any] = getattr(of, name)

    async def called(*args: Any, **named: Any) -> Any:
        result = await original(*args, **named)
        _reached(step)
        return result

    setattr(of, name, called)


_before("writing", ArchiveWriter, "add")
_before("signing", ArchiveWriter, "finish")
_before("registering", PostgresArchiveLedger, "register")
_before("publishing", ArchiveFolder, "publish")
_before("verifying", ArchiveFolder, "verify")
_before("removing", PostgresArchiveLedger, "remove")
_after("removed in an open transaction", PostgresArchiveLedger, "_append")
_before("ending", PostgresArchiveLedger, "end")
