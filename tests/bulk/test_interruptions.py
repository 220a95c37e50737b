"""Whatever happens to a bulk modification on its way, each instance is changed once."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx

from procvars.api.processes.memory import resident_bytes
from procvars.domain.documents.values import Document
from tests.api.bank import W
from tests.bulk.jobs import JOBS, counts, ended, order, results, status
from tests.bulk.many_instances import client, in_the_middle, site, worker_of
from tests.waiting import until

# Not idempotent: an instance that is changed twice has two.
APPEND = [{"op": "add", "path": "/list/-", "value": "x"}]
ALL = {"definitions": ["loan"]}
MANY = 3000


def test_killed_in_the_middle_and_finished(tmp_path: Path) -> None:
    """The worker is killed, its server starts another; then both are killed, and another server takes the job over."""
    with site(tmp_path, MANY) as bank:
        first = bank.start()
        with client(first) as api:
            bank.shown()
            job = order(api, ALL, patch=APPEND)
            in_the_middle(api, job["id"])
            worker = worker_of(first)
            assert worker is not None
            os.kill(worker, signal.SIGKILL)
            before = status(api, job["id"])["done"]
            until("another worker goes on", lambda: status(api, job["id"])["done"] > before)
            worker = worker_of(first)
            first.kill()
            if worker is not None:
                os.kill(worker, signal.SIGKILL)
        with client(bank.start()) as api:
            done = ended(api, job["id"])
            assert (done["state"], counts(done)) == ("done", {"changed": MANY})
            assert len(results(api, job["id"])) == MANY
        assert set(bank.versions()) == {2}
        assert all(document == {"list": ["x"]} for document in bank.documents())


def test_two_servers_and_edits_by_others_meanwhile(tmp_path: Path) -> None:
    """Jobs of two servers and single edits of the same instances: every one of them is there, once."""
    with site(tmp_path, MANY) as bank:
        servers = [bank.start(), bank.start()]
        with client(servers[0]) as one, client(servers[1]) as other:
            bank.shown()
            jobs = [order(api, ALL, patch=APPEND) for api in (one, other)]
            in_the_middle(one, jobs[0]["id"])
            edited = [f"i-{number}" for number in range(0, MANY, 50)]
            for api, instances in ((one, edited[::2]), (other, edited[1::2])):
                for instance in instances:
                    merge_until_done(api, instance)
            for job in jobs:
                assert counts(ended(one, job["id"])) == {"changed": MANY}
        assert sorted(bank.versions()) == [3] * (MANY - len(edited)) + [4] * len(edited)
        documents = bank.documents()
        assert all(document["list"] == ["x", "x"] for document in documents)
        assert sum(document.get("by_hand", 0) for document in documents) == len(edited)


def merge_until_done(api: httpx.Client, instance: str) -> None:
    """Edit as a person does: on the newest version, again where somebody was faster."""
    for _ in range(50):
        version = api.get(f"{W}/instances/{instance}/sync").json()["version"]
        headers = {"If-Match": f'"{version}"', "Content-Type": "application/merge-patch+json"}
        answer = api.patch(f"{W}/instances/{instance}/variables", content=b'{"by_hand":1}', headers=headers)
        if answer.is_success:
            return
        assert answer.status_code == 412, answer.text
    raise AssertionError("the bulk modification leaves nobody a chance")


def test_cancelled_within_a_second(tmp_path: Path) -> None:
    """What is changed stays, and nothing more is changed; the rest has no outcome. The audit log says who cancelled."""
    with site(tmp_path, MANY) as bank, client(bank.start()) as api:
        bank.shown()
        job = order(api, ALL, patch=APPEND)
        in_the_middle(api, job["id"])
        asked = time.monotonic()
        assert api.post(f"{JOBS}/{job['id']}/cancel").status_code == 202
        done = ended(api, job["id"])
        assert time.monotonic() - asked < 1.5
        assert (done["state"], done["cancelled_by"]) == ("cancelled", "ada")
        assert 0 < done["changed"] < MANY
        time.sleep(0.5)
        assert sum(version == 2 for version in bank.versions()) == done["changed"]
        again = api.post(f"{JOBS}/{job['id']}/cancel")
        assert (again.status_code, again.json()["state"]) == (202, "cancelled")
        assert len(results(api, job["id"])) == done["changed"]
        assert counts(ended(api, api.post(f"{JOBS}/{job['id']}/undo", json={"reason": "r"}).json()["id"])) == {
            "changed": done["changed"]
        }


def test_a_job_that_gets_no_further_is_given_up(tmp_path: Path) -> None:
    """After twenty attempts that all ended its process: `failed`, in the audit log too, and others get their turn."""
    with site(tmp_path, 200) as bank:
        first = bank.start()
        with client(first) as api:
            bank.shown()
            job = order(api, ALL, patch=APPEND)
            first.kill()
        until("the worker is gone with its server", lambda: not bank.sessions("procvars bulk modification"))
        bank.execute("UPDATE bulk_jobs SET attempts = 20, state = 'running', ended_at = NULL")
        with client(bank.start()) as api:
            assert ended(api, job["id"])["state"] == "failed"
            assert counts(ended(api, order(api, ALL, merge={"a": 1})["id"]))["changed"] == 200
            entries = until(
                "the audit log has it",
                lambda: api.get(f"{W}/audit-log", params={"event": "Update bulk"}).json()["items"],
                lambda items: len(items) == 2,
            )
            assert [entry["status"] for entry in entries] == ["Success", "Failed"]


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A worker at documents that together take more than it may have stays small: large ones come a few at a time."""
    large: Document = {"list": [], "texts": {f"k{n}": f"{n:x}" * 40 for n in range(4000)}}
    with site(tmp_path, 150, large) as bank, client(bank.start()) as api:
        bank.shown()
        peak, stopped = [0], threading.Event()
        server = bank.servers[0]

        def watch() -> None:
            while not stopped.wait(0.05):
                worker = worker_of(server)
                if worker is not None:
                    peak[0] = max(peak[0], resident_bytes(worker))

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        job = ended(api, order(api, ALL, patch=APPEND)["id"])
        stopped.set()
        watching.join()
        assert counts(job) == {"changed": 150}
        assert 0 < peak[0] < 400 * 2**20
