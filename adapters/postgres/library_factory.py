"""Factory of `eventsourcing` for an application of that library that reads the event store.

The library maps a stored event on its own, and the state of one may continue that of an earlier one. With the mapper alone
(`MAPPER_TOPIC`) an application reads streams and notifications from their beginning; with this factory, from anywhere.
"""

from eventsourcing.persistence import Mapper, StoredEvent, Transcoder
from eventsourcing.postgres import PostgresFactory
from eventsourcing.utils import get_topic

from procvars.adapters.postgres.event_mapper import EventMapper


class EventStoreFactory(PostgresFactory):
    """The library's factory, for `PERSISTENCE_MODULE`; its mapper finds what the state of an event continues."""

    def mapper(  # type: ignore[override]
        self, transcoder: Transcoder | None = None, mapper_class: type[Mapper[str]] | None = None
    ) -> Mapper[str]:
        """Return an EventMapper."""
        made = super().mapper(transcoder, mapper_class or EventMapper)
        assert isinstance(made, EventMapper), f"{get_topic(type(made))} cannot read this store"
        made.find_event = self._find
        return made

    def _find(self, stream: str, version: int) -> StoredEvent | None:
        found = self.aggregate_recorder().select_events(stream, gt=version - 1, lte=version)
        return found[0] if found else None
