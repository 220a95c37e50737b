"""The history of an instance in an archive: in the form in which an import takes it, and nothing that follows from the rest."""

from typing import Any, Final

from procvars.domain.documents.documents import same
from procvars.domain.documents.values import Document
from procvars.domain.envelope import envelope
from procvars.domain.event_state import state_of
from procvars.domain.events import WRITES, Event, Recorded

_OF_ITS_STORE: Final = ("imported", "idempotency_key", "fingerprint", "bulk_id")
"""Fields that refer to other things of the store: an import does not take them over, and the archive has them."""
_DERIVED: Final = ("patch",)
"""Fields that an import derives again: releases may differ in how they write the same change."""


def archived_event(recorded: Recorded[Event]) -> dict[str, Any]:
    """Return the envelope of the event, without the previous document of a write, which the events before it left."""
    kept = envelope(recorded)
    if isinstance(recorded.event, WRITES):
        kept["payload"] = {name: value for name, value in kept["payload"].items() if name != "previous"}
    return kept


def restores(imported: Event, stored: Event) -> bool:
    """Return whether an imported event tells the same as the stored one that was archived."""
    if type(imported) is not type(stored) or imported.originator_version != stored.originator_version:
        return False
    return same(_told(imported), _told(stored))


def _told(event: Event) -> Document:
    left_out = (*_OF_ITS_STORE, *_DERIVED)
    return {name: value for name, value in state_of(event).items() if name not in left_out}
