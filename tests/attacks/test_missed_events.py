"""No event is missed by a read model or by an engine, whatever is killed meanwhile, on two servers on one database."""

import os
import signal
from dataclasses import dataclass

from tests.attacks.edited_under_fire import UNCOMPARED, Attack
from tests.conftest import NewServer, Server
from tests.processes import children_of
from tests.waiting import until

EDITS = 20_000
INSTANCES = 50
KILLS = 12


@dataclass
class Projector:
    """The process of a server that feeds the projections; the server starts it again by itself."""

    server: Server

    def kill(self) -> None:
        assert self.server.process is not None
        parent = self.server.process.pid
        found = until("the projector runs", lambda: children_of(parent, "procvars.api.children.projector"))
        os.kill(found[0], signal.SIGKILL)

    def start(self) -> None:
        pass


async def test_two_servers_killed_while_an_engine_follows(new_server: NewServer, database_url: str) -> None:
    """Twenty thousand edits; servers and projectors are killed in turns, and what is compared at the end is all of it."""
    servers = [new_server(database_url=database_url, environment=UNCOMPARED) for _ in range(2)]
    attack = Attack(servers, INSTANCES, EDITS)
    await attack.run([servers[0], Projector(servers[1]), servers[1], Projector(servers[0])], KILLS)
    attack.assert_nothing_is_missing(database_url)
    for server in servers:
        assert "events were missing" not in server.log.read_text()
