"""The most expensive documents of each kind, against parsing a plain document of the same size strictly."""

import time
from collections.abc import Callable
from typing import Any

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import encode, parse
from procvars.domain.documents.errors import DocumentError
from procvars.domain.documents.values import Document, Json
from tests.benchmarks.measurement import Figure, Measurement, medians

_SIZE = 4 * 2**20
_LEVELS = 150

Case = Callable[[], Any]


def _filled(unit: str, head: str, tail: str) -> bytes:
    return (head + unit * (_SIZE // len(unit)) + tail).encode()


def _broken_texts() -> list[Case]:
    keys = ",".join(f'"k{number:07}":0' for number in range(_SIZE // 12))
    texts = [
        _filled("0,", "[", "]"),
        _filled("{},", "[", "]"),
        _filled("[\n],", "[", ""),
        _filled("[" * _LEVELS + "]" * _LEVELS + ",", "[", "]"),
        _filled('{"a":1,"b":[2]},', "[", '{"a":1,"a":2}]'),
        _filled("\\n", '["', ""),
        _filled("0.1234567890123456, ", "[ ", "1e400]"),
        ("{" + keys + ',"k0000001":1}').encode(),
    ]
    return [lambda text=text: _refused(lambda: parse(text)) for text in texts]  # type: ignore[misc]


def _chain(kind: type, leaf: int, beside: int) -> Document:
    value: Any = [leaf, *({"n": number} for number in range(_SIZE // 12))]
    for _ in range(_LEVELS):
        value = [beside, [], value] if kind is list else {"n": beside, "e": [], "v": value}
    return {"a": value}


def _differences() -> list[Case]:
    numbers: list[Any] = [*range(_SIZE // 8)]
    members = range(_SIZE // 12)
    pairs: list[tuple[Document, Document]] = [
        (_chain(list, 1, 0), _chain(list, 2, 0)),
        (_chain(dict, 1, 0), _chain(dict, True, 0)),
        (_chain(list, 1, 0), _chain(list, 2, 1)),
        (_chain(dict, 1, 0), _chain(dict, 2, 1)),
        ({f"k{at}": 0 for at in members}, {f"l{at}": 0 for at in members}),
        ({"a": numbers}, {"a": numbers[::-1]}),
        ({"a": numbers}, {"a": [number for number in numbers if number % 3]}),
        ({"a": [[number] for number in numbers]}, {"a": [[-number] for number in numbers]}),
    ]
    return [lambda pair=pair: json_patch.diff(*pair) for pair in pairs]  # type: ignore[misc]


def _patches() -> list[Case]:
    document: Document = {"a": [0] * (_SIZE // 2), "b": [], "t": "x" * (_SIZE // 4)}
    patches: list[json_patch.Patch] = [
        [{"op": "move", "from": "/a/0", "path": "/a/-"}] * 20_000,
        [{"op": "copy", "from": "/t", "path": "/b/-"}] * 20_000,
        [{"op": "copy", "from": "/a", "path": "/b/-"}] * 2_000,
        [{"op": "test", "path": "/a", "value": [0]}] * 100_000,
        [{"op": "add", "path": "/b/-", "value": 0}] * 100_000,
    ]
    return [lambda patch=patch: _refused(lambda: _applied(document, patch)) for patch in patches]  # type: ignore[misc]


def _applied(document: Document, patch: json_patch.Patch) -> None:
    json_patch.apply(document, json_patch.validate_sent([*patch]), max_shifted=json_patch.MAX_SHIFTED)


def _refused(act: Case) -> None:
    try:
        act()
    except DocumentError:
        return


def _worst(cases: list[Case]) -> Figure:
    async def figure() -> float:
        return 1000 * max(map(_seconds, cases))

    return figure


def _seconds(case: Case) -> float:
    started = time.perf_counter()
    case()
    return time.perf_counter() - started


async def measure() -> list[Measurement]:
    rows: list[Json] = [{"id": number, "name": f"name {number}", "ok": True} for number in range(_SIZE // 45)]
    plain = encode({"rows": rows}).replace(b",", b", ")  # as a person's editor sends it
    found = []
    for name, cases, wanted in (
        ("worst text with a mistake", _broken_texts(), 25),
        ("worst pair of documents to compare", _differences(), 60),
        ("worst patch to apply or refuse", _patches(), 25),
    ):
        ours, parsed = await medians(_worst(cases), _worst([lambda: parse(plain)]), rounds=3)
        found.append(Measurement(f"4 MB: {name} / parse a plain one", ours, parsed, "ms", wanted, at_least=False))
    return found
