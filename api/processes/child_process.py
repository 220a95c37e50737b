"""Modules of this program run as child processes."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    printed: bytes
    """Output on stdout."""
    last_words: str
    """Last line on stderr."""


async def run_module(module: str, *arguments: str, environment: Mapping[str, str]) -> Ended:
    """Run `python -m module` to its end; when cancelled, end it first.

    Its stdin stays open while this process lives, so that it can end with its parent.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        printed, said = await asyncio.gather(process.stdout.read(), process.stderr.read())
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    lines = said.decode(errors="replace").strip().splitlines()
    return Ended(code, printed, lines[-1] if lines else f"it ended with {code}")
