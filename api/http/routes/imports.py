"""Import of instances with their history from another system."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from procvars.api.http.access import Engine
from procvars.api.http.answers import answer
from procvars.api.http.bodies import NDJSON, media_type
from procvars.api.http.errors import LineTooLong
from procvars.api.http.import_lines import HistoryLine, longest_line, read_line
from procvars.api.http.ndjson import Line, complete_lines
from procvars.api.http.openapi import COMMANDS, lines, problems
from procvars.api.http.paths import IMPORTS
from procvars.api.http.problem_size import MOST_ITEMS, bounded
from procvars.api.http.problems import PROBLEM_TYPES
from procvars.api.http.services import services
from procvars.commands.history_import import Outcome, Taken
from procvars.domain.errors import DomainError, HistoryConflict, StoreUnavailable
from procvars.domain.imported_steps import History

router = APIRouter(tags=["execution"])

_ENGINE, _WALTER = {"user": "engine", "name": "Engine"}, {"user": "walter", "name": "Walter Workspace"}
_LINES = [
    {
        "id": "loan-7",
        "events": [
            {
                "type": "InstanceStarted",
                "time": "2024-03-01T09:00:00Z",
                "actor": _ENGINE,
                "payload": {"definition": "loan", "variables": {"income": 50000}},
            },
            {
                "type": "ProcessVariablesModified",
                "time": "2024-03-02T10:30:00Z",
                "actor": _WALTER,
                "payload": {"variables": {"income": 75000}, "reason": "typing error"},
            },
        ],
    }
]
_REPORT = {
    "lines": 3, "imported": 1, "events": 2, "skipped": 1, "conflicts": 0, "refused": 1, "position": 4712,
    "errors": [
        {
            "line": 3, "id": "loan-9", "type": "urn:procvars:invalid-history", "version": 2,
            "title": "The history of an instance cannot have happened", "detail": "It changes nothing.",
        }
    ],
    "errors_omitted": 0,
}  # fmt: skip


@dataclass(slots=True)
class ImportReport:
    """Answer to an import; every line is one of imported, skipped, conflicts and refused."""

    lines: int = 0
    imported: int = 0
    events: int = 0
    """Events of those that were imported."""
    skipped: int = 0
    """Instances that were here already with the same history."""
    conflicts: int = 0
    """Instances that were here already with another history."""
    refused: int = 0
    position: int = 0
    """Position of the newest event that was appended; 0 where there is none."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    errors_omitted: int = 0

    def add(self, number: int, instance_id: str | None, outcome: Outcome) -> None:
        self.lines += 1
        match outcome:
            case Taken(events=0):
                self.skipped += 1
            case Taken():
                self.imported += 1
                self.events += outcome.events
                self.position = max(self.position, outcome.position)
            case HistoryConflict():
                self.conflicts += 1
                self._tell(number, instance_id, outcome)
            case _:
                self.refused += 1
                self._tell(number, instance_id, outcome)

    def _tell(self, number: int, instance_id: str | None, error: DomainError) -> None:
        if len(self.errors) == MOST_ITEMS:
            self.errors_omitted += 1
            return
        problem = PROBLEM_TYPES[type(error)]
        whose = {} if instance_id is None else {"id": instance_id}
        told = {"type": problem.uri, "title": problem.title, "detail": error.detail, **error.members}
        self.errors.append({**bounded({**told, **whose}), "line": number})


@router.post(
    IMPORTS,
    responses={
        200: {"description": "What became of the lines.", "content": {"application/json": {"example": _REPORT}}},
        **problems(*(slug for slug in COMMANDS if slug not in ("instance-not-found", "instance-archived"))),
    },
    openapi_extra=lines(_LINES, HistoryLine),
)
async def import_instances(request: Request, caller: Engine) -> Response:
    """Import instances with their history, one on each line, with the times, users and versions that they have elsewhere.

    An instance is imported as a whole or not at all, and a line that is refused stops no other. Sending lines again changes
    nothing: an instance that is here with the same history is skipped. So whatever ended an import, it is continued by
    sending all of it again. The body may be of any length, and is worked on while it arrives.
    """
    media_type(request, [NDJSON], header="Accept")
    longest = longest_line(services(request).settings.max_document_bytes)
    report = ImportReport()
    async for found in complete_lines(request.stream(), longest):
        await _import(request, caller, found, longest, report)
    return answer(report)


async def _import(request: Request, caller: Engine, found: Sequence[Line], longest: int, report: ImportReport) -> None:
    """Import some lines. Raises StoreUnavailable, with `line`, the first that may not have been imported."""
    histories: list[tuple[int, History]] = []
    for line in found:
        try:
            if line.text is None:
                raise LineTooLong(limit=longest)
            histories.append((line.number, read_line(line.text)))
        except DomainError as error:
            report.add(line.number, None, error)
    try:
        outcomes = await services(request).history_import.take(caller, [history for _, history in histories])
    except StoreUnavailable as error:
        error.members["line"] = found[0].number
        raise
    for (number, history), outcome in zip(histories, outcomes, strict=True):
        report.add(number, history.id, outcome)
