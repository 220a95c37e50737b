"""A rebuild with two workers: against the library's `ProjectionRunner` on the same events, and of a million events against
that of fifty thousand, in time for an event and in memory.
"""

import subprocess
import sys
import time

from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.rebuilds import rebuild as rebuilding
from procvars.api.settings import Settings
from tests.benchmarks.histories import edit_in_turns, multiply
from tests.benchmarks.library_projection import library_rate
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.temporary_database import Cluster, command_layer
from tests.processes import descendants, memory_of

_INSTANCES, _EDITS = 100, 99
_SHORT, _LONG = 5, 100
"""So many times the 10,000 events of the instances."""
_WORKERS = 2
_IN_POSTGRES = ("current_variables", "snapshot_history", "audit_log", "task_keywords", "search_index")
_LONG_ONE = "snapshot_history"
_MEGABYTES = 400


async def measure(cluster: Cluster) -> list[Measurement]:
    measured = []
    url = cluster.new_database()
    async with command_layer(url) as commands:
        await edit_in_turns(commands, _INSTANCES, _EDITS)
        library = await library_rate(commands)
        multiply(url, _SHORT)
        events = await commands.store.events.last_position()
        for name in _IN_POSTGRES:
            started = time.perf_counter()
            await rebuilding.rebuild(commands.store, FreshInterpreter(), name, _WORKERS, lambda _: None)
            rate = events / (time.perf_counter() - started)
            measured.append(
                Measurement(f"rebuild of {name} / ProjectionRunner", rate, library, "/s", 15, at_least=True)
            )
            if name == _LONG_ONE:
                short = 1e6 / rate
    url = cluster.new_database()
    async with command_layer(url) as commands:
        await edit_in_turns(commands, _INSTANCES, _EDITS)
        multiply(url, _LONG)
        events = await commands.store.events.last_position()
    seconds, megabytes = _command(url, _LONG_ONE)
    long = 1e6 * seconds / events
    return [
        *measured,
        Measurement("an event among 1,000,000 / among 50,000", long, short, "µs", 1.3, at_least=False),
        Measurement("memory of the command and its workers / 1 MB", megabytes, 1, "MB", _MEGABYTES, at_least=False),
    ]


def _command(url: str, name: str) -> tuple[float, float]:
    """Seconds, and the peak memory of the command and of its workers together in MB."""
    command = [
        sys.executable,
        "-m",
        "procvars.api.cli.start",
        "projections",
        "rebuild",
        name,
        "--yes",
        "--workers",
        str(_WORKERS),
    ]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=Settings().environment_on(url), stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory_of([process.pid, *descendants(process.pid)]) / 2**20)
        time.sleep(0.1)
    assert process.returncode == 0
    return time.perf_counter() - started, peak
