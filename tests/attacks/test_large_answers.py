"""Questions and refusals whose answer would be large: a page, or a few of the mistakes."""

import json

import httpx

from tests.api.bank import W, put, start, synced
from tests.conftest import Server, token

ENGINE: dict[str, tuple[str, ...]] = {"bank": ("WORKSPACE_ADMIN", "ENGINE")}


def engine(server: Server) -> httpx.Client:
    return server.client(token("engine", workspaces=ENGINE))


def test_a_body_of_a_million_mistakes(server: Server) -> None:
    """Is refused in a few bytes."""
    with engine(server) as api:
        wrong = {"name": "Loan", **{f"unknown{number}": 1 for number in range(100_000)}}
        for body in (wrong, {"name": "Loan", "keywords": [{}] * 100_000}):
            answer = api.put(f"{W}/definitions/loan", json=body)
            assert answer.status_code == 422, answer.text[:500]
            assert len(answer.content) < 100_000


def test_a_conflict_of_many_paths(server: Server) -> None:
    """Names some of them and counts the rest."""
    with engine(server) as api:
        kept = {"text": "x" * 1_000_000}
        instance = start(api, kept | {f"k{number}": 0 for number in range(5_000)})
        put(api, instance, kept | {f"k{number}": 1 for number in range(5_000)}, 1).raise_for_status()
        answer = put(api, instance, {"k0": 2}, 1)
        assert answer.status_code == 412
        assert len(answer.json()["changed_paths"]) + answer.json()["changed_paths_omitted"] == 5_000
        assert len(answer.content) < 100_000


def test_blame_comes_in_pages(server: Server) -> None:
    """All leaves, each once, in the order of the document."""
    with engine(server) as api:
        instance = start(api, {f"k{number:05}": number for number in range(25_000)})
        found: list[str] = []
        cursor = 0
        while cursor is not None:
            page = api.get(f"{W}/instances/{instance}/variables/blame", params={"cursor": cursor}).json()
            assert len(page["items"]) <= 10_000
            found += [item["path"] for item in page["items"]]
            cursor = page["next"]
        assert found == [f"/k{number:05}" for number in range(25_000)]


def test_history_of_large_modifications_comes_in_pages(server: Server) -> None:
    """Fewer items than asked for, and the rest on the next pages."""
    with engine(server) as api:
        instance = start(api, {"text": ""})
        for version in range(1, 61):
            headers = {"If-Match": f'"{version}"', "Content-Type": "application/merge-patch+json"}
            url = f"{W}/instances/{instance}/variables"
            api.patch(url, content=json.dumps({"text": f"{version:02}" * 500_000}), headers=headers).raise_for_status()
        synced(api, instance)
        found: list[int] = []
        pages = 0
        cursor = None
        while True:
            query = {"limit": 200} | ({} if cursor is None else {"cursor": cursor})
            page = api.get(f"{W}/instances/{instance}/variables/history", params=query).json()
            found += [item["version"] for item in page["items"]]
            pages += 1
            cursor = page["next"]
            if cursor is None:
                break
        assert found == list(range(61, 0, -1))
        assert pages > 1


def test_debug_comes_in_pages(server: Server) -> None:
    """Each record once, oldest first."""
    with engine(server) as api:
        instance = start(api, {"n": 0})
        for number in range(5):
            body = {"name": f"call {number}", "request": {"text": "x" * 300_000}}
            api.post(f"{W}/instances/{instance}/integrations", json=body).raise_for_status()
        found: list[int] = []
        after = 0
        while after is not None:
            query = {"after_version": after, "limit": 2}
            page = api.get(f"{W}/instances/{instance}/debug", params=query).json()
            assert len(page["items"]) <= 2
            found += [item["version"] for item in page["items"]]
            after = page["next"]
        assert found == list(range(1, 7))


def test_a_patch_that_moves_an_array_over_and_over(server: Server) -> None:
    """Is refused at the operation that is too much; a patch of as many operations that moves little is taken."""
    with engine(server) as api:
        instance = start(api, {"a": list(range(1_000_000)), "b": 0})
        url = f"{W}/instances/{instance}/variables"
        headers = {"If-Match": '"1"', "Content-Type": "application/json-patch+json"}
        moves = [{"op": "move", "from": "/a/0", "path": "/a/999999"}] * 20_000
        answer = api.patch(url, content=json.dumps(moves), headers=headers)
        assert answer.status_code == 409 and answer.json()["index"] < 5_000, answer.text[:500]
        few = [{"op": "replace", "path": "/b", "value": number} for number in range(20_000)]
        assert api.patch(url, content=json.dumps(few), headers=headers).status_code == 200


def test_a_patch_of_many_tests(server: Server) -> None:
    """Each of them of a small value against a large one: none looks through the large one."""
    with engine(server) as api:
        instance = start(api, {"large": {"list": list(range(500_000))}, "n": 0})
        headers = {"If-Match": '"1"', "Content-Type": "application/json-patch+json"}
        tests = [{"op": "test", "path": "/n", "value": 0}] * 20_000
        tests += [{"op": "test", "path": "", "value": {"large": {"list": []}, "n": 0}}]
        answer = api.patch(f"{W}/instances/{instance}/variables", content=json.dumps(tests), headers=headers)
        assert answer.status_code == 409 and answer.json()["index"] == 20_000
