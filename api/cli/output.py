"""Output of commands: data to stdout, chatter to stderr, and failures with an exit code of their kind."""

import sys
import unicodedata
from collections.abc import AsyncIterator, Iterable, Sequence
from io import TextIOWrapper
from typing import Any, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from procvars.api.http.answers import encoded
from procvars.api.processes.exit_codes import FAILED

_UNBOUNDED: Final = 1_000_000
"""Width of a table that no terminal folds."""
_INVISIBLE: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINERS: Final = "\u200c\u200d"
"""Characters without a width that words of some languages, and emoji, are written with."""


def fail(message: str, *, code: int = FAILED) -> NoReturn:
    print(f"procvars: {message}", file=sys.stderr)
    raise typer.Exit(code)


def note(message: str) -> None:
    print(message, file=sys.stderr)


def write_any_text() -> None:
    """Let both streams take characters that their encoding does not have: they are escaped, and no command fails for them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show_line(text: str) -> None:
    """Print a text that was stored, on one line."""
    print(_visible(text))


def show_json(value: Any) -> None:
    """Print JSON, which is UTF-8 whatever the encoding of the terminal (RFC 8259, section 8.1)."""
    _write(encoded(value), b"\n")


async def show_json_items(items: AsyncIterator[Any]) -> None:
    """Print `{"items": […]}`, each item as it arrives. An error before the first prints nothing."""
    separator = b'{"items":['
    async for item in items:
        _write(separator, encoded(item))
        separator = b","
    _write(b"]}\n" if separator == b"," else b'{"items":[]}\n')


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, without borders, nor wrapping if stdout is not a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Not as markup: what somebody wrote in brackets is no style.
        table.add_row(*(Text("" if cell is None else _visible(str(cell))) for cell in row))
    Console(width=None if sys.stdout.isatty() else _UNBOUNDED).print(table)


def _write(*parts: bytes) -> None:
    sys.stdout.flush()
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def _visible(text: str) -> str:
    """Return the text with control characters escaped: a line break would look like a row, others move the cursor."""
    if text.isprintable():
        return text
    return "".join(
        _escaped(character) if unicodedata.category(character) in _INVISIBLE else character for character in text
    )


def _escaped(character: str) -> str:
    return character if character in _JOINERS else character.encode("unicode_escape").decode()
