"""Instances of the demo bank: stuck processes, each explained by its title and its notes, among others that run well.

One seeded generator creates all of it, so that everybody's demo has the same customers with the same ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from procvars.api.demo import documents
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.numbers import fraction, integer
from procvars.domain.documents.values import Document, Json
from procvars.domain.instance_status import InstanceStatus


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
    """Answer to the earlier call of that name."""

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
        documents.loan(random, "Maria Alvarez"),
        "Customer typed an income of 50000; the payslips say 75000. The house number is missing, too.",
        {"application": {"income": 50000, "amount": 30000, "address": {"street": "Main St"}}},
    )
    review = OpenTask("Review affordability", "review-application", "clerk-07", {"queue": "loans"})
    title = "Maria Alvarez: income of 50000 instead of 75000"
    yield DemoInstance("loan-1001", "loan-application", title, document, (review,))

    document = _story(
        documents.loan(random, "Tomasz Nowak"),
        "The credit bureau has been down since Monday; the process waits for integration.responseReceived.",
        {"integration": {"responseReceived": False, "creditCheckStatus": "pending"}},
    )
    call = CallIntegration("credit-bureau", {"applicant": "Tomasz Nowak", "timeoutSeconds": 30})
    title = "Tomasz Nowak: credit check never answered"
    yield DemoInstance(
        "loan-1002", "loan-application", title, document, (TakeNavigationSnapshot("application-form"), call)
    )

    document = _story(
        documents.loan(random, "Aisha Rahman"),
        "The decision now needs application.sourceOfFunds, which the form did not ask for when this case began.",
        {},
    )
    task = OpenTask("Decide on the loan", "decision-gateway", None, {"missing": ["application.sourceOfFunds"]})
    yield DemoInstance("loan-1003", "loan-application", "Aisha Rahman: source of funds is missing", document, (task,))

    document = _story(
        documents.loan(random, "José García"),
        "Cannot be found under category 'loans': a test importer wrote 'loans_test', priority and segment are wrong.",
        {"searchableData": {"category": "loans_test", "priority": "low", "customerSegment": "unknown"}},
    )
    yield DemoInstance("loan-1004", "loan-application", "José García: filed under loans_test", document)

    document = _story(
        documents.loan(random, "Ingrid Lindqvist"),
        "The subprocess has its own copy of the values; changing them here does not change them there.",
        {"application": {"amount": 35000, "termMonths": 48}},
    )
    steps: tuple[Step, ...] = (
        TakeNavigationSnapshot("application-form"),
        StartSubprocess("credit-check", ("customer", "creditCheck", "searchableData")),
        OpenTask("Compare appraisals", "appraisal", "clerk-03", {"ticket": "OPS-318"}),
    )
    yield DemoInstance("loan-1005", "loan-application", "Ingrid Lindqvist: term renegotiated", document, steps)

    document = _story(
        documents.loan(random, "Kenji Tanaka"), "On hold until the customer has found the missing payslip.", {}
    )
    hold = ChangeStatus(InstanceStatus.ON_HOLD)
    yield DemoInstance("loan-1006", "loan-application", "Kenji Tanaka: waits for a payslip", document, (hold,))


def _stuck_credit_checks(random: Random) -> Iterator[DemoInstance]:
    wrong: Document = {"score": 520, "status": "rejected", "provider": "ExternalCreditBureau", "manualReview": True}
    document = _story(
        documents.credit_check(random, "Elena Popescu"),
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
        documents.credit_check(random, "Björn Müller"),
        "The bureau answered without a status; the gateway finds no branch for that.",
        {"creditCheck": {"provider": "ExternalCreditBureau", "status": None}},
    )
    yield DemoInstance("credit-2002", "credit-check", "Björn Müller: answer without a status", document)


def _stuck_onboardings(random: Random) -> Iterator[DemoInstance]:
    document = _story(
        documents.onboarding(random, "Jane Smiht"),
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
        documents.onboarding(random, "Zoë Adeyemi"),
        "Month and day of the birth date were swapped by the scanner: she was born on 1988-04-11.",
        {"customer": {"birthDate": "1988-11-04"}, "onboarding": {"identityVerified": False}},
    )
    call = CallIntegration("identity-provider", {"name": "Zoë Adeyemi", "birthDate": "1988-11-04"})
    yield DemoInstance("onboarding-3002", "customer-onboarding", "Zoë Adeyemi: birth date swapped", document, (call,))


def _stuck_accounts(random: Random) -> Iterator[DemoInstance]:
    document = _story(
        documents.account(random, "Oluwaseun Nowak"),
        "request.testData and request.invalidObject came from a rehearsal; the core system refuses both.",
        {"request": {"testData": {"run": 17, "user": "qa-robot"}, "invalidObject": {"ref": "", "items": [{}, {}]}}},
    )
    task = OpenTask("Repair the request", "validation-failed", "clerk-05", {"attempts": 3})
    yield DemoInstance(
        "account-4001", "account-maintenance", "Oluwaseun Nowak: test data left behind", document, (task,)
    )

    document = _story(
        documents.account(random, "Elena Rahman"),
        "account.ledgerChecksum is an integer of the core system beyond 64 bits; it has to stay as it is.",
        {"account": {"ledgerChecksum": integer(str(2**70 + 12345678901)), "exchangeRate": fraction("1.10")}},
    )
    yield DemoInstance("account-4002", "account-maintenance", "Elena Rahman: approval is on paper", document)


def _priced_before_the_regulation(random: Random) -> Iterator[DemoInstance]:
    """Yield six alike, for a bulk modification: rate to 3.5, processing fee to 50, a regulatory fee of 25."""
    for number in range(5001, 5007):
        name = documents.full_name(random)
        document = _story(
            documents.pricing(random, name),
            "Regulation 2026/17: rate at most 3.5, processing fee 50, regulatory fee 25.",
            {"pricing": {"interestRate": 4.25, "fees": {"processing": 75}}},
        )
        task = OpenTask("Send the offer", "offer", None, {"regulation": "2026/17"})
        title = f"{name}: priced before the regulation"
        yield DemoInstance(f"pricing-{number}", "loan-pricing", title, document, (task,))


def _large(random: Random) -> Iterator[DemoInstance]:
    for number, months in ((6001, 360), (6002, 120)):
        name = documents.full_name(random)
        note = f"The first of {months} payments is due on a bank holiday; it has to move by a day."
        title = f"{name}: first payment due on a holiday"
        document = _story(documents.mortgage(random, name, months), note, {})
        steps = (OpenTask("Move the payment", "schedule", "clerk-09"), TakeNavigationSnapshot("schedule"))
        yield DemoInstance(f"mortgage-{number}", "mortgage-servicing", title, document, steps)
    for number, count in ((7001, 1180), (7002, 250)):
        name = documents.full_name(random)
        note = f"One of {count} transactions was booked twice; the duplicate keeps the dispute from closing."
        document = _story(documents.dispute(random, name, count, booked_twice=True), note, {})
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
            name = documents.full_name(random)
            document: Document
            match prefix:
                case "loan":
                    definition, document = "loan-application", documents.loan(random, name)
                case "credit":
                    definition, document = "credit-check", documents.credit_check(random, name)
                case "onboarding":
                    definition, document = "customer-onboarding", documents.onboarding(random, name)
                case "account":
                    definition, document = "account-maintenance", documents.account(random, name)
                case _:
                    definition, document = "payment-dispute", documents.dispute(random, name, 10 + 20 * index)
            ending = endings[index]
            steps: Sequence[Step] = [OpenTask("Confirm the data", "confirmation", f"clerk-{random.randint(1, 15):02}")]
            if ending is not None:
                steps = [*steps, ChangeStatus(ending)]
            yield DemoInstance(f"{prefix}-{first + index}", definition, name, document, tuple(steps))


def _story(document: Document, note: str, what_is_wrong: Document) -> Document:
    notes: list[Json] = [
        *documents.opening_notes(),
        {"at": documents.clock_time(4320), "author": "service-desk", "text": note},
    ]
    return json_patch.merge({**document, "caseNotes": notes}, what_is_wrong)
