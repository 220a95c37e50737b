"""The request for a bulk modification, from the options of a command."""

import sys
from pathlib import Path

from procvars.api.cli.output import fail
from procvars.api.processes.exit_codes import USAGE
from procvars.domain.documents.documents import parse
from procvars.domain.documents.errors import DocumentError
from procvars.domain.documents.values import Document, Json


def select(
    definitions: list[str] | None,
    statuses: list[str] | None,
    ids: list[str] | None,
    keys: list[str] | None,
    title: str | None,
    modified_by: str | None,
    modified_from: str | None,
    modified_to: str | None,
    bulk_id: str | None,
) -> Document:
    """Return the `select` of a request, without what is not given."""
    given: dict[str, Json] = {
        "definitions": [*definitions] if definitions else None,
        "statuses": [*statuses] if statuses else None,
        "ids": None if ids is None else [*ids],
        "keys": [_condition(key) for key in keys] if keys else None,
        "title": None if title is None else {"contains": title},
        "modified_by": modified_by,
        "modified_from": modified_from,
        "modified_to": modified_to,
        "bulk_id": bulk_id,
    }
    return {name: value for name, value in given.items() if value is not None}


def all_ids(ids: list[str] | None, file: Path | None) -> list[str] | None:
    """Return the ids that are given, and those in the file; None for neither."""
    if file is None:
        return ids or None
    listed = [line.strip() for line in _read(file).decode().splitlines()]
    return [*(ids or ()), *filter(None, listed)]


def _condition(text: str) -> Document:
    """Return the condition `key=value`; a value that is no JSON is a text."""
    name, separator, value = text.partition("=")
    if not separator:
        fail(f"{text!r} is no condition: key=value", code=USAGE)
    try:
        return {"key": name, "value": parse(value.encode())}
    except DocumentError:
        return {"key": name, "value": value}


def change(patch: Path | None, merge: Path | None, undo: bool) -> Document:
    """Return the member of a request that says what to change."""
    if (patch is not None) + (merge is not None) + undo != 1:
        fail("exactly one of --patch, --merge and --undo", code=USAGE)
    if patch is not None:
        return {"patch": parse(_read(patch))}
    return {"undo": True} if merge is None else {"merge": parse(_read(merge))}


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}", code=USAGE)
