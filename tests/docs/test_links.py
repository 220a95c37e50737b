"""What the pages point at exists: other pages, their sections, and files of the tree."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, code_spans, links, name

_TREE_PATH = re.compile(
    r"(?:domain|commands|projections|adapters|api|src|tests|docs|examples)(?:/[\w.\-{},]+)+/?|\w[\w.-]*\.(?:md|yml|toml|lock)"
)
_MADE_BY_A_COMMAND = ("api/console/dist", "api/console/node_modules")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links have a file behind them, and anchors a heading."""
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{name(page)} points at {link}"
        if anchor:
            assert anchor in anchors(file), f"{name(page)} points at {link}; there are {sorted(anchors(file))}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name)
def test_named_files_exist(page: Path) -> None:
    """A path of the tree that a page names in code is there, seen from the root or from the page's folder."""
    for span in code_spans(page):
        if not _TREE_PATH.fullmatch(span) or span.startswith(_MADE_BY_A_COMMAND) or "{" in span:
            continue
        assert (ROOT / span).exists() or (page.parent / span).exists(), f"{name(page)} names {span}"


def test_every_page_is_reachable() -> None:
    """From README.md by links; the decision records by their folder."""
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = ((page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link)
        waiting += [target for target in targets if target.suffix == ".md" and target.is_file()]
    unreached = {page for page in PAGES if page.parent == ROOT / "docs"} - reached
    assert not unreached
