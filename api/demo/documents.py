"""Documents of the demo bank's processes, created by a random number generator."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from procvars.domain.documents.values import Document, Json

_OPENED: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_FIRST_NAMES: Final = ("Maria", "Tomasz", "Aisha", "José", "Ingrid", "Kenji", "Zoë", "Oluwaseun", "Elena", "Björn")
_LAST_NAMES: Final = ("Alvarez", "Nowak", "Rahman", "García", "Lindqvist", "Tanaka", "Müller", "Adeyemi", "Popescu")
_CITIES: Final = (("New York", "NY", "10001"), ("Austin", "TX", "73301"), ("Portland", "OR", "97201"))
_MERCHANTS: Final = (
    "Corner Bakery",
    "Metro Transit",
    "Alpine Energy",
    "Blue Harbor Books",
    "Green Grocer",
    "City Water",
)
_PURPOSES: Final = ("kitchen renovation", "used electric car", "solar panels on the roof", "university tuition fees")


def loan(random: Random, name: str) -> Document:
    kinds = ("payslip", "identity-card", "bank-statement", "employment-contract")
    documents: list[Json] = [
        {
            "type": kind,
            "fileName": f"{kind}-{page}.pdf",
            "pages": page,
            "receivedAt": clock_time(page * 45),
            "verified": True,
        }
        for page, kind in enumerate(kinds, start=1)
    ]
    customer = _customer(random, name)
    return {
        "application": {
            "id": f"APP-{random.randint(100000, 999999)}",
            "submittedAt": clock_time(random.randint(0, 4000)),
            "amount": random.randrange(5000, 60000, 500),
            "currency": "USD",
            "termMonths": random.choice((24, 36, 48, 60)),
            "income": random.randrange(40000, 140000, 1000),
            "purpose": random.choice(_PURPOSES),
            "customer": {"name": name, "email": customer["email"], "phone": customer["phone"]},
            "address": customer["address"],
            "documents": documents,
        },
        "customer": customer,
        "integration": {"responseReceived": True, "creditCheckStatus": "completed"},
        "creditCheck": _credit(random),
        "pricing": {"interestRate": random.choice((3.25, 3.5, 4.0)), "fees": {"processing": 75}, "riskFactor": 1.0},
        **_filed(random, "loans"),
    }


def credit_check(random: Random, name: str) -> Document:
    return {"customer": _customer(random, name), "creditCheck": _credit(random), **_filed(random, "credit")}


def pricing(random: Random, name: str) -> Document:
    return {
        "customer": _customer(random, name),
        "pricing": {
            "product": random.choice(("personal-loan", "car-loan")),
            "interestRate": 4.25,
            "fees": {"processing": 75},
            "validUntil": "2026-06-30",
            "approved": False,
            "tiers": [{"from": step * 10000, "margin": 0.25 * step, "discount": 0.0} for step in range(1, 9)],
        },
        **_filed(random, "pricing"),
    }


def onboarding(random: Random, name: str) -> Document:
    checks: list[Json] = [
        {"check": check, "result": "passed", "source": "identity-provider", "at": clock_time(30 * index)}
        for index, check in enumerate(("sanctions", "politically-exposed", "address", "duplicate-customer", "device"))
    ]
    return {
        "customer": _customer(random, name),
        "onboarding": {
            "occupation": random.choice(("primary school teacher", "software engineer", "self-employed carpenter")),
            "identityVerified": True,
            "riskScore": round(random.uniform(0, 30), 2),
            "checks": checks,
        },
        **_filed(random, "onboarding"),
    }


def account(random: Random, name: str) -> Document:
    return {
        "customer": _customer(random, name),
        "account": {"balance": round(random.uniform(100, 20000), 2), "currency": "USD", "exchangeRate": 1.0},
        "request": {
            "type": random.choice(("address-change", "limit-increase", "card-replacement")),
            "requestedAt": clock_time(random.randint(0, 4000)),
            "urgent": random.random() < 0.3,
            "description": "Customer asks by secure message; the identity was confirmed with the card reader.",
        },
        "recentTransactions": _transactions(random, 6),
        **_filed(random, "accounts"),
    }


def mortgage(random: Random, name: str, months: int) -> Document:
    principal = random.randrange(120000, 600000, 5000)
    share = round(principal / months, 2)
    schedule: list[Json] = []
    for number in range(1, months + 1):
        remaining = round(principal - share * (number - 1), 2)
        due = date(2026 + (number + 2) // 12, (number + 2) % 12 + 1, 1).isoformat()
        interest = round(remaining * 0.035 / 12, 2)
        row: Document = {"number": number, "due": due, "principal": share, "interest": interest, "remaining": remaining}
        schedule.append({**row, "status": "planned", "reference": f"MTG{random.randrange(10**10):010}"})
    contract = f"MTG-{random.randint(10000, 99999)}"
    return {
        "customer": _customer(random, name),
        "mortgage": {"contract": contract, "principal": principal, "inArrears": False, "schedule": schedule},
        "pricing": {"interestRate": 3.5},
        **_filed(random, "mortgages"),
    }


def dispute(random: Random, name: str, count: int, *, booked_twice: bool = False) -> Document:
    transactions = _transactions(random, count)
    if booked_twice:
        transactions.insert(count // 2, transactions[count // 2])
    return {
        "customer": _customer(random, name),
        "dispute": {
            "merchant": random.choice(_MERCHANTS),
            "amount": round(random.uniform(5, 900), 2),
            "disputedAt": clock_time(random.randint(0, 4000)),
            "refunded": False,
            "statement": "I did not make this purchase; the card was with me all the time.",
        },
        "transactions": transactions,
        **_filed(random, "disputes"),
    }


def _transactions(random: Random, count: int) -> list[Json]:
    return [
        {
            "id": f"TX{random.randrange(10**14):014}",
            "bookedAt": clock_time(-97 * number),
            "merchant": random.choice(_MERCHANTS),
            "amount": round(random.uniform(-400, 400), 2),
            "currency": "USD",
            "status": "booked",
            "channel": random.choice(("card", "transfer", "direct-debit")),
        }
        for number in range(count)
    ]


def _customer(random: Random, name: str) -> Document:
    city, state, zip_code = random.choice(_CITIES)
    return {
        "name": name,
        "accountNumber": f"ACC-{random.randint(10000, 99999)}",
        "status": "active",
        "taxId": f"{random.randint(100, 899)}-{random.randint(10, 99)}-{random.randint(1000, 9999)}",
        "birthDate": date(random.randint(1955, 2004), random.randint(1, 12), random.randint(1, 28)).isoformat(),
        "email": f"customer{random.randint(1000, 9999)}@example.com",
        "phone": f"+1-555-010-{random.randint(0, 9999):04}",
        "address": {"street": f"{random.randint(1, 400)} Main St", "city": city, "state": state, "zip": zip_code},
        "consents": {"marketing": random.random() < 0.5, "dataSharing": True, "updatedAt": clock_time(-9000)},
    }


def _credit(random: Random) -> Document:
    findings: list[Json] = [
        {"code": f"F{index}", "description": text, "weight": 1.0}
        for index, text in enumerate(("No late payments in 24 months", "Two open credit cards", "Address confirmed"))
    ]
    return {
        "provider": random.choice(("ExternalCreditBureau", "NationalRegister")),
        "score": random.randint(640, 820),
        "status": "approved",
        "checkedAt": clock_time(random.randint(0, 4000)),
        "manualReview": False,
        "findings": findings,
    }


def _filed(random: Random, category: str) -> Document:
    return {
        "searchableData": {
            "category": category,
            "priority": random.choice(("low", "normal", "high")),
            "customerSegment": random.choice(("standard", "premium", "private")),
        },
        "caseNotes": opening_notes(),
    }


def opening_notes() -> list[Json]:
    return [
        {
            "at": clock_time(0),
            "author": "process",
            "text": "Case opened from the online channel; all consents are on file.",
        },
        {"at": clock_time(15), "author": "process", "text": "Routed to the regional team, who answer within two days."},
        {
            "at": clock_time(40),
            "author": "service-desk",
            "text": "Nothing to do for us: the customer has been informed.",
        },
    ]


def full_name(random: Random) -> str:
    return f"{random.choice(_FIRST_NAMES)} {random.choice(_LAST_NAMES)}"


def clock_time(minutes: int) -> str:
    """Return the time `minutes` after the bank's first morning."""
    return (_OPENED + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
