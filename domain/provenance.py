"""Provenance of events: who caused them, and when. It comes with the command, so that decisions need neither a clock
nor a session.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict


@dataclass(frozen=True, slots=True)
class Imported:
    """Who brought an event from another system, and when; the event has the user and the time that it had there."""

    user: str
    user_name: str
    at: datetime
    """Timezone-aware, in UTC."""


class EventHeader(TypedDict):
    """Fields that every event of a stream begins with."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    workspace: str
    user: str
    user_name: str
    imported: Imported | None


class Caller(NamedTuple):
    """A user who has been authorised for what they request, in the workspace of the request."""

    workspace: str
    user: str
    user_name: str


class Provenance(NamedTuple):
    """Cause of an event."""

    caller: Caller
    at: datetime
    """Time of the decision, timezone-aware in UTC."""
    imported: Imported | None = None
    """None for what happens here and now."""

    def header(self, stream: str, version: int) -> EventHeader:
        return {
            "originator_id": stream,
            "originator_version": version,
            "timestamp": self.at,
            "workspace": self.caller.workspace,
            "user": self.caller.user,
            "user_name": self.caller.user_name,
            "imported": self.imported,
        }
