"""JSON values in Python, and how deep they may be nested."""

from typing import Final, TypeAlias

from procvars.domain.documents.numbers import Number

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | Number | bool | None
"""A JSON value. A number is an int (of 64 bits) or a float where that is written back with the same digits, else a
`Number`.
"""

Document: TypeAlias = dict[str, Json]
"""The variables of a process instance: always a JSON object."""

MAX_DEPTH: Final = 200
"""Levels of arrays and objects in a document."""
