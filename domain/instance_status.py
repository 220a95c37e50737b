"""The life of a process instance, as far as anybody may ask for it."""

from enum import StrEnum


class InstanceStatus(StrEnum):
    STARTED = "STARTED"
    ON_HOLD = "ON_HOLD"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    TERMINATED = "TERMINATED"
    EXPIRED = "EXPIRED"
    ABORTED = "ABORTED"

    @property
    def is_active(self) -> bool:
        """Active instances go on, and only they can be edited; the other statuses are final."""
        return self in (InstanceStatus.STARTED, InstanceStatus.ON_HOLD)

    def may_become(self, status: "InstanceStatus") -> bool:
        return self.is_active and status is not self
