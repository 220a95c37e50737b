"""The console's JSON functions, in the engine that runs them outside a browser."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

_SCRIPT = Path(__file__).with_suffix(".mjs")
_CONSOLE = Path(__file__).parents[2] / "api" / "console"


class Made(NamedTuple):
    """What the console makes of an edit."""

    changes: list[dict[str, str]]
    """Its own comparison: kind and path of each, and the values as they are written."""
    written: str
    """The new document, formatted for the editor and compacted again."""
    typed: list[tuple[str, str]]
    """Each value of the new document, with what its field in the tree would write if it were saved."""


class ConsoleJson:
    def __init__(self, asked: IO[str], answers: IO[str]) -> None:
        self._asked = asked
        self._answers = answers

    def made_of(self, before: str, after: str) -> Made:
        self._asked.write(json.dumps([before, after]) + "\n")
        self._asked.flush()
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return Made(answer["changes"], answer["written"], [(read, typed) for read, typed in answer["typed"]])


@contextmanager
def console_json() -> Iterator[ConsoleJson]:
    command = ["node", str(_SCRIPT)]
    with subprocess.Popen(
        command, cwd=_CONSOLE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as node:
        assert node.stdin is not None and node.stdout is not None
        yield ConsoleJson(node.stdin, node.stdout)
