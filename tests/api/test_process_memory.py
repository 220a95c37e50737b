"""The memory of a child process: no more than it may have, and given back."""

import subprocess
import sys

_OVER = """
from procvars.api.processes.memory import limit_memory
limit_memory(300 * 2**20)
try:
    taken = [b"x" * 50 * 2**20 for _ in range(20)]
except MemoryError:
    print("refused")
print(open("/proc/self/oom_score_adj").read().strip())
"""
_PEAK = """
import asyncio, os
from procvars.api.processes.memory import MemoryKeeper, resident_bytes

async def main():
    before = resident_bytes(os.getpid())
    peak = [{"a": "x" * 40} for _ in range(500_000)]
    kept = {"cycle": peak}
    kept["itself"] = kept
    high = resident_bytes(os.getpid())
    del peak, kept
    MemoryKeeper().release_soon()
    for _ in range(300):
        await asyncio.sleep(0.1)
        if resident_bytes(os.getpid()) - before < (high - before) / 4:
            print("given back")
            return

import gc
gc.disable()
asyncio.run(main())
"""


def run(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_process_gets_no_more_than_its_limit() -> None:
    """It sees that as an error, and where the machine has too little it is the first to go."""
    assert run(_OVER) == ["refused", "1000"]


def test_what_a_peak_took_is_given_back() -> None:
    """Also what only a cycle holds."""
    assert run(_PEAK) == ["given", "back"]
