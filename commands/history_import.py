"""Import of instances with the history that they have in another system."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from procvars.commands.decision_loop import Clock
from procvars.commands.ports import EventStore, StreamConflict
from procvars.domain.errors import DefinitionNotFound, DomainError, HistoryConflict, StoreUnavailable
from procvars.domain.events import INSTANCE_EVENTS, Event, Recorded
from procvars.domain.history_import import import_history, same_history
from procvars.domain.imported_steps import History, Started
from procvars.domain.instance import refuse_archived
from procvars.domain.provenance import Caller, Imported

_SECONDS_AT_ONCE = 0.005
"""Time after which others of this process have a turn; one history is decided on as a whole."""


class HistoryStore(EventStore, Protocol):
    """The event store, with the read that tells whether an instance was imported before."""

    def stream(self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]) -> AsyncIterator[Recorded[Event]]:
        """Yield the stream's events of these classes, oldest first. Raises StoreUnavailable, EventUnreadable."""
        ...


class Taken(NamedTuple):
    """An instance that is here with its history."""

    position: int
    """Of its newest event; 0 where it was here before."""
    events: int
    """Events that were appended; 0 where it was here before."""


Outcome = Taken | DomainError
"""What became of an instance: it is here, or why it is not."""


class HistoryImport:
    def __init__(self, store: HistoryStore, clock: Clock, *, max_document_bytes: int) -> None:
        """Take the time from `clock`, timezone-aware in UTC."""
        self._store = store
        self._clock = clock
        self._max_document_bytes = max_document_bytes

    async def take(self, caller: Caller, histories: Sequence[History]) -> list[Outcome]:
        """Append each of these instances as a whole, or find why not, and return the outcomes in their order.

        An instance that is here with the same history, and perhaps more that happened since, is left as it is. Raises
        StoreUnavailable: some of them may be here then.
        """
        existing = await self._store.existing([history.id for history in histories])
        names = await self._definition_names(caller.workspace, histories)
        imported = Imported(caller.user, caller.user_name, self._clock())
        outcomes: list[Outcome | asyncio.Task[Outcome]] = []
        began = time.perf_counter()
        for history in histories:
            try:
                events = self._decided(caller.workspace, history, imported, names)
                outcomes.append(asyncio.create_task(self._keep(events, history.id in existing)))
            except DomainError as error:
                outcomes.append(error)
            if time.perf_counter() - began > _SECONDS_AT_ONCE:
                await asyncio.sleep(0)
                began = time.perf_counter()
        keeping = [one for one in outcomes if isinstance(one, asyncio.Task)]
        if keeping:
            await asyncio.wait(keeping)
        errors = [one.exception() for one in keeping]  # all of them are looked at
        for failure in errors:
            if failure is not None:
                raise failure
        return [one.result() if isinstance(one, asyncio.Task) else one for one in outcomes]

    async def _keep(self, events: Sequence[Event], exists: bool) -> Outcome:
        """Append the events unless the instance is here. Raises StoreUnavailable."""
        try:
            if not exists:
                with suppress(StreamConflict):  # somebody was faster
                    return Taken((await self._store.append(events))[-1], len(events))
            await self._require_same(events)
        except StoreUnavailable:
            raise
        except DomainError as error:
            return error
        return Taken(0, 0)

    def _decided(self, workspace: str, history: History, imported: Imported, names: Mapping[str, str]) -> list[Event]:
        key = _definition(history)
        if key is not None and key not in names:
            raise DefinitionNotFound()
        limit = self._max_document_bytes
        return import_history(history, workspace, imported, names, max_document_bytes=limit)

    async def _require_same(self, sent: Sequence[Event]) -> None:
        """Raise HistoryConflict unless the stored events of the instance begin with these, InstanceArchived if it has none
        left.
        """
        count = 0
        async for recorded in self._store.stream(sent[0].originator_id, topics=INSTANCE_EVENTS):
            event = recorded.event
            if event.workspace != sent[0].workspace or not same_history(event, sent[count]):
                break
            count += 1
            if count == len(sent):
                return
        refuse_archived(await self._store.load(sent[0].originator_id, fresh=True), sent[0].workspace)
        raise HistoryConflict()

    async def _definition_names(self, workspace: str, histories: Sequence[History]) -> dict[str, str]:
        """Return the names of those definitions that there are, by key."""
        names = {}
        for key in {key for history in histories if (key := _definition(history)) is not None}:
            if (definition := await self._store.definition(workspace, key)) is not None:
                names[key] = definition.name
        return names


def _definition(history: History) -> str | None:
    """Return the key of the instance's definition; None for a history that does not begin with a start."""
    first = history.steps[0].happening if history.steps else None
    return first.definition if isinstance(first, Started) else None
