"""Documents and patches whose owner wants them to take long: each gets an answer, and then the next one is served."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.api.bank import W, put, start
from tests.conftest import Server, token

MEBIBYTE = 2**20
ENGINE: dict[str, tuple[str, ...]] = {"bank": ("WORKSPACE_ADMIN", "ENGINE")}
HOSTILE_SECONDS = 120
"""For one answer on a busy machine. What is hostile takes minutes to days where its cost is not bounded."""


def client(server: Server, user: str) -> httpx.Client:
    found = server.client(token(user, workspaces=ENGINE))
    found.timeout = httpx.Timeout(HOSTILE_SECONDS)
    return found


def filled(unit: str, head: str = "", tail: str = "", size: int = 9 * MEBIBYTE) -> bytes:
    return head.encode() + unit.encode() * (size // len(unit.encode())) + tail.encode()


BROKEN = {
    "a trailing comma behind zeros": filled("0,", '{"a":[', "]}"),
    "a trailing comma behind empty objects": filled("{},", '{"a":[', "]}"),
    "brackets, one to a line, that are not closed": filled("[\n],", '{"a":[', ""),
    "chains of arrays": filled("[" * 150 + "]" * 150 + ",", '{"a":[', "]}"),
    "a duplicate behind many keys": b"{" + b",".join(b'"k%06d":0' % n for n in range(700_000)) + b',"k000001":1}',
    "escapes in a string that is not closed": filled("\\n", '{"a":"', ""),
    "a number that cannot be kept behind many that look so": filled(
        "0.1234567890123456, ", '{"a": [', "7" * 10_001 + "]}"
    ),
    "bytes that are not UTF-8 at the end": filled("ä", '{"a":"', "")[:-1] + b'\xff"}',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_large_text_with_a_mistake_is_refused(server: Server, text: bytes) -> None:
    """The mistake is named in a short answer, and the next user's edit goes through."""
    with client(server, "mallory") as mallory, client(server, "ada") as ada:
        victim, target = start(ada, {"n": 0}), start(mallory, {"n": 0})
        headers = {"If-Match": '"1"', "Content-Type": "application/json"}
        refused = mallory.put(f"{W}/instances/{target}/variables", content=text, headers=headers)
        assert refused.status_code in (400, 422), refused.text[:500]
        assert len(refused.content) < 100_000
        assert put(ada, victim, {"n": 1}, 1).status_code == 200


def chain(levels: int, leaf: int, bulk: list[object]) -> dict[str, object]:
    """One leaf and the whole bulk inside of many arrays, with a value beside each of them."""
    value: object = [leaf, *bulk]
    for level in range(levels):
        value = [level, value]
    return {"a": value}


def pairs() -> Iterator[tuple[str, Callable[[], tuple[dict[str, object], dict[str, object]]]]]:
    rows: list[object] = [{"n": number} for number in range(200_000)]
    yield "one leaf 150 arrays deep", lambda: (chain(150, 1, rows), chain(150, 2, rows))
    yield "one leaf that only changes its type", lambda: (chain(150, 1, rows), chain(150, True, rows))
    yield "all keys renamed", lambda: ({f"k{n}": 0 for n in range(300_000)}, {f"l{n}": 0 for n in range(300_000)})
    yield "all elements changed", lambda: ({"a": [0] * 1_500_000}, {"a": [1] * 1_500_000})
    yield "every third element removed", lambda: ({"a": rows}, {"a": [row for n, row in enumerate(rows) if n % 3]})
    yield "reversed", lambda: ({"a": rows}, {"a": rows[::-1]})


PAIRS = dict(pairs())


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_a_large_document_that_changes_awkwardly_is_saved(
    server: Server, pair: Callable[[], tuple[dict[str, object], dict[str, object]]]
) -> None:
    """The edit is answered with a patch no larger than the document, comes back exactly, and holds nobody up."""
    previous, new = pair()
    with client(server, "mallory") as mallory, client(server, "ada") as ada:
        victim, target = start(ada, {"n": 0}), start(mallory, previous)
        saved = put(mallory, target, new, 1)
        assert saved.status_code == 200, saved.text[:500]
        assert saved.json()["version"] == 2
        assert len(json.dumps(saved.json()["patch"])) <= 1.2 * len(json.dumps(new)) + 1000
        assert mallory.get(f"{W}/instances/{target}/variables", params={"version": 2}).json() == new
        assert put(ada, victim, {"n": 1}, 1).status_code == 200


PATCHES = {
    "moves": ([{"op": "move", "from": "/a/0", "path": "/a/-"}] * 20_000, 409),
    "copies of a text": ([{"op": "copy", "from": "/text", "path": "/b/-"}] * 20_000, 409),
    "copies of an array": ([{"op": "copy", "from": "/a", "path": "/b/-"}] * 2_000, 409),
    "more operations than are taken": ([{"op": "test", "path": "/b", "value": []}] * 100_001, 400),
    "long paths": ([{"op": "test", "path": "/b" + "/0" * 5_000, "value": 1}] * 500, 409),
}


@pytest.mark.parametrize(("patch", "status"), PATCHES.values(), ids=PATCHES.keys())
def test_a_patch_that_would_take_too_long_is_refused(server: Server, patch: list[object], status: int) -> None:
    """It changes nothing, says at which operation it stopped, and holds nobody up."""
    with client(server, "mallory") as mallory, client(server, "ada") as ada:
        victim = start(ada, {"n": 0})
        target = start(mallory, {"a": [0] * 1_500_000, "b": [], "text": "x" * 3 * MEBIBYTE})
        headers = {"If-Match": '"1"', "Content-Type": "application/json-patch+json"}
        url = f"{W}/instances/{target}/variables"
        refused = mallory.patch(url, content=json.dumps(patch), headers=headers)
        assert refused.status_code == status, refused.text[:500]
        assert ("index" in refused.json()) == (status == 409)
        assert len(refused.content) < 100_000
        assert mallory.get(url).headers["ETag"].strip('"') == "1"
        assert put(ada, victim, {"n": 1}, 1).status_code == 200
