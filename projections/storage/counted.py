"""What a read model shows of the events, as numbers that can be compared with the event store without reading a document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from procvars.domain.events import Event


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of some kinds in a stream: how many, and the highest version. None: a read model that does not tell."""

    events: int | None
    version: int | None


NOTHING = Tally(0, 0)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a read model has of the events of these kinds, by stream; without streams of which it has nothing."""

    kinds: tuple[type[Event], ...]
    tallies: Mapping[str, Tally]


def difference(counted: Counted, stream: str, least: Tally, most: Tally) -> str | None:
    """Say in words how a read model differs from the events of its kinds, None where it does not.

    `least`: what it has to show, that is the events up to its position; `most`: all that the store has. A read model
    that is fed in parts may be anywhere between the two.
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
    """Return the tally of several kinds together."""
    found = list(tallies)
    return Tally(sum(one.events or 0 for one in found), max((one.version or 0 for one in found), default=0))
