"""A network that fails: everything between a client and PostgreSQL goes through it, until it is told to lose something."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_COMMITTED = b"C\x00\x00\x00"
"""What PostgreSQL's CommandComplete begins with, which it sends after the commit of a single statement."""


class FailingNetwork:
    """Sockets in a directory of their own, before those of a database."""

    def __init__(self, url: str, target: Path) -> None:
        self.url = url
        self.answers_lost = 0
        self._target = target
        self._losing = False
        self._is_cut = False
        self._ways: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def before(cls, url: str) -> AsyncIterator["FailingNetwork"]:
        """Yield a network on the way to the database with this URL, which is on a Unix socket."""
        parts = conninfo_to_dict(url)
        name = f".s.PGSQL.{parts.get('port') or 5432}"
        with tempfile.TemporaryDirectory(prefix="net-") as directory:
            network = cls(make_conninfo(url, host=directory), Path(str(parts["host"])) / name)
            server = await asyncio.start_unix_server(network._connect, Path(directory) / name)
            try:
                yield network
            finally:
                server.close()
                network.cut()

    def lose_next_answer(self) -> None:
        """Break the connection with the next answer to a statement, instead of passing it on."""
        self._losing = True

    def cut(self) -> None:
        """Break every connection, and refuse new ones until `mend`."""
        self._is_cut = True
        for way in self._ways:
            way.close()
        self._ways.clear()

    def mend(self) -> None:
        self._is_cut = False

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.close()
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self._target)
        self._ways |= {writer, server_writer}
        await asyncio.gather(
            self._pass_on(reader, server_writer, answers=False), self._pass_on(server_reader, writer, answers=True)
        )

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answers: bool) -> None:
        with suppress(OSError):
            while data := await source.read(2**16):
                if answers and self._losing and _COMMITTED in data:
                    self._losing = False
                    self.answers_lost += 1
                    break
                target.write(data)
                await target.drain()
        target.close()
