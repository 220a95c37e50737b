"""Status of a process instance."""

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
        """Whether the instance is active: only then it continues and can be edited; the other statuses are final."""
        return self in (InstanceStatus.STARTED, InstanceStatus.ON_HOLD)

    def may_become(self, status: "InstanceStatus") -> bool:
        return self.is_active and status is not self
