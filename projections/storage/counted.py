"""Tallies of what a read model shows of the events, comparable with the event store without reading its documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from procvars.domain.events import Event


@dataclass(frozen=True, slots=True)
class Tally:
    """Number and highest version of a stream's events of some kinds; None if the read model does not tell."""

    events: int | None
    version: int | None


NOTHING = Tally(0, 0)


@dataclass(frozen=True, slots=True)
class Counted:
    """Tallies of a read model for events of these kinds, by stream; streams of which it has nothing are left out."""

    kinds: tuple[type[Event], ...]
    tallies: Mapping[str, Tally]


def difference(counted: Counted, stream: str, least: Tally, most: Tally) -> str | None:
    """Return how a read model differs from the events of its kinds, in words; None if it does not.

    `least` is what it has to show, the events up to its position; `most` is all that the store has. A read model that
    is fed by partitions may be anywhere between the two.
    """
    found = counted.tallies.get(stream, NOTHING)
    names = ", ".join(kind.TOPIC for kind in counted.kinds)
    if not _between(least.events, found.events, most.events):
        return f"it shows {found.events} of {least.events} events ({names})"
    if not _between(least.version, found.version, most.version):
        return f"it shows version {found.version} instead of {least.version} ({names})"
    return None


def _between(least: int | None, found: int | None, most: int | None) -> bool:
    return found is None or (least or 0) <= found <= (most or 0)


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of the tallies of several kinds."""
    found = list(tallies)
    return Tally(sum(one.events or 0 for one in found), max((one.version or 0 for one in found), default=0))
