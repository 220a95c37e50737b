"""Documents as processes have them: a loan application of 2 KB, and one that has grown to 1 MB."""

import json
import random
from typing import Any

_WORDS = [
    "salary",
    "loan",
    "customer",
    "approved",
    "pending",
    "review",
    "collateral",
    "branch",
    "office",
    "rate",
    "document",
    "income",
    "request",
]


def loan_application(income: int, seed: int = 0) -> dict[str, Any]:
    """About 2 KB as compact JSON. Other seeds are other customers."""
    pick = random.Random(seed)
    return {
        "customer": {
            "name": f"Customer {pick.randrange(10**6)}",
            "accountNumber": f"RO{pick.randrange(10**20):020}",
            "address": {"street": f"{pick.choice(_WORDS).title()} Street {pick.randrange(200)}", "city": "Bucharest"},
            "email": f"customer.{pick.randrange(10**6)}@example.org",
        },
        "application": {"income": income, "status": "pending", "currency": "EUR", "termMonths": pick.randrange(240)},
        "pricing": {"interestRate": pick.randrange(900) / 100, "fees": [pick.randrange(500) for _ in range(4)]},
        "creditCheck": {"status": "ok", "score": pick.randrange(900), "reference": f"{pick.getrandbits(128):032x}"},
        "searchableData": {"category": pick.choice(_WORDS)},
        "documents": [
            {
                "id": f"{pick.getrandbits(64):016x}",
                "title": " ".join(pick.choices(_WORDS, k=4)),
                "pages": pick.randrange(30),
                "checked": pick.random() < 0.5,
            }
            for _ in range(13)
        ],
        "notes": " ".join(pick.choices(_WORDS, k=30)),
    }


def as_json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def portfolio(income: int, applications: int) -> dict[str, Any]:
    """About 1.9 KB as compact JSON for each application; only the income differs between two of them."""
    return {"income": income, "cases": {f"case{n}": loan_application(50_000, seed=n) for n in range(applications)}}


def megabyte(income: int) -> dict[str, Any]:
    """About 1 MB as compact JSON; only the income differs between two of them."""
    return portfolio(income, 560)
