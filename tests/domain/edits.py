"""An operator's edits, decided on an instance with the rules of a definition."""

from collections.abc import Mapping
from typing import Any

from procvars.domain.definition import Definition, Field, SearchField
from procvars.domain.document_policies import EditRules
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import (
    ApplyPatch,
    Change,
    Edit,
    EditOutcome,
    EditTerms,
    Preview,
    ReplaceDocument,
    decide_edit,
    preview_edit,
)
from procvars.domain.events import ProcessVariablesModified
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from tests.domain.given_when_then import Decision

INTEGER_INCOME: Json = {"properties": {"income": {"type": "integer"}}}
LOAN = Definition(
    "bank",
    "loan",
    1,
    "Loan",
    keywords=(Field("customer", "$.customer.name"),),
    search=(SearchField("income", "$.income", "number"), SearchField("city", "$.customer.city", "keyword")),
    task_fields=(Field("rating", "$.rating"),),
    json_schema=INTEGER_INCOME,
)
RULES = EditRules(LOAN, max_document_bytes=1000)


def put(document: Document, base_version: int, **terms: Any) -> Edit:
    return edit(ReplaceDocument(document), base_version, **terms)


def patch(operations: list[dict[str, Any]], base_version: int, **terms: Any) -> Edit:
    return edit(ApplyPatch(operations), base_version, **terms)


def edit(change: Change, base_version: int, **terms: Any) -> Edit:
    """`terms` by the names of `EditTerms`."""
    values: dict[str, Any] = {
        "rebase": False,
        "reason": "typing error",
        "url": "https://procvars.example/variables",
        "idempotency_key": None,
    }
    return Edit("put", change, None, EditTerms(base_version=base_version, **(values | terms)))


def outcome(
    instance: Instance,
    wish: Edit,
    provenance: Provenance,
    *,
    base: Document | None = None,
    children: Mapping[str, InstanceStatus] | None = None,
    rules: EditRules = RULES,
) -> EditOutcome:
    return decide_edit(instance, wish, provenance, rules=rules, child_statuses=children or {}, base=base)


def deciding(wish: Edit, **circumstances: Any) -> Decision:
    """Return the decision on an edit; `circumstances` by the names of `outcome`."""

    def decide(instance: Instance, provenance: Provenance) -> ProcessVariablesModified | None:
        return outcome(instance, wish, provenance, **circumstances).event

    return decide


def preview(instance: Instance, document: Document, children: Mapping[str, InstanceStatus] | None = None) -> Preview:
    return preview_edit(instance, ReplaceDocument(document), rules=RULES, child_statuses=children or {})
