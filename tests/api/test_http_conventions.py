"""What HTTP (RFC 9110) promises to whoever knows no more of this API than its addresses."""

import gzip
import json
import os
from collections.abc import Callable

import httpx
import pytest
import zstandard

from procvars.api.http.compression import preferred
from tests import plain_http
from tests.api.bank import W, define, put, start
from tests.api.test_refusals import problem
from tests.conftest import Server

LARGE = {"text": "word " * 1_000}
NOTHING = {"Accept-Encoding": "identity"}


@pytest.fixture
def instance(api: httpx.Client) -> str:
    return start(api, LARGE)


def paths(instance: str) -> list[str]:
    at = f"{W}/instances/{instance}"
    return [
        f"{W}/instances", at, f"{at}/variables", f"{at}/variables?version=1", f"{at}/variables/history",
        f"{at}/variables/blame", f"{at}/snapshots", f"{at}/debug", f"{at}/sync", f"{at}/integrations",
        f"{at}/navigation-snapshots", f"{W}/audit-log", f"{W}/tasks", f"{W}/definitions", "/me", "/projections", "/healthz",
        f"{W}/overview", "/readyz", "/metrics", "/openapi.json",
    ]  # fmt: skip


def test_head_works_where_get_does(api: httpx.Client, instance: str) -> None:
    """Status and headers are those of GET, and no body follows."""
    for path in paths(instance):
        got, head = (api.request(method, path, headers=NOTHING) for method in ("GET", "HEAD"))
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers.get("etag") == got.headers.get("etag")
        if path.endswith("variables"):
            assert head.headers["content-length"] == str(len(got.content))
    missing = api.head(f"{W}/instances/none/variables")
    assert (missing.status_code, missing.content) == (404, b"")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"If-None-Match": '"1"'}, 304), ({"Authorization": ""}, 401), ({"Authorization": "Bearer no"}, 401)],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_read_is_answered_alike_however_it_is_routed(
    api: httpx.Client, instance: str, headers: dict[str, str], status: int, encoding: str
) -> None:
    """A read without query parameters is called directly, one with them by FastAPI."""
    url = f"{W}/instances/{instance}/variables"
    answers = [
        api.get(path, headers={"Accept-Encoding": encoding, **headers}) for path in (url, f"{url}?after_version=1")
    ]
    assert [answer.status_code for answer in answers] == [status, status]
    direct, by_fastapi = (
        {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
        for answer in answers
    )
    assert direct == by_fastapi and answers[0].content == answers[1].content


def test_an_unknown_query_parameter_is_refused_with_its_name(api: httpx.Client, instance: str) -> None:
    """A misspelt filter finds everything, and a misspelt precondition holds always."""
    for path in paths(instance):
        if path not in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            sign = "&" if "?" in path else "?"
            found = problem(api.get(f"{path}{sign}staus=STARTED&x~/y="), 422, "invalid-argument")
            assert [error["path"] for error in found["errors"]] == ["/staus", "/x~0~1y"], path
    edit = api.put(
        f"{W}/instances/{instance}/variables?reson=why",
        content=b"{}",
        headers={"Content-Type": "application/json", "If-Match": '"1"'},
    )
    assert "'reson'" in problem(edit, 422, "invalid-argument")["detail"]
    assert api.get(f"{W}/instances/{instance}/variables").headers["etag"] == '"1"'


@pytest.mark.parametrize("sent", ['"1"', 'W/"1"', '"0", "1"', "*"])
def test_what_the_caller_has_already_is_not_sent_again(api: httpx.Client, instance: str, sent: str) -> None:
    """304 with the entity tag and without a body; another version is sent whole."""
    url = f"{W}/instances/{instance}/variables"
    answer = api.get(url, headers={"If-None-Match": sent})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    assert "content-type" not in answer.headers
    assert api.head(url, headers={"If-None-Match": sent}).status_code == 304
    put(api, instance, {"a": 1}, 1).raise_for_status()
    newer = api.get(f"{url}?after_version=2", headers={"If-None-Match": '"1"'})
    assert (newer.status_code, newer.json()) == (200, {"a": 1})


@pytest.mark.parametrize(
    ("encoding", "decode"), [("gzip", gzip.decompress), ("zstd", zstandard.ZstdDecompressor().decompress)]
)
@pytest.mark.parametrize("size", [2_000, 100_000, 600_000], ids=["small", "in a thread", "from the heavy lane"])
def test_large_answers_are_compressed_where_asked_for(
    api: httpx.Client, encoding: str, decode: Callable[[bytes], bytes], size: int
) -> None:
    """The text is the same, the version stays the entity tag, and caches know that it depends on the header."""
    at = f"{W}/instances/{start(api, {'text': 'word ' * (size // 5)})}/variables?version=1"
    plain = api.get(at, headers=NOTHING)
    assert "content-encoding" not in plain.headers
    api.event_hooks = {}  # none that reads the answer
    with api.stream("GET", at, headers={"Accept-Encoding": encoding}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == encoding
    assert answer.headers["content-length"] == str(len(raw))
    assert (answer.headers["etag"], answer.headers["vary"]) == ('"1"', "Accept-Encoding")
    assert len(raw) < len(plain.content) / 5
    assert decode(raw) == plain.content


def test_small_answers_are_not_compressed(api: httpx.Client) -> None:
    """It would make them larger."""
    answer = api.get(f"{W}/instances/{start(api, {'a': 1})}/variables", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", None), ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd", "zstd"), ("gzip;q=1, zstd;q=0.5", "gzip"), ("*", "zstd"),
        ("*;q=0, gzip", "gzip"), ("br", None), ("GZIP", "gzip"), ("gzip;q=0", None), ("gzip;q=x", None), ("zstd;q=0, *", "gzip"),
    ],
)  # fmt: skip
def test_the_caller_says_which_encoding(accepted: str, encoding: str | None) -> None:
    """RFC 9110, section 12.5.3."""
    assert preferred(accepted) == encoding


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_encoded_body_is_refused(api: httpx.Client, instance: str, method: str) -> None:
    """A body that is not decoded must not be taken for a malformed one."""
    headers = {"Content-Type": "application/json", "If-Match": '"1"', "Content-Encoding": "gzip"}
    path = f"{W}/instances/{instance}/variables" if method == "PUT" else f"{W}/search"
    for body in (gzip.compress(b"{}"), gzip.compress(os.urandom(100_000))):
        answer = api.request(method, path, content=body, headers=headers)
        problem(answer, 415, "unsupported-media-type")
        assert answer.headers["accept-encoding"] == "identity"
    headers["Content-Encoding"] = "identity"
    assert api.request(method, path, content=json.dumps({}).encode(), headers=headers).status_code == 200


def test_allow_names_every_method_of_the_path(api: httpx.Client, server: Server, instance: str) -> None:
    """Methods of one path are routes of their own."""
    expected = {
        f"{W}/instances/{instance}/variables": "GET, HEAD, PUT, PATCH",
        f"{W}/instances": "GET, HEAD, POST",
        f"{W}/definitions/loan": "GET, HEAD, PUT",
        f"{W}/search": "POST",
        "/healthz": "GET, HEAD",
    }
    for path, methods in expected.items():
        answer = api.delete(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods), path
        for method in methods.split(", "):
            assert api.request(method, path).status_code != 405
    assert plain_http.post(f"{server.address}/instances").headers["allow"] == "GET, HEAD"


def test_a_definition_is_not_overwritten_unseen(api: httpx.Client) -> None:
    """If-Match names the version that the new definition is based on; without it the call is as before."""
    define(api, "conditional", name="One")
    url = f"{W}/definitions/conditional"
    read = api.get(url)
    assert read.headers["etag"] == '"1"'
    body = {"name": "Two"}
    changed = api.put(url, json=body, headers={"If-Match": read.headers["etag"]})
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')
    stale = api.put(url, json={"name": "Three"}, headers={"If-Match": '"1"'})
    assert problem(stale, 412, "version-conflict")["current_version"] == 2
    assert api.get(url).json()["name"] == "Two"
    missing = api.put(f"{url}-new", json=body, headers={"If-Match": '"1"'})
    assert problem(missing, 412, "version-conflict")["current_version"] == 0
    problem(api.put(url, json=body, headers={"If-Match": "two"}), 422, "invalid-argument")
