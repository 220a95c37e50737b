"""The worst that one client may ask for, by name: each is repeated by `repeating.py` while others are measured."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.sample_documents import as_json, loan_application, megabyte

_LARGEST = 10 * 2**20 - 2**10
"""Bytes: what a server takes by default, and a little less."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Below the instance; with a leading `/` below the workspace."""
    content_type: str = JSON
    body: bytes = b""
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """An instance as the client prepares it, and what the client then sends in turn, over and over.

    Whatever the server refuses of it, at any step, is an answer too.
    """

    document: bytes = b"{}"
    definition: dict[str, Any] = field(default_factory=dict)
    edits: tuple[bytes, ...] = ()
    """Documents that are put before the client begins."""
    requests: tuple[Request, ...] = ()


def _put(document: bytes) -> Request:
    return Request("PUT", "variables", body=document)


def _cases(income: int) -> bytes:
    """Almost 10 MiB of loan applications, of which one value differs."""
    return as_json({"income": income, "cases": [loan_application(50_000, seed=n) for n in range(5_500)]})


def _empty_objects(income: int) -> bytes:
    return b'{"income":%d,"list":[%s{}]}' % (income, b"{}," * ((_LARGEST - 40) // 3))


def _zeros(end: bytes) -> bytes:
    return b'{"list":[%s0%s]}' % (b"0," * ((_LARGEST - 40) // 2), end)


def _deep_arrays(value: int) -> bytes:
    """4 MiB, with one value 60 arrays deep."""
    filler = ",".join(["0"] * 35_000)
    return f'{{"deep":{f"[{filler}," * 60}{value}{"]" * 60}}}'.encode()


def _levels(value: int) -> bytes:
    return f'{{"income":{value},"a":{"[" * 150}{value}{"]" * 150}}}'.encode()


def _large_edits() -> Script:
    return Script(_cases(0), requests=(_put(_cases(1)), _put(_cases(0))))


def _small_values() -> Script:
    return Script(_empty_objects(0), requests=(_put(_empty_objects(1)), _put(_empty_objects(0))))


def _large_merge_patch() -> Script:
    patches = tuple(Request("PATCH", "variables", MERGE_PATCH, _cases(income)) for income in (1, 0))
    return Script(_cases(0), requests=patches)


def _moves() -> Script:
    moves = as_json([{"op": "move", "from": "/list/0", "path": "/list/-"}] * 20_000)
    return Script(_zeros(b""), requests=(Request("PATCH", "variables", JSON_PATCH, moves),))


def _malformed() -> Script:
    return Script(requests=(_put(_zeros(b",")),))


def _deep_difference() -> Script:
    return Script(_deep_arrays(0), requests=(_put(_deep_arrays(1)), _put(_deep_arrays(0))))


def _preview() -> Script:
    return Script(_cases(0), requests=(Request("POST", "variables/preview", body=_cases(1)),))


def _many_paths() -> Script:
    paths = [{"key": f"k{n}", "path": "$..*" * (1 + n % 3)} for n in range(8)]
    return Script(_levels(0), {"keywords": paths}, requests=(_put(_levels(1)), _put(_levels(0))))


def _hostile_path() -> Script:
    definition = {"keywords": [{"key": "k", "path": "$..*..*..*..*..*..*"}]}
    body = json.dumps({"name": "Hostile", "search": [], "task_fields": [], **definition}).encode()
    publish = Request("PUT", "/definitions/hostile", body=body)
    return Script(_levels(0), definition, requests=(publish, _put(_levels(1)), _put(_levels(0))))


def _hostile_schema() -> Script:
    objects = [{"n": n, "text": "x" * 300} for n in range(3_000)]
    documents = [as_json({"income": income, "s": "a" * 50_000 + "!", "list": objects}) for income in (0, 1)]
    schema = {"properties": {"s": {"not": {"pattern": "^(a+)+$"}}, "list": {"uniqueItems": True}}}
    return Script(documents[0], {"schema": schema}, requests=(_put(documents[1]), _put(documents[0])))


def _after_large_edits(*requests: Request) -> Script:
    documents = [as_json(megabyte(income)) for income in range(2)]
    return Script(documents[0], edits=tuple(documents[n % 2] for n in range(1, 31)), requests=requests)


def _history() -> Script:
    return _after_large_edits(Request("GET", "variables/history?limit=200"))


def _blame() -> Script:
    return _after_large_edits(Request("GET", "variables/blame"))


def _feed() -> Script:
    return _after_large_edits(Request("GET", "/events?after=0&limit=1000"))


def _compressed_answer() -> Script:
    gzip = ("Accept-Encoding: gzip",)
    return Script(_cases(0), requests=(Request("GET", "variables", headers=gzip),))


SCRIPTS: dict[str, Callable[[], Script]] = {
    "PUT of 10 MiB": _large_edits,
    "PUT of [{},{},…]": _small_values,
    "merge patch of 10 MiB": _large_merge_patch,
    "20,000 moves in a 10 MiB array": _moves,
    "malformed 10 MiB": _malformed,
    "a value 60 arrays deep": _deep_difference,
    "preview of 10 MiB": _preview,
    "many paths": _many_paths,
    "hostile path": _hostile_path,
    "hostile schema": _hostile_schema,
    "history of 1 MB documents": _history,
    "blame of 1 MB documents": _blame,
    "events of 1 MB documents": _feed,
    "10 MiB, compressed": _compressed_answer,
}
