"""Somebody who finds the package in an index: its page leads to the project, and none of its links is dead."""

import re
import shutil
import tarfile
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

from hatch_metadata import web_address, with_absolute_links
from tests.packaging import ROOT, UV, run

ADDRESS = "https://git.example.com/bank/procvars"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        (f"{ADDRESS}.git", ADDRESS),
        (f"{ADDRESS}/", ADDRESS),
        ("https://somebody:secret@git.example.com/bank/procvars.git", ADDRESS),
        ("https://token@git.example.com/bank/procvars", ADDRESS),
        ("http://git.example.com:8443/bank/procvars.git", "https://git.example.com:8443/bank/procvars"),
        ("git@git.example.com:bank/procvars.git", ADDRESS),
        ("git.example.com:bank/team/procvars.git", "https://git.example.com/bank/team/procvars"),
        ("ssh://git@git.example.com:2222/bank/procvars.git", ADDRESS),
        ("/srv/git/procvars.git", None),
        ("file:///srv/git/procvars.git", None),
        ("../procvars", None),
        ("", None),
    ],
)
def test_a_remote_tells_where_a_browser_finds_it(remote: str, address: str | None) -> None:
    assert web_address(remote) == address


@pytest.mark.parametrize(
    ("markdown", "absolute"),
    [
        ("[a](docs/a.md#b)", f"[a]({ADDRESS}/blob/HEAD/docs/a.md#b)"),
        ("![a\nb](docs/a.png)", f"![a\nb]({ADDRESS}/raw/HEAD/docs/a.png)"),
        ("[a](https://example.com/x) [b](#b) [c](mailto:a@b.c)",) * 2,
    ],
)
def test_only_relative_links_change(markdown: str, absolute: str) -> None:
    assert with_absolute_links(markdown, ADDRESS) == absolute
    assert with_absolute_links(markdown, None) == markdown


def test_a_package_leads_to_the_project(clone: Path, wheel: Path, tmp_path: Path) -> None:
    """Built from a clone with a remote: the source distribution, and the wheel of it, which has no repository any more."""
    published = tmp_path / "published"
    # With the console that the wheel was built with.
    shutil.copytree(clone, published, symlinks=True, ignore=shutil.ignore_patterns("node_modules"))
    run("git", "init", "--quiet", cwd=published)
    run("git", "remote", "add", "origin", "https://somebody:secret@git.example.com/bank/procvars.git", cwd=published)
    run(UV, "build", "--quiet", "--out-dir", tmp_path, published, cwd=tmp_path)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        (name,) = (name for name in archive.getnames() if name.count("/") == 1 and name.endswith("/PKG-INFO"))
        source = archive.extractfile(name)
        assert source is not None
        _leads_to_the_project(message_from_string(source.read().decode()))
    _leads_to_the_project(_metadata(next(tmp_path.glob("*.whl"))))


def test_without_an_address_nothing_is_invented(wheel: Path) -> None:
    metadata = _metadata(wheel)
    assert metadata.get_all("Project-URL") is None
    assert metadata.get_payload() == (ROOT / "README.md").read_text()


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def _leads_to_the_project(metadata: Message) -> None:
    urls = metadata.get_all("Project-URL")
    assert urls is not None and len(urls) == 5
    assert all(url.partition(", ")[2].startswith(ADDRESS) for url in urls)
    text = metadata.get_payload()
    assert isinstance(text, str)
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert f"{ADDRESS}/raw/HEAD/docs/console.png" in links
    assert f"{ADDRESS}/blob/HEAD/docs/operations.md#topologies" in links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    for link in links:
        if link.startswith(ADDRESS):
            assert (ROOT / re.sub(r"^/(blob|raw)/HEAD/|#.*", "", link.removeprefix(ADDRESS))).exists()
