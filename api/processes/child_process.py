"""Children that have something to do and end, and say at last what kept them from it."""

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from procvars.api.processes.launching.launcher import Assignment, Launcher


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    printed: bytes
    """Output on stdout."""
    last_words: str
    """Last line on stderr."""


async def run_to_its_end(launcher: Launcher, module: str, *arguments: str, environment: Mapping[str, str]) -> Ended:
    """Run `main()` of the module in a child; when cancelled, end it first.

    Its stdin stays open while this process lives, so that it can end with its parent.
    """
    process = await launcher.launch(Assignment(module, arguments, environment, with_output=True, with_errors=True))
    assert process.output is not None and process.errors is not None
    try:
        printed, said = await asyncio.gather(process.output.read(), process.errors.read())
        code = await process.wait()
    finally:
        if not process.has_ended():
            process.send_signal(signal.SIGTERM)
            await process.wait()
        process.close_stdin()
    lines = said.decode(errors="replace").strip().splitlines()
    return Ended(code, printed, lines[-1] if lines else f"it ended with {code}")
