"""Process definitions of a small bank, as `PUT W/definitions/{key}` takes them.

The paths are those that operators of such processes correct most: who the customer is, what a search finds a case by,
and what a decision depends on. `instances` has a stuck process for each of them.
"""

from collections.abc import Mapping
from typing import Final

from procvars.domain.definition import SearchType
from procvars.domain.documents.values import Document, Json


def _fields(paths: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "path": path} for key, path in paths.items()]


def _search(paths: Mapping[str, tuple[SearchType, str]]) -> list[Json]:
    return [{"key": key, "path": path, "type": search_type} for key, (search_type, path) in paths.items()]


# Every definition has these, so that one search covers the whole workspace.
_COMMON_SEARCH: Final[dict[str, tuple[SearchType, str]]] = {
    "category": ("keyword", "$.searchableData.category"),
    "priority": ("keyword", "$.searchableData.priority"),
    "customerSegment": ("keyword", "$.searchableData.customerSegment"),
    "accountNumber": ("keyword", "$.customer.accountNumber"),
    "notes": ("text", "$.caseNotes[*].text"),
}

_CUSTOMER_KEYWORDS: Final[dict[str, str]] = {
    "customerName": "$.customer.name",
    "accountNumber": "$.customer.accountNumber",
    "customerStatus": "$.customer.status",
}

# Loose: it refuses only what no step could work with, and leaves the rest to the operator.
_LOAN_SCHEMA: Final[Document] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["application", "customer"],
    "properties": {
        "application": {
            "type": "object",
            "required": ["income", "amount", "customer"],
            "properties": {
                "income": {"type": "number", "minimum": 0},
                "amount": {"type": "number", "exclusiveMinimum": 0},
                "termMonths": {"type": "integer", "minimum": 1, "maximum": 480},
                "customer": {"type": "object", "required": ["name"]},
            },
        },
        "integration": {
            "type": "object",
            "properties": {"responseReceived": {"type": "boolean"}, "creditCheckStatus": {"type": "string"}},
        },
    },
}

DEFINITIONS: Final[dict[str, Document]] = {
    "loan-application": {
        "name": "Loan application",
        "keywords": _fields(
            {"customerName": "$.application.customer.name", "accountNumber": "$.customer.accountNumber"}
        ),
        "search": _search(
            {
                **_COMMON_SEARCH,
                "income": ("number", "$.application.income"),
                "amount": ("number", "$.application.amount"),
                "interestRate": ("number", "$.pricing.interestRate"),
                "submittedAt": ("date", "$.application.submittedAt"),
                "creditCheckAnswered": ("boolean", "$.integration.responseReceived"),
                "purpose": ("text", "$.application.purpose"),
                "documentTypes": ("keyword", "$.application.documents[*].type"),
            }
        ),
        "task_fields": _fields(
            {
                "amount": "$.application.amount",
                "income": "$.application.income",
                "city": "$.application.address.city",
                "creditCheckStatus": "$.integration.creditCheckStatus",
            }
        ),
        "schema": _LOAN_SCHEMA,
    },
    "credit-check": {
        "name": "Credit check",
        "keywords": _fields({"customerName": "$.customer.name", "provider": "$.creditCheck.provider"}),
        "search": _search(
            {
                **_COMMON_SEARCH,
                "score": ("number", "$.creditCheck.score"),
                "creditStatus": ("keyword", "$.creditCheck.status"),
                "checkedAt": ("date", "$.creditCheck.checkedAt"),
                "manualReview": ("boolean", "$.creditCheck.manualReview"),
                "findings": ("text", "$.creditCheck.findings[*].description"),
            }
        ),
        "task_fields": _fields({"score": "$.creditCheck.score", "creditStatus": "$.creditCheck.status"}),
    },
    "loan-pricing": {
        "name": "Loan pricing",
        "keywords": _fields(_CUSTOMER_KEYWORDS),
        "search": _search(
            {
                **_COMMON_SEARCH,
                "interestRate": ("number", "$.pricing.interestRate"),
                "processingFee": ("number", "$.pricing.fees.processing"),
                "product": ("keyword", "$.pricing.product"),
                "validUntil": ("date", "$.pricing.validUntil"),
                "approved": ("boolean", "$.pricing.approved"),
            }
        ),
        "task_fields": _fields({"interestRate": "$.pricing.interestRate", "fees": "$.pricing.fees"}),
    },
    "customer-onboarding": {
        "name": "Customer onboarding",
        "keywords": _fields({**_CUSTOMER_KEYWORDS, "taxId": "$.customer.taxId"}),
        "search": _search(
            {
                **_COMMON_SEARCH,
                "birthDate": ("date", "$.customer.birthDate"),
                "city": ("keyword", "$.customer.address.city"),
                "occupation": ("text", "$.onboarding.occupation"),
                "identityVerified": ("boolean", "$.onboarding.identityVerified"),
                "riskScore": ("number", "$.onboarding.riskScore"),
            }
        ),
        "task_fields": _fields({"email": "$.customer.email", "city": "$.customer.address.city"}),
    },
    "account-maintenance": {
        "name": "Account maintenance",
        "keywords": _fields({**_CUSTOMER_KEYWORDS, "requestType": "$.request.type"}),
        "search": _search(
            {
                **_COMMON_SEARCH,
                "requestType": ("keyword", "$.request.type"),
                "requestedAt": ("date", "$.request.requestedAt"),
                "urgent": ("boolean", "$.request.urgent"),
                "balance": ("number", "$.account.balance"),
                "description": ("text", "$.request.description"),
            }
        ),
        "task_fields": _fields({"requestType": "$.request.type", "balance": "$.account.balance"}),
    },
    "mortgage-servicing": {
        "name": "Mortgage servicing",
        "keywords": _fields({**_CUSTOMER_KEYWORDS, "contract": "$.mortgage.contract"}),
        "search": _search(
            {
                **_COMMON_SEARCH,
                "principal": ("number", "$.mortgage.principal"),
                "interestRate": ("number", "$.pricing.interestRate"),
                "firstPayment": ("date", "$.mortgage.schedule[0].due"),
                "inArrears": ("boolean", "$.mortgage.inArrears"),
            }
        ),
        "task_fields": _fields({"contract": "$.mortgage.contract", "nextPayment": "$.mortgage.schedule[0]"}),
    },
    "payment-dispute": {
        "name": "Payment dispute",
        "keywords": _fields({**_CUSTOMER_KEYWORDS, "merchant": "$.dispute.merchant"}),
        "search": _search(
            {
                **_COMMON_SEARCH,
                "amount": ("number", "$.dispute.amount"),
                "disputedAt": ("date", "$.dispute.disputedAt"),
                "refunded": ("boolean", "$.dispute.refunded"),
                "statement": ("text", "$.dispute.statement"),
            }
        ),
        "task_fields": _fields({"merchant": "$.dispute.merchant", "amount": "$.dispute.amount"}),
    },
}
"""Key → body of the definition."""
