"""`procvars archive verify` finds whatever was done to an archive, with the public key alone and without a database."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.archive.site import Site, briefly_ended, keys


@pytest.fixture
def archive(site: Site) -> Path:
    for _ in range(2):
        briefly_ended(site.api)
    site.archive()
    (found,) = site.archives()
    return found


def _flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def _edit_manifest(archive: Path, name: str, value: object) -> None:
    path = archive / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped byte at the beginning": (lambda one: _flip(one / "histories.ndjson.gz", 0), "is not what was signed"),
    "a flipped byte in the middle": (lambda one: _flip(one / "histories.ndjson.gz", 200), "is not what was signed"),
    "a flipped byte at the end": (lambda one: _flip(one / "histories.ndjson.gz", -1), "is not what was signed"),
    "no histories": (lambda one: (one / "histories.ndjson.gz").unlink(), "there is no histories.ndjson.gz"),
    "no manifest": (lambda one: (one / "manifest.json").unlink(), "there is no manifest"),
    "a cut file": (
        lambda one: (one / "histories.ndjson.gz").write_bytes((one / "histories.ndjson.gz").read_bytes()[:-1]),
        "is not what was signed",
    ),
    "an edited manifest": (
        lambda one: _edit_manifest(one, "workspace", "other"),
        "the manifest is not what was signed",
    ),
    "a manifest without an instance": (lambda one: _edit_manifest(one, "instances", []), "is not what was signed"),
    "a manifest that is none": (lambda one: (one / "manifest.json").write_text("[]"), "the manifest is damaged"),
    "another name": (lambda one: one.rename(one.with_name("other")), "under another name"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(site: Site, archive: Path, fault: str) -> None:
    """Exit code 3, and what is wrong."""
    change, said = FAULTS[fault]
    assert site.verify().returncode == 0
    change(archive)
    done = site.verify()
    assert done.returncode == 3, done
    assert said in done.stdout
    assert "Traceback" not in done.stderr


def test_a_foreign_key_is_told_from_ones_own(site: Site, archive: Path) -> None:
    """An archive that somebody else signed is not right, although it fits its own signature."""
    other = Site(site.server, site.api, site.folder, keys())
    done = other.verify()
    assert done.returncode == 3
    assert "signed with another key" in done.stdout
    path = archive / "manifest.json"
    manifest = json.loads(path.read_text())
    site_id, manifest["signature"] = manifest["key_id"], "A" * 86 + "=="
    path.write_text(json.dumps(manifest))
    done = site.verify()
    assert done.returncode == 3, site_id
    assert "the manifest is not what was signed" in done.stdout


def test_a_file_of_an_archive_is_enough_to_name_it(site: Site, archive: Path) -> None:
    """And the settings' own key does where no public key is given."""
    for path in (archive, archive / "histories.ndjson.gz", site.folder):
        done = site.procvars("archive", "verify", str(path), "--json")
        assert done.returncode == 0, done.stderr
        (item,) = json.loads(done.stdout)["items"]
        assert (item["name"], item["instances"], item["fault"]) == (archive.name, 2, None)


def test_no_archive_and_no_key(site: Site, tmp_path: Path) -> None:
    """Neither is taken for an archive that is right."""
    (tmp_path / "empty").mkdir()
    done = site.procvars("archive", "verify", str(tmp_path / "empty"))
    assert (done.returncode, "There is no archive in" in done.stderr) == (1, True)
    done = site.procvars("archive", "verify", str(tmp_path), PROCVARS_ARCHIVE_KEY="")
    assert (done.returncode, "either --public-key or PROCVARS_ARCHIVE_KEY" in done.stderr) == (2, True)
    (tmp_path / "key.pem").write_text("no key")
    done = site.procvars("archive", "verify", str(tmp_path), "--public-key", str(tmp_path / "key.pem"))
    assert (done.returncode, "PEM text of an Ed25519 public key" in done.stderr) == (1, True)


def test_the_files_are_for_their_owner_alone(archive: Path) -> None:
    """What is in them is in plain text."""
    assert archive.stat().st_mode & 0o777 == 0o700
    for path in archive.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
