"""Old shapes of stored events, brought to today's: one function for each step from a class version to the next.

A stored event is never rewritten. An upcaster only fills in what was meant when the old shape was all there was.
"""

from collections.abc import Callable
from typing import Any

State = dict[str, Any]


def _modified_v1_v2(state: State) -> State:
    """Version 1 kept neither the kind of edit, nor the bulk it belonged to, nor the warnings the operator was given.

    All edits of that time were whole documents from the editor.
    """
    return {**state, "kind": "put", "bulk_id": None, "fingerprint": None, "warnings": []}


UPCASTERS: dict[tuple[str, int], Callable[[State], State]] = {
    ("ProcessVariablesModified", 1): _modified_v1_v2,
}
"""(topic, class version) → the step to the next class version."""


def upcast(topic: str, from_version: int, to_version: int, state: State) -> State:
    """`state` in the shape of `to_version`. Raises KeyError where a step is missing."""
    for version in range(from_version, to_version):
        state = UPCASTERS[topic, version](state)
    return state
