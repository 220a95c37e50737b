"""The container files against what they speak of: the compose specification, the command line, the settings."""

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema.validators
import pytest
import typer
import yaml

from procvars.api.cli.main import app
from procvars.api.settings import Settings
from procvars.projections.registry import PROJECTION_NAMES

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("procvars:")}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMMAND_LINE: Any = typer.main.get_command(app)

SECRET = re.compile("PASSWORD|SECRET|KEY")
INTERPOLATION = re.compile(r"\$\{(\w+)(:?[-?+])?([^}]*)\}")


def texts(value: Any) -> list[str]:
    """Every string in it, of a mapping with its key before it."""
    if isinstance(value, dict):
        return [f"{key}={text}" for key, item in value.items() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [str(value)]


def test_the_compose_file_fits_its_specification() -> None:
    """The JSON schema of the compose specification."""
    # Not by its import: the package itself wants a newer click than Faust allows.
    path = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    schema = json.loads(Path(str(path)).read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(COMPOSE)


@pytest.mark.parametrize("name", OURS)
def test_commands_exist(name: str) -> None:
    """With the options and arguments that are given; `--help` would not be enough to notice a missing argument."""
    command, *arguments = OURS[name]["command"]
    COMMAND_LINE.commands[command].make_context(command, arguments)


def test_the_image_runs_a_command_that_exists() -> None:
    """Its default one."""
    (given,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    command, *arguments = json.loads(given)
    COMMAND_LINE.commands[command].make_context(command, arguments)


def test_settings_exist() -> None:
    """Every variable with the prefix, in both files, is one that the program reads."""
    known = {f"PROCVARS_{name}".upper() for name in Settings.model_fields}
    given = {name for service in OURS.values() for name in service["environment"] if name.startswith("PROCVARS_")}
    given |= set(re.findall(r"(PROCVARS_\w+)=", DOCKERFILE))
    assert given - known == set()


def test_each_projection_has_its_worker() -> None:
    """One service each, and no other."""
    workers = [service["command"] for service in OURS.values() if service["command"][0] == "worker"]
    assert sorted(workers) == sorted(["worker", name] for name in PROJECTION_NAMES)


def test_images_have_a_version() -> None:
    """The same file gives the same program tomorrow."""
    images = [service["image"] for service in SERVICES.values()]
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 3
    for image in images + bases:
        assert re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", image), image


def test_secrets_have_no_default() -> None:
    """A start without them fails; none is written into the file, and none is built into the image."""
    interpolated = [found for text in texts(COMPOSE) for found in INTERPOLATION.findall(text)]
    secrets = {(name, operator) for name, operator, _ in interpolated if SECRET.search(name)}
    assert secrets == {(name, ":?") for name in ("POSTGRES_PASSWORD", "ELASTIC_PASSWORD", "PROCVARS_JWT_SECRET")}
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not SECRET.search(name) or re.fullmatch(r"\$\{[^}]+\}", str(value)), name
            assert not re.search(r"://\w+:(?!\$\{)[^/]*@", str(value)), name
    assert not SECRET.search(DOCKERFILE)


def test_services_wait_for_what_they_need() -> None:
    """Who waits for health waits for something that has a health check; everything of ours waits for the migration."""
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[needed]["healthcheck"], (name, needed)
    waiting = {name for name, service in OURS.items() if "migrate" in service["depends_on"]}
    assert waiting == OURS.keys() - {"migrate"}
    assert {OURS[name]["depends_on"]["migrate"]["condition"] for name in waiting} == {"service_completed_successfully"}


def test_replicas_share_no_port_and_no_name() -> None:
    """A second one of any service of ours can start beside the first."""
    for name, service in OURS.items():
        assert "container_name" not in service, name
        for port in service.get("ports", []):
            assert re.fullmatch(r"127\.0\.0\.1:\d+-\d+:\d+", port), port


def test_data_is_on_volumes() -> None:
    """What has data keeps it when its container goes."""
    kept = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert kept == COMPOSE["volumes"].keys() == {f"{name}-data" for name in SERVICES.keys() - OURS.keys()}


def test_the_image_does_not_run_as_root() -> None:
    """And says whether it is well."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD .*/healthz", last, re.MULTILINE)


def test_what_the_image_is_built_from_is_there() -> None:
    """Each file that is copied exists and is not ignored."""
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert len(copied) == len(re.findall("^COPY (?!--from)", DOCKERFILE, re.MULTILINE)) > 0
    for sources in copied:
        for source in sources.split():
            assert list(ROOT.glob(source.rstrip("/"))) or source.endswith("*"), source
            assert source.split("/")[0] in admitted, source
