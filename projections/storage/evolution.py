"""Evolution of a read model's rows by the events of a batch, where each instance follows a process definition."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from procvars.domain.definition import Definition
from procvars.domain.events import Event, InstanceStarted
from procvars.projections.storage.known_definitions import Key

Row = TypeVar("Row")


def definition_keys(unseen: Mapping[str, Sequence[Event]], known: Mapping[str, Key]) -> dict[str, Key]:
    """Return instance id → workspace and key of its definition, for the instances with unseen events.

    `known` are those of the instances that the read model already has.
    """
    starts = (event for events in unseen.values() for event in events if isinstance(event, InstanceStarted))
    started = {start.originator_id: (start.workspace, start.definition) for start in starts}
    return started | {instance_id: known[instance_id] for instance_id in unseen if instance_id in known}


def evolved(
    unseen: Mapping[str, Sequence[Event]],
    before: Mapping[str, Row],
    evolve: Callable[[Row | None, Event, Definition | None], Row],
    definitions: Mapping[Key, Definition],
    keys: Mapping[str, Key],
) -> list[Row]:
    """Return the row of each instance with unseen events, after them. Raises what `evolve` raises.

    `keys` maps the instances to the keys of their definitions, as far as they have one.
    """
    after: list[Row] = []
    for instance_id, events in unseen.items():
        row = before.get(instance_id)
        definition = definitions.get(keys[instance_id]) if instance_id in keys else None
        for event in events:
            row = evolve(row, event, definition)
        assert row is not None
        after.append(row)
    return after
