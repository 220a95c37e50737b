"""Instances of the demo bank: stuck processes, each told by its title and its notes, among others that run well.

All of it comes from one seeded generator, so that everybody's demo has the same customers under the same ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from domain import json_patch
from domain.documents import Document, Json
from domain.instance_status import InstanceStatus


@dataclass(frozen=True, slots=True)
class OpenTask:
    title: str
    node: str
    assignee: str | None = None
    metadata: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallIntegration:
    name: str
    request: Json


@dataclass(frozen=True, slots=True)
class AnswerIntegration:
    """Ends the wait of the call of that name, which comes before it."""

    name: str
    response: Json


@dataclass(frozen=True, slots=True)
class StartSubprocess:
    definition: str
    params_to_copy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakeNavigationSnapshot:
    node: str


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    status: InstanceStatus


Step = OpenTask | CallIntegration | AnswerIntegration | StartSubprocess | TakeNavigationSnapshot | ChangeStatus


@dataclass(frozen=True, slots=True)
class DemoInstance:
    id: str
    definition: str
    title: str
    variables: Document
    steps: tuple[Step, ...] = ()


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


def demo_instances(seed: int = 2026) -> Iterator[DemoInstance]:
    """Yield 40 instances, the same for the same seed."""
    random = Random(seed)
    yield from _stuck_loans(random)
    yield from _stuck_credit_checks(random)
    yield from _stuck_onboardings(random)
    yield from _stuck_accounts(random)
    yield from _priced_before_the_regulation(random)
    yield from _large(random)
    yield from _running_well(random)


def _stuck_loans(random: Random) -> Iterator[DemoInstance]:
    document = _story(
        _loan(random, "Maria Alvarez"),
        "Customer typed an income of 50000; the payslips say 75000. The house number is missing, too.",
        {"application": {"income": 50000, "amount": 30000, "address": {"street": "Main St"}}},
    )
    review = OpenTask("Review affordability", "review-application", "clerk-07", {"queue": "loans"})
    title = "Maria Alvarez: income of 50000 instead of 75000"
    yield DemoInstance("loan-1001", "loan-application", title, document, (review,))

    document = _story(
        _loan(random, "Tomasz Nowak"),
        "The credit bureau has been down since Monday; the process waits for integration.responseReceived.",
        {"integration": {"responseReceived": False, "creditCheckStatus": "pending"}},
    )
    call = CallIntegration("credit-bureau", {"applicant": "Tomasz Nowak", "timeoutSeconds": 30})
    title = "Tomasz Nowak: credit check never answered"
    yield DemoInstance(
        "loan-1002", "loan-application", title, document, (TakeNavigationSnapshot("application-form"), call)
    )

    document = _story(
        _loan(random, "Aisha Rahman"),
        "The decision now needs application.sourceOfFunds, which the form did not ask for when this case began.",
        {},
    )
    task = OpenTask("Decide on the loan", "decision-gateway", None, {"missing": ["application.sourceOfFunds"]})
    yield DemoInstance("loan-1003", "loan-application", "Aisha Rahman: source of funds is missing", document, (task,))

    document = _story(
        _loan(random, "José García"),
        "Cannot be found under category 'loans': a test importer wrote 'loans_test', priority and segment are wrong.",
        {"searchableData": {"category": "loans_test", "priority": "low", "customerSegment": "unknown"}},
    )
    yield DemoInstance("loan-1004", "loan-application", "José García: filed under loans_test", document)

    document = _story(
        _loan(random, "Ingrid Lindqvist"),
        "The subprocess has its own copy of the values; changing them here does not change them there.",
        {"application": {"amount": 35000, "termMonths": 48}},
    )
    steps: tuple[Step, ...] = (
        TakeNavigationSnapshot("application-form"),
        StartSubprocess("credit-check", ("customer", "creditCheck", "searchableData")),
        OpenTask("Compare appraisals", "appraisal", "clerk-03", {"ticket": "OPS-318"}),
    )
    yield DemoInstance("loan-1005", "loan-application", "Ingrid Lindqvist: term renegotiated", document, steps)

    document = _story(_loan(random, "Kenji Tanaka"), "On hold until the customer has found the missing payslip.", {})
    hold = ChangeStatus(InstanceStatus.ON_HOLD)
    yield DemoInstance("loan-1006", "loan-application", "Kenji Tanaka: waits for a payslip", document, (hold,))


def _stuck_credit_checks(random: Random) -> Iterator[DemoInstance]:
    wrong: Document = {"score": 520, "status": "rejected", "provider": "ExternalCreditBureau", "manualReview": True}
    document = _story(
        _credit_check(random, "Elena Popescu"),
        "The bureau confirmed a mix-up of two persons: the score is 720 and the check approved.",
        {"creditCheck": wrong},
    )
    steps: tuple[Step, ...] = (
        CallIntegration("credit-bureau", {"taxId": "548-22-9017"}),
        AnswerIntegration("credit-bureau", wrong),
        OpenTask("Check the rejected score", "manual-review", "clerk-11"),
    )
    yield DemoInstance("credit-2001", "credit-check", "Elena Popescu: score 520 instead of 720", document, steps)

    document = _story(
        _credit_check(random, "Björn Müller"),
        "The bureau answered without a status; the gateway finds no branch for that.",
        {"creditCheck": {"provider": "ExternalCreditBureau", "status": None}},
    )
    yield DemoInstance("credit-2002", "credit-check", "Björn Müller: answer without a status", document)


def _stuck_onboardings(random: Random) -> Iterator[DemoInstance]:
    document = _story(
        _onboarding(random, "Jane Smiht"),
        "Her name is Jane Smith and her account ACC-98765; nobody finds her tasks under either.",
        {
            "customer": {
                "name": "Jane Smiht",
                "accountNumber": "ACC-98756",
                "status": "pending",
                "email": "jane.smith@example",
            }
        },
    )
    steps = (
        OpenTask("Call the customer", "welcome-call", "clerk-02", {"channel": "phone"}),
        OpenTask("Check the identity card", "identity-check", None, {"document": "identity-card"}),
    )
    yield DemoInstance("onboarding-3001", "customer-onboarding", "Jane Smiht: name misspelled", document, steps)

    document = _story(
        _onboarding(random, "Zoë Adeyemi"),
        "Month and day of the birth date were swapped by the scanner: she was born on 1988-04-11.",
        {"customer": {"birthDate": "1988-11-04"}, "onboarding": {"identityVerified": False}},
    )
    call = CallIntegration("identity-provider", {"name": "Zoë Adeyemi", "birthDate": "1988-11-04"})
    yield DemoInstance("onboarding-3002", "customer-onboarding", "Zoë Adeyemi: birth date swapped", document, (call,))


def _stuck_accounts(random: Random) -> Iterator[DemoInstance]:
    document = _story(
        _account(random, "Oluwaseun Nowak"),
        "request.testData and request.invalidObject came from a rehearsal; the core system refuses both.",
        {"request": {"testData": {"run": 17, "user": "qa-robot"}, "invalidObject": {"ref": "", "items": [{}, {}]}}},
    )
    task = OpenTask("Repair the request", "validation-failed", "clerk-05", {"attempts": 3})
    yield DemoInstance(
        "account-4001", "account-maintenance", "Oluwaseun Nowak: test data left behind", document, (task,)
    )

    document = _story(
        _account(random, "Elena Rahman"),
        "account.ledgerChecksum is an integer of the core system beyond 64 bits; it has to stay as it is.",
        {"account": {"ledgerChecksum": 2**70 + 12345678901, "exchangeRate": 1.0}},
    )
    yield DemoInstance("account-4002", "account-maintenance", "Elena Rahman: approval is on paper", document)


def _priced_before_the_regulation(random: Random) -> Iterator[DemoInstance]:
    """Six alike, for a bulk modification: rate to 3.5, processing fee to 50, a regulatory fee of 25."""
    for number in range(5001, 5007):
        name = _name(random)
        document = _story(
            _pricing(random, name),
            "Regulation 2026/17: rate at most 3.5, processing fee 50, regulatory fee 25.",
            {"pricing": {"interestRate": 4.25, "fees": {"processing": 75}}},
        )
        task = OpenTask("Send the offer", "offer", None, {"regulation": "2026/17"})
        title = f"{name}: priced before the regulation"
        yield DemoInstance(f"pricing-{number}", "loan-pricing", title, document, (task,))


def _large(random: Random) -> Iterator[DemoInstance]:
    for number, months in ((6001, 360), (6002, 120)):
        name = _name(random)
        note = f"The first of {months} payments is due on a bank holiday; it has to move by a day."
        title = f"{name}: first payment due on a holiday"
        document = _story(_mortgage(random, name, months), note, {})
        steps = (OpenTask("Move the payment", "schedule", "clerk-09"), TakeNavigationSnapshot("schedule"))
        yield DemoInstance(f"mortgage-{number}", "mortgage-servicing", title, document, steps)
    for number, count in ((7001, 1180), (7002, 250)):
        name = _name(random)
        note = f"One of {count} transactions was booked twice; the duplicate keeps the dispute from closing."
        document = _story(_dispute(random, name, count, booked_twice=True), note, {})
        task = OpenTask("Settle the dispute", "settlement", "clerk-14", {"network": "card"})
        yield DemoInstance(f"dispute-{number}", "payment-dispute", f"{name}: booked twice", document, (task,))


def _running_well(random: Random) -> Iterator[DemoInstance]:
    endings = (None, InstanceStatus.FINISHED, None, InstanceStatus.FAILED, None, InstanceStatus.TERMINATED)
    kinds = (
        ("loan", 1101, 6),
        ("credit", 2101, 3),
        ("onboarding", 3101, 3),
        ("account", 4101, 3),
        ("dispute", 7101, 3),
    )
    for prefix, first, count in kinds:
        for index in range(count):
            name = _name(random)
            document: Document
            match prefix:
                case "loan":
                    definition, document = "loan-application", _loan(random, name)
                case "credit":
                    definition, document = "credit-check", _credit_check(random, name)
                case "onboarding":
                    definition, document = "customer-onboarding", _onboarding(random, name)
                case "account":
                    definition, document = "account-maintenance", _account(random, name)
                case _:
                    definition, document = "payment-dispute", _dispute(random, name, 10 + 20 * index)
            ending = endings[index]
            steps: Sequence[Step] = [OpenTask("Confirm the data", "confirmation", f"clerk-{random.randint(1, 15):02}")]
            if ending is not None:
                steps = [*steps, ChangeStatus(ending)]
            yield DemoInstance(f"{prefix}-{first + index}", definition, name, document, tuple(steps))


def _story(document: Document, note: str, what_is_wrong: Document) -> Document:
    notes: list[Json] = [*_opening_notes(), {"at": _time(4320), "author": "service-desk", "text": note}]
    return json_patch.merge({**document, "caseNotes": notes}, what_is_wrong)


def _loan(random: Random, name: str) -> Document:
    kinds = ("payslip", "identity-card", "bank-statement", "employment-contract")
    documents: list[Json] = [
        {
            "type": kind,
            "fileName": f"{kind}-{page}.pdf",
            "pages": page,
            "receivedAt": _time(page * 45),
            "verified": True,
        }
        for page, kind in enumerate(kinds, start=1)
    ]
    customer = _customer(random, name)
    return {
        "application": {
            "id": f"APP-{random.randint(100000, 999999)}",
            "submittedAt": _time(random.randint(0, 4000)),
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


def _credit_check(random: Random, name: str) -> Document:
    return {"customer": _customer(random, name), "creditCheck": _credit(random), **_filed(random, "credit")}


def _pricing(random: Random, name: str) -> Document:
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


def _onboarding(random: Random, name: str) -> Document:
    checks: list[Json] = [
        {"check": check, "result": "passed", "source": "identity-provider", "at": _time(30 * index)}
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


def _account(random: Random, name: str) -> Document:
    return {
        "customer": _customer(random, name),
        "account": {"balance": round(random.uniform(100, 20000), 2), "currency": "USD", "exchangeRate": 1.0},
        "request": {
            "type": random.choice(("address-change", "limit-increase", "card-replacement")),
            "requestedAt": _time(random.randint(0, 4000)),
            "urgent": random.random() < 0.3,
            "description": "Customer asks by secure message; the identity was confirmed with the card reader.",
        },
        "recentTransactions": _transactions(random, 6),
        **_filed(random, "accounts"),
    }


def _mortgage(random: Random, name: str, months: int) -> Document:
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


def _dispute(random: Random, name: str, count: int, *, booked_twice: bool = False) -> Document:
    transactions = _transactions(random, count)
    if booked_twice:
        transactions.insert(count // 2, transactions[count // 2])
    return {
        "customer": _customer(random, name),
        "dispute": {
            "merchant": random.choice(_MERCHANTS),
            "amount": round(random.uniform(5, 900), 2),
            "disputedAt": _time(random.randint(0, 4000)),
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
            "bookedAt": _time(-97 * number),
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
        "consents": {"marketing": random.random() < 0.5, "dataSharing": True, "updatedAt": _time(-9000)},
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
        "checkedAt": _time(random.randint(0, 4000)),
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
        "caseNotes": _opening_notes(),
    }


def _opening_notes() -> list[Json]:
    return [
        {"at": _time(0), "author": "process", "text": "Case opened from the online channel; all consents are on file."},
        {"at": _time(15), "author": "process", "text": "Routed to the regional team, who answer within two days."},
        {"at": _time(40), "author": "service-desk", "text": "Nothing to do for us: the customer has been informed."},
    ]


def _name(random: Random) -> str:
    return f"{random.choice(_FIRST_NAMES)} {random.choice(_LAST_NAMES)}"


def _time(minutes: int) -> str:
    """`minutes` after the bank's first morning."""
    return (_OPENED + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
