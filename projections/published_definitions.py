"""The definitions by which a projection derives its rows, in memory.

A row may be derived by a newer definition than stood at its event: when the definition's own event comes by, all rows of
that definition are derived again, so in the end each is what the newest definition makes of it.
"""

from domain.definition import Definition, definition_from
from domain.events import DefinitionPublished
from projections.projection import EventSource


class PublishedDefinitions:
    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._known: dict[tuple[str, str], Definition] = {}

    async def of(self, workspace: str, key: str) -> Definition | None:
        known = self._known.get((workspace, key))
        if known is None:
            known = await self._source.definition(workspace, key)
            if known is not None:
                self._known[workspace, key] = known
        return known

    def observe(self, event: DefinitionPublished) -> Definition:
        """The newest one, now that this event has come by."""
        published = definition_from(event)
        known = self._known.get((event.workspace, event.key))
        if known is None or known.version < published.version:
            self._known[event.workspace, event.key] = known = published
        return known
