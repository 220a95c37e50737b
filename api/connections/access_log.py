"""Access log: one line for every request, refused ones too, without any content of bodies or tokens.

A thread writes the lines in groups, so a request pays only for its line's text, and a slow reader of the log delays
nobody.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TextIO

import orjson
import structlog
from starlette.types import Scope

_COLLECTING_SECONDS = 0.1
_MOST_WAITING = 20_000
_MOST_CHARACTERS = 200

log = structlog.get_logger(__name__)

Render = Callable[[dict[str, object]], str]


class AccessLog:
    """Access log of a process. Lines that are not written in time are dropped and counted."""

    def __init__(self, stream: TextIO, form: str) -> None:
        """Write to `stream` in the form `json` or `console`."""
        self._stream = stream
        self._render = _json if form == "json" else _console
        self._waiting: list[dict[str, object]] = []
        self._dropped = 0
        self._is_scheduled = False
        self._is_closed = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="access-log")

    def record(self, scope: Scope, *, request_id: str, route: str | None, status: int, seconds: float) -> None:
        """Record a request that has been answered."""
        if self._is_closed:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._dropped += 1
            return
        parameters = scope.get("path_params") or {}
        client = scope.get("client")
        self._waiting.append(
            {
                "event": "request",
                "level": "info",
                "timestamp": datetime.now(UTC),
                "request_id": request_id,
                "client": client[0] if client else None,
                "user": _short(scope["state"].get("user")),
                "workspace": _short(parameters.get("workspace")),
                "instance": _short(parameters.get("instance_id")),
                "method": scope["method"],
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
            }
        )
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(_COLLECTING_SECONDS, self._write_behind)

    def close(self) -> None:
        """Write what is left, behind what is being written. Requests that are answered later are not recorded."""
        self._is_closed = True
        self._writer.submit(self._write, self._taken())
        self._writer.shutdown()

    def _taken(self) -> list[dict[str, object]]:
        lines, self._waiting = self._waiting, []
        return lines

    def _write_behind(self) -> None:
        if self._is_closed:
            return
        writing = asyncio.get_running_loop().run_in_executor(self._writer, self._write, self._taken())
        writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[None]) -> None:
        self._is_scheduled = False
        if self._dropped:
            log.warning("lines of the access log were dropped", lines=self._dropped)
            self._dropped = 0
        if error := writing.exception():
            log.warning("the access log could not be written", error=str(error))
        if self._waiting and not self._is_closed:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(_COLLECTING_SECONDS, self._write_behind)

    def _write(self, lines: list[dict[str, object]]) -> None:
        if lines:
            self._stream.write("".join(map(self._render, lines)))
            self._stream.flush()


def _json(line: dict[str, object]) -> str:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z).decode()


def _console(line: dict[str, object]) -> str:
    who = " ".join(f"{name}={line[name]!r}" for name in ("user", "workspace", "instance") if line[name] is not None)
    return f"{line['timestamp']:%H:%M:%S} {line['status']} {line['method']} {line['route']} {line['milliseconds']} ms {who}\n"


def _short(text: str | None) -> str | None:
    """Return a name shortened for the log, as a URL may contain any number of any characters in its place."""
    if text is None or (len(text) <= _MOST_CHARACTERS and text.isascii()):
        return text
    return text[:_MOST_CHARACTERS].encode(errors="replace").decode()
