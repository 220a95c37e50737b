"""What a real process engine can do for us. Each kind of engine has an adapter that translates its errors into those named
here.

The contract suite in `tests/contracts/engine_contract.py` holds for every implementation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from procvars.domain.documents.values import Json
from procvars.domain.engine_delivery import EngineWrite
from procvars.domain.engine_state import EngineInstance, EngineVariables


@dataclass(frozen=True, slots=True)
class ImportCursor:
    """Where the list of running instances, oldest first, was left."""

    started_at: datetime | None = None
    """The start of the last instance that was listed; None at the beginning."""
    seen: int = 0
    """How many instances with exactly that start were listed."""


@dataclass(frozen=True, slots=True)
class RunningPage:
    instances: Sequence[EngineInstance]
    next: ImportCursor
    last: bool
    """Whether there are no further instances now."""


@dataclass(frozen=True, slots=True)
class VariableUpdate:
    """A write of a variable, as the engine's history has it."""

    id: str
    instance_id: str
    name: str
    time: datetime
    revision: int
    """Counts the writes of this variable, from 0."""
    type: str
    value: Json
    """As a document shows it."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A part of the engine's history, oldest first."""

    updates: Sequence[VariableUpdate]
    last: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """A step of an instance that failed and waits for somebody."""

    incident_id: str
    activity: str
    message: str
    failed_at: datetime
    retryable: bool


class Engine(Protocol):
    """A real engine. Every call raises EngineUnavailable where the engine cannot be reached or is not well, and
    EngineRefused with the engine's own words where it does not do what it is asked.
    """

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    def url_of(self, instance_id: str) -> str:
        """Return where the engine itself has the instance."""
        ...

    async def count_running(self) -> int:
        """Return how many instances run, of the definitions that this connection is for."""
        ...

    async def running(self, cursor: ImportCursor, limit: int) -> RunningPage:
        """List running instances, those that started first first. One that starts or ends meanwhile may be missed."""
        ...

    async def started_since(self, time: datetime) -> list[EngineInstance]:
        """List the instances that started at that time or later and still run."""
        ...

    async def ended_since(self, time: datetime) -> dict[str, datetime]:
        """Return the ids of the instances that ended at that time or later, and when each did."""
        ...

    async def suspended(self) -> set[str]:
        """List the ids of the running instances that are suspended."""
        ...

    async def newest_update(self) -> datetime | None:
        """Return the time of the newest write of a variable by the engine's clock, None where its history is empty."""
        ...

    async def updates_since(self, time: datetime, skip: int, limit: int) -> HistoryPage:
        """Page through the writes of variables at that time or later. A write that commits late may appear between others."""
        ...

    async def instances(self, instance_ids: Sequence[str]) -> dict[str, EngineInstance]:
        """Describe these instances, also those that have ended; without those that the engine knows nothing of."""
        ...

    async def variables(self, instance_ids: Sequence[str]) -> dict[str, EngineVariables]:
        """Read the variables of running instances, in few calls. Nothing is told of one that has ended or has none."""
        ...

    async def final_variables(self, instance_ids: Sequence[str]) -> dict[str, EngineVariables]:
        """Read from the engine's history which variables instances ended with, as far as it has kept them."""
        ...

    async def write(self, instance_id: str, write: EngineWrite) -> None:
        """Write and delete variables of a running instance, all or nothing."""
        ...

    async def incidents(self, instance_id: str) -> list[Incident]:
        """List what has failed in an instance."""
        ...

    async def retry(self, instance_id: str, incident_id: str) -> Incident:
        """Let the engine try again what failed. Raises NoSuchIncident, IncidentNotRetryable."""
        ...


Engines = Mapping[str, Engine]
"""By name; those that this server is connected with."""
