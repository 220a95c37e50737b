"""Every way in which a command or a question can be refused, as one tree. The docstring of a class is its message.

The errors know no HTTP: `api/http/problems.py` maps each of them to a problem type.
"""

from typing import Any


class ReadTooLarge(Exception):
    """More would have to be read at once than this process takes on. It is no refusal: another process takes it on."""


class DomainError(Exception):
    """The command was refused."""

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        """`members` are the facts that a caller can act on, by the names the contract gives them."""
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.members: dict[str, object] = members
        super().__init__(self.detail)


class NotFound(DomainError):
    """There is no such thing in this workspace."""


class InstanceNotFound(NotFound):
    """There is no such process instance in this workspace."""


class DefinitionNotFound(NotFound):
    """There is no such process definition in this workspace."""


class NoSuchVersion(NotFound):
    """The instance had no variables at that version or time."""


class NoSuchSnapshot(NotFound):
    """No modification of that version replaced any values, so there is no snapshot of it."""


class NoSuchModification(NotFound):
    """That version of the instance is not a modification by an operator."""


class NoSuchNavigationSnapshot(NotFound):
    """There is no navigation snapshot of that node."""


class NoSuchIntegration(NotFound):
    """The instance called no such integration."""


class NoSuchTask(NotFound):
    """The instance has no such task."""


class NoSuchAuditEntry(NotFound):
    """There is no such entry in the audit log of this workspace."""


class Conflict(DomainError):
    """The command does not fit the instance as it is now."""


class InstanceAlreadyExists(Conflict):
    """A process instance with this id exists already."""


class InstanceNotEditable(Conflict):
    """Only instances with status STARTED or ON_HOLD can have their variables modified."""


class InstanceNotActive(Conflict):
    """The instance has ended: nothing can happen to it any more."""


class InvalidTransition(Conflict):
    """The instance cannot go from its status to that one."""


class IntegrationAlreadyAnswered(Conflict):
    """The integration was answered already."""


class TaskAlreadyClosed(Conflict):
    """The task was closed already."""


class EventUnreadable(DomainError):
    """An event of this stream cannot be read by this release of the program: it is damaged, or a newer one stored it."""


class PositionUnknown(Conflict):
    """The event store has not come to that position: the checkpoint is another store's, or the store was restored."""


class VersionConflict(Conflict):
    """Somebody changed the instance since the version that this edit is based on."""


class Unprocessable(DomainError):
    """The request is well formed, and asks for something that cannot be."""


class SchemaViolation(Unprocessable):
    """The variables would not fit the JSON Schema of the process definition."""


class RuleTooExpensive(Unprocessable):
    """A rule of the process definition would need too much work on these variables."""


class DocumentTooLarge(DomainError):
    """The variables would be larger than this server keeps."""


class EventTooLarge(DomainError):
    """What would be stored of this is larger than Kafka carries: the values before and after, and all that differs."""


class InvalidDefinition(Unprocessable):
    """The process definition is not valid."""


class InvalidArgument(Unprocessable):
    """An argument of the request is not valid."""


class IdempotencyKeyReused(Unprocessable):
    """This idempotency key was used before, for another edit of this instance."""


class Unavailable(DomainError):
    """Something that this needs is out of reach now; the same request may go through later."""


class StoreUnavailable(Unavailable):
    """The database cannot be reached now."""


class SearchUnavailable(Unavailable):
    """The search index cannot be reached now."""


class ProjectionBehind(Unavailable):
    """The read model has not caught up with that version yet."""
