"""A load generator in a process of its own, light enough to leave the machine to the server: keep-alive connections that
send prepared bytes and look at nothing but the status and the length of an answer.

`python -m tests.benchmarks.http_load` reads a `Load` as JSON from stdin and prints requests per second.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from tests.benchmarks.sample_documents import as_json, loan_application


@dataclass(frozen=True, slots=True)
class Load:
    port: int
    clients: int
    requests: int
    """Of each client."""
    token: str | None
    """None: GET /healthz. Otherwise each client edits or reads the instance `i-<client>` of the workspace bank."""
    version: int | None = 1
    """Of the instances, before the first PUT; None: GETs of their variables."""


class BadAnswer(Exception):
    """The server answered something else than 200."""


class _Client(asyncio.Protocol):
    """Sends a request whenever the answer to the one before it is complete."""

    def __init__(self, number: int, load: Load, done: "asyncio.Future[None]") -> None:
        self._load = load
        self._done = done
        self._sent = 0
        self._received = b""
        self._path = f"/api/v1/workspaces/bank/instances/i-{number}/variables"
        self._bodies = [as_json(loan_application(income, number)) for income in (0, 1)]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:

        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        lowered = head.lower()
        start = lowered.index(b"content-length:") + 15
        if len(body) < int(lowered[start:].partition(b"\r\n")[0]):
            return
        self._received = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self._finish(BadAnswer(f"{head.decode()}\n{body.decode()}"))
        elif self._sent == self._load.requests:
            self._finish(None)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc or ConnectionResetError("the server closed the connection"))

    def _send(self) -> None:
        if self._load.token is None:
            self._transport.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        elif self._load.version is None:
            self._transport.write(
                (
                    f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._load.token}\r\n\r\n"
                ).encode()
            )
        else:
            version = self._load.version + self._sent
            body = self._bodies[version % 2]
            self._transport.write(
                (
                    f"PUT {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._load.token}\r\n"
                    f'If-Match: "{version}"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'
                ).encode()
                + body
            )
        self._sent += 1

    def _finish(self, error: Exception | None) -> None:
        if self._done.done():
            return
        if error:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)
        self._transport.close()


async def run(load: Load) -> float:
    """Requests per second. Raises BadAnswer, and OSError where the server goes away."""
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(load.clients)]
    started = time.perf_counter()
    for number, end in enumerate(ends):
        await loop.create_connection(lambda n=number, e=end: _Client(n, load, e), "127.0.0.1", load.port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    return load.clients * load.requests / (time.perf_counter() - started)


async def in_a_process(load: Load) -> float:
    """The same, run by a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate(json.dumps(asdict(load)).encode())
    if process.returncode:
        raise RuntimeError("the load generator failed; its traceback is above")
    return float(printed)


if __name__ == "__main__":
    print(uvloop.run(run(Load(**json.load(sys.stdin)))))
