"""What a bulk modification does, as the database keeps it: JSON in one column, exact as documents are."""

from typing import cast

from procvars.domain.bulk.change import change_of
from procvars.domain.bulk.job import BulkJob
from procvars.domain.documents.documents import encode, parse_document
from procvars.domain.documents.values import Document
from procvars.domain.provenance import Caller

SPEC_COLUMNS = "id, workspace, spec, dry_run, total"


def spec_of(job: BulkJob) -> str:
    """Return the text of the column `spec`."""
    spec: Document = {
        "user": job.caller.user,
        "user_name": job.caller.user_name,
        "request": job.request,
        "url": job.url,
        "digest": job.digest,
        "undoes": job.undoes,
    }
    return encode(spec).decode()


def job_of(job_id: str, workspace: str, spec: str, dry_run: bool, total: int) -> BulkJob:
    """Return the job of a row of `SPEC_COLUMNS`."""
    kept = parse_document(spec.encode())
    request = cast(Document, kept["request"])
    return BulkJob(
        id=job_id,
        caller=Caller(workspace, str(kept["user"]), str(kept["user_name"])),
        request=request,
        change=change_of(request),
        url=str(kept["url"]),
        digest=str(kept["digest"]),
        total=total,
        dry_run=dry_run,
        undoes=None if kept["undoes"] is None else str(kept["undoes"]),
    )
