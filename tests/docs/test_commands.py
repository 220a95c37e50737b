"""The commands and HTTP calls that the pages show exist, with the options and arguments that are given."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from procvars.api.cli.main import app
from tests.conftest import Server
from tests.docs.pages import PAGES, code_blocks, code_spans, name

COMMAND_LINE: Any = typer.main.get_command(app)
_ARGUMENTS = re.compile(r"<[^<>]+>|…")
_WORKSPACE = "/api/v1/workspaces/{workspace}"
_CALL = re.compile(r"(GET|PUT|POST|PATCH) (W?/[^\s`…?]*)")
_CURL = re.compile(r"\$W(/[^\s\"?]*)")


def environment_variables(command: Any) -> set[str]:
    """Return the variables that options of a command, or of those in a group, are taken from."""
    found = {parameter.envvar for parameter in command.params if parameter.envvar}
    return found.union(*(environment_variables(one) for one in getattr(command, "commands", {}).values()))


def commands(page: Path) -> list[str]:
    lines = [line.strip() for block in code_blocks(page) for line in block.splitlines()]
    found = [re.sub(r"\s+#.*", "", line) for line in lines + code_spans(page)]
    return [line for line in found if re.match(r"procvars \w", line)]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name)
def test_commands_exist(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command alone stands for its purpose; with anything behind it, it has to be complete."""
    for variable in environment_variables(COMMAND_LINE):
        monkeypatch.setenv(variable, "7")
    for line in commands(page):
        given = shlex.split(_ARGUMENTS.sub("7", line))[1:]
        group = COMMAND_LINE
        while given and hasattr(group, "commands") and not given[0].startswith("-"):
            first = given.pop(0)
            for one in first.split("|"):
                assert one in group.commands, f"{name(page)}: {line}"
            group = group.commands[first.split("|")[0]]
        if given:
            assert not hasattr(group, "commands") or group.invoke_without_command, f"{name(page)}: {line}"
            group.make_context(group.name, [re.sub("^N$", "7", argument) for argument in given])


def _templates(paths: dict[str, Any]) -> list[tuple[re.Pattern[str], set[str]]]:
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), {method.upper() for method in methods})
        for path, methods in paths.items()
    ]


def test_http_calls_exist(server: Server) -> None:
    """Every call that a page names or shows is in the OpenAPI document."""
    with server.client() as client:
        templates = _templates(client.get(f"{server.address}/openapi.json").json()["paths"])

    def methods(path: str) -> set[str]:
        full = path if path.startswith("/api") else _WORKSPACE + path.removeprefix("W")
        return set().union(*(found for pattern, found in templates if pattern.fullmatch(full)))

    for page in PAGES:
        for span in code_spans(page):
            if call := _CALL.fullmatch(span.partition("?")[0]):
                assert call[1] in methods(call[2]), f"{name(page)}: {span}"
        for block in code_blocks(page):
            for path in _CURL.findall(block):
                assert methods(path), f"{name(page)}: {path}"
