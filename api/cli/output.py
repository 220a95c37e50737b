"""How commands speak: data to stdout, chatter to stderr, failures with an exit code that says what kind it is."""

import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from procvars.api.http.answers import encoded
from procvars.api.processes.exit_codes import FAILED


def fail(message: str, *, code: int = FAILED) -> NoReturn:
    print(f"procvars: {message}", file=sys.stderr)
    raise typer.Exit(code)


def note(message: str) -> None:
    print(message, file=sys.stderr)


def show_json(value: Any) -> None:
    print(encoded(value).decode())


async def show_json_items(items: AsyncIterator[Any]) -> None:
    """Print `{"items": […]}`, each item as it comes. An error before the first leaves nothing printed."""
    separator = '{"items":['
    async for item in items:
        print(separator, encoded(item).decode(), sep="", end="")
        separator = ","
    print("]}" if separator == "," else '{"items":[]}')


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table, without borders or wrapping where stdout is not a terminal."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 400)
    console.print(table)
