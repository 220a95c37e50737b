"""Refusals of commands and queries, as one tree below DomainError. The docstring of a class is its message.

The errors know no HTTP: `api/http/problems.py` maps each of them to a problem type.
"""

import re
from typing import Any


def slug(error: type[Exception]) -> str:
    """Return the name of a kind of error as callers know it: `version-conflict` of VersionConflict."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()


class ReadTooLarge(Exception):
    """More would have to be read at once than this process takes on. It is no refusal: another process takes it on."""


class DomainError(Exception):
    """The command was refused."""

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        """Tell `detail` in words, and in `members`, named as in the API, the facts that a caller can act on."""
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


class NoSuchIncident(NotFound):
    """The instance has no such incident in its process engine."""


class NotOfAnEngine(NotFound):
    """The instance runs in no process engine that this server is connected with."""


class NoSuchEngine(NotFound):
    """There is no engine of this name in the settings."""


class NoSuchAuditEntry(NotFound):
    """There is no such entry in the audit log of this workspace."""


class NoSuchBulkModification(NotFound):
    """There is no such bulk modification in this workspace."""


class NoSuchConsumer(NotFound):
    """There is no consumer of this name in this workspace."""


class InstanceArchived(DomainError):
    """The instance was archived: its history is in the file that is named here."""


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


class BulkModificationRunning(Conflict):
    """The bulk modification has not ended yet."""


class InstanceContended(Conflict):
    """Others changed the instance faster than the bulk modification could follow."""


class EventUnreadable(DomainError):
    """An event of this stream cannot be read by this release of the program: it is damaged, or a newer one stored it."""


class NothingToResolve(Conflict):
    """No edit of this instance is in conflict with the process engine or was refused by it."""


class DeliveryPending(Conflict):
    """An edit of this instance has not reached the process engine yet."""


class IncidentNotRetryable(Conflict):
    """The process engine cannot try this incident again."""


class PositionUnknown(Conflict):
    """The event store has not come to that position: the checkpoint is another store's, or the store was restored."""


class VersionConflict(Conflict):
    """Somebody changed the instance since the version that this edit is based on."""


class SelectionChanged(DomainError):
    """Other instances are selected now than when the digest was made."""


class Unprocessable(DomainError):
    """The request is well formed, and asks for something that cannot be."""


class SchemaViolation(Unprocessable):
    """The variables would not fit the JSON Schema of the process definition."""


class NotEditableVariable(Unprocessable):
    """The variable is of a type of the process engine that cannot be edited."""


class EngineTypeMismatch(Unprocessable):
    """The variable's type in the process engine cannot hold the value."""


class RuleTooExpensive(Unprocessable):
    """A rule of the process definition would need too much work on these variables."""


class TooManyInstances(Unprocessable):
    """More instances are selected than a bulk modification may have."""


class TooManyConsumers(Unprocessable):
    """The workspace has as many consumers as it may have: forget those that are gone."""


class BulkChangeTooLarge(DomainError):
    """The change of a bulk modification is larger than this server keeps with every instance."""


class DocumentTooLarge(DomainError):
    """The variables would be larger than this server keeps."""


class EventTooLarge(DomainError):
    """What would be stored of this is larger than Kafka carries: the values before and after, and all that differs."""


class InvalidDefinition(Unprocessable):
    """The process definition is not valid."""


class InvalidArgument(Unprocessable):
    """An argument of the request is not valid."""


class InvalidHistory(Unprocessable):
    """The history of an instance cannot have happened."""


class HistoryConflict(Conflict):
    """An instance with this id exists already, with another history."""


class IdempotencyKeyReused(Unprocessable):
    """This idempotency key was used before, for another edit of this instance."""


class HistoryTooLarge(DomainError):
    """The history has more events, or more values in all of its documents, than are imported of one instance."""


class Unavailable(DomainError):
    """Something that this needs is out of reach now; the same request may go through later."""


class StoreUnavailable(Unavailable):
    """The database cannot be reached now."""


class EngineUnavailable(Unavailable):
    """The process engine cannot be reached now."""


class EngineRefused(DomainError):
    """The process engine refused the request."""


class SearchUnavailable(Unavailable):
    """The search index cannot be reached now."""


class ProjectionBehind(Unavailable):
    """The read model has not caught up with that version yet."""
