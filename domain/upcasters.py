"""Upcasters of stored events, one function for each step from a class version to the next.

A stored event is never rewritten. An upcaster only adds what the old shape implied.
"""

from collections.abc import Callable
from typing import Any

State = dict[str, Any]


def _modified_v1_v2(state: State) -> State:
    """Add what version 1 lacked: the kind of edit, the bulk that it belonged to, and the warnings to the operator.

    All edits of that time were whole documents from the editor.
    """
    return {**state, "kind": "put", "bulk_id": None, "fingerprint": None, "warnings": []}


UPCASTERS: dict[tuple[str, int], Callable[[State], State]] = {
    ("ProcessVariablesModified", 1): _modified_v1_v2,
}
"""(topic, class version) → upcaster to the next class version."""


def upcast(topic: str, from_version: int, to_version: int, state: State) -> State:
    """Return `state` in the shape of `to_version`. Raises KeyError for a missing step."""
    for version in range(from_version, to_version):
        state = UPCASTERS[topic, version](state)
    return state
