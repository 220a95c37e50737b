"""What an archived instance is answered with."""

from procvars.domain import errors
from procvars.domain.events import InstanceArchived


def archived_error(event: InstanceArchived) -> errors.InstanceArchived:
    """Return the refusal of whatever is asked of an archived instance: it says where its history is."""
    return errors.InstanceArchived(
        f"The instance was archived: its history is in {event.file}.",
        file=event.file,
        sha256=event.sha256,
        archived_at=event.timestamp.isoformat(),
        instance_status=event.status.value,
    )
