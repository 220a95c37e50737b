"""Gauges of projections, as servers and workers have them under names of their own."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

_FIGURES: Final = {
    "position": "Position of the newest event applied.",
    "lag_events": "Events that were not applied yet.",
    "lag_seconds": "Age of the oldest event that was not applied yet.",
    "parked": "Streams whose event could not be applied.",
    "differences": "Streams of which it shows something else than the event store says.",
    "mended": "Streams of which it showed something else at some time since it was built, and that are mended.",
}
FIGURES: Final = tuple(_FIGURES)


def projection_gauges(prefix: str, registry: CollectorRegistry, figures: Iterable[str]) -> dict[str, Gauge]:
    """Return a gauge `<prefix>_<figure>` for each of these figures, labelled by projection."""
    return {name: Gauge(f"{prefix}_{name}", _FIGURES[name], ("projection",), registry=registry) for name in figures}
