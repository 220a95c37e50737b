"""Rules of the structure that import-linter does not know."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = [
    path for name in ("domain", "commands", "projections", "adapters", "api") for path in (ROOT / name).rglob("*.py")
]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_the_domain_does_no_io() -> None:
    """No driver, no event loop, no environment in `domain/`."""
    forbidden = {"asyncio", "psycopg", "httpx", "fastapi", "os", "time", "eventsourcing", "structlog", "random"}
    found = {path.name: imported(path) & forbidden for path in CODE if path.is_relative_to(ROOT / "domain")}
    assert {name: names for name, names in found.items() if names} == {}


def test_the_environment_is_read_in_one_place() -> None:
    """Settings come from `api/settings.py`; nothing else looks at the environment. The nursery gives a child its own."""
    readers = [path.name for path in CODE if "os.environ" in path.read_text() or "getenv" in path.read_text()]
    assert sorted(readers) == ["nursery.py", "settings.py"]


def test_names_are_concepts() -> None:
    """No file is called by what it is instead of what it is about."""
    vague = {"utils.py", "helpers.py", "manager.py", "base.py", "common.py", "misc.py"}
    assert [path for path in CODE if path.name in vague] == []
