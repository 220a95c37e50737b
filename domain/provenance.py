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


class Provenance(NamedTuple):
    workspace: str
    user: str
    user_name: str
    at: datetime
    """Timezone-aware, in UTC."""

    def header(self, stream: str, version: int) -> EventHeader:
        return {
            "originator_id": stream,
            "originator_version": version,
            "timestamp": self.at,
            "workspace": self.workspace,
            "user": self.user,
            "user_name": self.user_name,
        }
