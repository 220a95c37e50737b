"""Who does something, and when: what every event keeps about its cause. Comes in with the command, so that decisions
need neither a clock nor a session.
"""

from datetime import datetime
from typing import NamedTuple, TypedDict


class EventHeader(TypedDict):
    """The fields that every event of a stream begins with."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    workspace: str
    user: str
    user_name: str


class Caller(NamedTuple):
    """A user who is known to be allowed what they ask for, in the workspace that they ask it of."""

    workspace: str
    user: str
    user_name: str


class Provenance(NamedTuple):
    """The cause of an event."""

    caller: Caller
    at: datetime
    """The time of the decision, timezone-aware, in UTC."""

    def header(self, stream: str, version: int) -> EventHeader:
        return {
            "originator_id": stream,
            "originator_version": version,
            "timestamp": self.at,
            "workspace": self.caller.workspace,
            "user": self.caller.user,
            "user_name": self.caller.user_name,
        }
