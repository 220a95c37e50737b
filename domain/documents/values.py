"""JSON values in Python, and how deep they may be nested."""

from typing import Final, TypeAlias

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""A JSON value. Numbers are int exactly where the text has neither fraction nor exponent; no NaN, no Infinity."""

Document: TypeAlias = dict[str, Json]
"""The variables of a process instance: always a JSON object."""

MAX_DEPTH: Final = 200
"""Levels of arrays and objects in a document."""
