"""Numbers of every spelling on their way through a running site: what each part of it hands out, as it is written there."""

import re
from uuid import uuid4

import httpx

from tests.api.bank import W, define, synced
from tests.domain.documents.json_strategies import with_plain_exponent

Literals = tuple[str, ...]


def document_of(literals: Literals, extra: str) -> bytes:
    """The numbers as members and as elements, in an order that no sorting gives."""
    members = ",".join(f'"n{at}":{literal}' for at, literal in reversed([*enumerate(literals)]))
    return f'{{"z":{{{members}}},"application":{{"income":{extra}}},"list":[{",".join(literals)}]}}'.encode()


def comparable(text: str) -> str:
    return re.sub(r"-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+", lambda it: with_plain_exponent(it[0]), text)


def edited(api: httpx.Client, before: Literals, after: Literals) -> str:
    """Start an instance with the one numbers and replace them with the others; return its id."""
    instance = f"n-{uuid4()}"
    define(api)
    started = b'{"definition":"loan","id":"%s","variables":%s}' % (instance.encode(), document_of(before, before[0]))
    headers = {"Content-Type": "application/json"}
    api.post(f"{W}/instances", content=started, headers=headers).raise_for_status()
    headers["If-Match"] = '"1"'
    answer = api.put(f"{W}/instances/{instance}/variables", content=document_of(after, after[0]), headers=headers)
    answer.raise_for_status()
    synced(api, instance)
    return instance


def assert_kept(api: httpx.Client, instance: str, before: Literals, after: Literals) -> None:
    """Every read model, the history and the events have both documents, number for number."""
    old, new = (comparable(document_of(numbers, numbers[0]).decode()) for numbers in (before, after))
    at = f"{W}/instances/{instance}"
    assert comparable(api.get(f"{at}/variables").text) == new
    assert comparable(api.get(f"{at}/variables", params={"version": 1}).text) == old
    snapshots = api.get(f"{at}/snapshots").json()["items"]
    if old == new:
        assert snapshots == []
        return
    assert old in comparable(api.get(f"{at}/snapshots/{snapshots[0]['version']}").text)
    (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
    assert new in comparable(api.get(f"{W}/audit-log/{entry['id']}").text)
    history = comparable(api.get(f"{at}/variables/history").text)
    assert f'"value":{old}' in history
    for a, b in zip(before, after, strict=True):
        if with_plain_exponent(a) != with_plain_exponent(b):
            assert f'"value":{with_plain_exponent(b)}}}' in history
    hits = api.post(f"{W}/search", json={"keys": [{"key": "income", "value": {"exists": True}}], "limit": 200})
    assert f'"income":{with_plain_exponent(after[0])}' in comparable(hits.text)
