"""docs/kubernetes: manifests that Kubernetes takes, of a program that has these commands, settings and probes."""

import json
import tomllib
from typing import Any

import jsonschema.validators
import pytest
import yaml
from starlette.routing import Route

from procvars.api.http.side_probes import WorkerProbes, create_probes
from procvars.api.settings import SECRETS, Settings
from procvars.projections.operations import ProjectionStatus
from procvars.projections.registry import PROJECTION_NAMES
from tests.docs.pages import ROOT
from tests.docs.test_commands import COMMAND_LINE

FOLDER = ROOT / "docs" / "kubernetes"
SCHEMA = json.loads((ROOT / "tests" / "docs" / "kubernetes_1_37.json").read_text())
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS: dict[str, dict[str, Any]] = {
    f"{manifest['kind']}/{manifest['metadata']['name']}": manifest
    for resource in KUSTOMIZATION["resources"]
    for manifest in yaml.safe_load_all((FOLDER / resource).read_text())
}
PODS = {name: manifest["spec"]["template"] for name, manifest in MANIFESTS.items() if "template" in manifest["spec"]}
CONTAINERS = {name: pod["spec"]["containers"][0] for name, pod in PODS.items()}
SETTINGS = dict(
    line.split("=", 1) for line in (FOLDER / "settings.env").read_text().splitlines() if not line.startswith("#")
)


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_fits_the_schema(name: str) -> None:
    """Of its kind in Kubernetes; a misspelt member is refused."""
    manifest = MANIFESTS[name]
    schema = {**SCHEMA, **SCHEMA["kinds"][manifest["kind"]]}
    jsonschema.validators.validator_for(schema)(schema).validate(manifest)
    misspelt = {**manifest, "spec": {**manifest["spec"], "replica": 2}}
    assert not jsonschema.validators.validator_for(schema)(schema).is_valid(misspelt)


def test_the_kustomization_has_every_file_and_the_version() -> None:
    """And names nothing that is not there."""
    generated = [name for generator in KUSTOMIZATION["configMapGenerator"] for name in generator["envs"]]
    named = {*KUSTOMIZATION["resources"], *generated, "kustomization.yaml"}
    assert named == {file.name for file in FOLDER.iterdir()}
    (image,) = KUSTOMIZATION["images"]
    assert image["newTag"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {container["image"] for container in CONTAINERS.values()} == {image["name"]}
    (settings,) = KUSTOMIZATION["configMapGenerator"]
    sources = [source["configMapRef"]["name"] for one in CONTAINERS.values() for source in one["envFrom"]]
    assert {*sources} == {settings["name"]}


@pytest.mark.parametrize("name", CONTAINERS)
def test_commands_exist(name: str) -> None:
    """With these arguments."""
    command, *arguments = CONTAINERS[name]["args"]
    COMMAND_LINE.commands[command].make_context(command, arguments)


def test_settings_exist_and_go_together() -> None:
    """Those with a secret are in files, which the pod mounts."""
    own = {item["name"]: item["value"] for one in CONTAINERS.values() for item in one.get("env", ())}
    files = {name: path for name, path in (*SETTINGS.items(), *own.items()) if name.endswith("_FILE")}
    assert files.keys() <= {f"PROCVARS_{secret.upper()}_FILE" for secret in SECRETS}
    plain = {name.removeprefix("PROCVARS_").lower(): text for name, text in SETTINGS.items() if name not in files}
    assert plain.keys().isdisjoint(SECRETS)
    Settings(**plain, kafka_password="from the file")  # type: ignore[arg-type]
    mounts = {mount["mountPath"] for one in CONTAINERS.values() for mount in one["volumeMounts"]}
    assert {path.rpartition("/")[0] for path in (*files.values(), *own.values())} <= mounts


def test_every_projection_has_a_worker() -> None:
    """Exactly one deployment feeds it, and the relay publishes for them."""
    fed = [projection for one in CONTAINERS.values() if one["args"][0] == "worker" for projection in one["args"][1:]]
    assert sorted(fed) == sorted(PROJECTION_NAMES)
    assert [one["args"] for one in CONTAINERS.values() if one["args"][0] == "relay"] == [["relay"]]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_no_rights_and_a_budget(name: str) -> None:
    """Not root, on a root that it cannot write, with no token of the cluster, and with bounds of what it uses."""
    pod, container = PODS[name]["spec"], CONTAINERS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}\n" in (ROOT / "Dockerfile").read_text()
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    own = container["securityContext"]
    assert own["readOnlyRootFilesystem"] is True and own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["resources"]["limits"].keys() == {"memory"}
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_selectors_find_their_pods() -> None:
    """Each of a deployment, of the service and of a disruption budget, which every deployment has."""
    labels = {name: pod["metadata"]["labels"] for name, pod in PODS.items()}
    budgets: list[str] = []
    for name, manifest in MANIFESTS.items():
        selector = manifest["spec"].get("selector")
        if selector is None:
            continue
        wanted = selector.get("matchLabels", selector)
        found = [pod for pod, has in labels.items() if wanted.items() <= has.items()]
        assert len(found) == 1, name
        if manifest["kind"] == "PodDisruptionBudget":
            budgets += found
        if manifest["kind"] == "Deployment":
            assert found == [name] and manifest["spec"]["replicas"] > 1
    assert sorted(budgets) == sorted(name for name in PODS if name.startswith("Deployment/"))


@pytest.mark.parametrize("name", [name for name in CONTAINERS if "relay" in name or "worker" in name])
def test_probes_ask_relay_and_workers(name: str) -> None:
    """At the port of the setting, and at paths that they have."""
    container = CONTAINERS[name]
    (port,) = container["ports"]
    assert SETTINGS["PROCVARS_METRICS_ADDRESS"] == f"0.0.0.0:{port['containerPort']}"
    asked = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {get["port"] for get in asked.values()} == {port["name"]}
    paths = {route.path for route in create_probes(WorkerProbes(no_projections)).routes if isinstance(route, Route)}
    assert {get["path"] for get in asked.values()} == {"/healthz", "/readyz"} <= paths


async def no_projections() -> list[ProjectionStatus]:
    return []


def test_probes_ask_the_server() -> None:
    """At paths and a port that it has."""
    container = CONTAINERS["Deployment/procvars-api"]
    (port,) = container["ports"]
    assert container["args"][-1] == str(port["containerPort"])
    (service,) = (manifest for manifest in MANIFESTS.values() if manifest["kind"] == "Service")
    assert [one["targetPort"] for one in service["spec"]["ports"]] == [port["name"]]
    asked = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {probe: get["path"] for probe, get in asked.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {get["port"] for get in asked.values()} == {port["name"]}
