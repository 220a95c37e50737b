"""How late others' edits of 2 KB are, and `/healthz`, while one client repeats the worst that is allowed; against the same
without that client.
"""

import sys
from dataclasses import dataclass

from tests.benchmarks.heavy_requests import SCRIPTS
from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.paced_edits import Lateness, Pace, measured
from tests.benchmarks.repeating import repeated
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import Server, token

_INSTANCES = 50
_PER_SECOND = 100
_EDITS_EACH = 12


@dataclass(frozen=True, slots=True)
class _Case:
    script: str
    quiet: Lateness
    beside: Lateness

    @property
    def ratio(self) -> float:
        return self.beside.p99 / self.quiet.p99


async def measure(cluster: Cluster) -> list[Measurement]:
    async with server_with_instances(cluster, _INSTANCES) as server:
        edits = _Edits(server)
        await edits.lateness()  # what is done once is done
        cases = []
        for script in SCRIPTS:
            quiet = await edits.lateness()
            async with repeated(script, server.port, token()) as answers:
                beside = await edits.lateness()
            cases.append(_Case(script, quiet, beside))
            print(f"  {script}: {quiet}, beside it {beside}, answered {dict(answers)}", file=sys.stderr, flush=True)
    worst = max(cases, key=lambda case: case.ratio)
    slowest = max(cases, key=lambda case: case.beside.slowest_health)
    return [
        Measurement(
            f"p99 of an edit beside the worst client ({worst.script}) / without it",
            worst.beside.p99,
            worst.quiet.p99,
            "ms",
            5,
            at_least=False,
        ),
        Measurement(
            f"slowest /healthz beside the worst client ({slowest.script}) / 1 ms",
            slowest.beside.slowest_health,
            1,
            "ms",
            100,
            at_least=False,
        ),
    ]


class _Edits:
    """Edits of the instances of a server, a window at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._version = 1

    async def lateness(self) -> Lateness:
        pace = Pace(self._server.port, token(), _INSTANCES, self._version, _EDITS_EACH, _PER_SECOND)
        self._version += _EDITS_EACH
        return await measured(pace)
