"""JSON text as a read model keeps it, to be sent on without being parsed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawJson:
    text: str
