"""Stuck claims in a real Camunda 7 engine beside the demo: each waits at a step that failed for want of a right value."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

NAME = "claims"
"""The engine's name in the demo's settings."""
USER = PASSWORD = "demo"
_PROCESS = "claim"
_FOLLOW_SECONDS = 60.0
_TYPED = tuple[str, Any]
_CLAIMS: dict[str, dict[str, _TYPED]] = {
    "CLAIM-1 Ada Quist, storm damage": {
        "amount": ("Long", 1250),
        "customer": ("Json", json.dumps({"name": "Ada Quist", "policy": "HH-20417"})),
        "covered": ("Boolean", True),
    },
    "CLAIM-2 Bo Reyes, broken window": {
        "amount": ("Long", 310),
        "customer": ("Json", json.dumps({"name": "Bo Reyes", "policy": "HH-11902"})),
        "rate": ("String", "0,8"),
    },
    "CLAIM-3 Cleo Marsh, water damage": {
        "amount": ("Double", 4820.5),
        "customer": ("Json", json.dumps({"name": "Cleo Marsh", "policy": "HH-30255", "tariffs": ["B", "C"]})),
        "reported": ("Date", "2026-11-20T08:15:00.000+0000"),
    },
    "CLAIM-4 Dov Lund, stolen bicycle": {
        "amount": ("Integer", 899),
        "customer": ("Json", json.dumps({"name": "Dov Lund", "policy": "HH-07731"})),
        "photo": ("Bytes", "AAEC"),
    },
}


def write_settings(data_dir: Path, url: str, workspace: str) -> Path:
    """Write the file for PROCVARS_ENGINES, with the password beside it, and return its path."""
    password = data_dir / "engine-password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD)
    engine = {
        "kind": "camunda7",
        "url": url,
        "workspace": workspace,
        "user": USER,
        "password_file": str(password.resolve()),
        "definitions": [_PROCESS],
        "poll_seconds": 0.5,
        "reconcile_seconds": 30,
    }
    path = data_dir / "engines.json"
    path.write_text(json.dumps({NAME: engine}, indent=2))
    return path


async def start_claims(url: str, operator: httpx.AsyncClient, workspace: str) -> None:
    """Start those of the claims that do not run already, and wait until all of them are shown to the operator."""
    async with httpx.AsyncClient(base_url=url, auth=(USER, PASSWORD), timeout=60) as engine:
        running = (await engine.get("/process-instance")).raise_for_status().json()
        there = {instance["businessKey"] for instance in running}
        for business_key, variables in _CLAIMS.items():
            if business_key in there:
                continue
            sent = {name: {"type": kind, "value": value} for name, (kind, value) in variables.items()}
            body = {"businessKey": business_key, "variables": sent}
            (await engine.post(f"/process-definition/key/{_PROCESS}/start", json=body)).raise_for_status()
    query = {"definition": _PROCESS, "status": "STARTED"}
    async with asyncio.timeout(_FOLLOW_SECONDS):
        while True:
            found = await operator.get(f"/workspaces/{workspace}/instances", params=query)
            if {instance["title"] for instance in found.raise_for_status().json()["items"]} >= _CLAIMS.keys():
                return
            await asyncio.sleep(0.2)


def what_to_try(url: str) -> str:
    """Return what the demo prints about the engine."""
    return f"""
A Camunda 7 engine is at {url} (user {USER}, password {PASSWORD}), with {len(_CLAIMS)} insurance claims that are stuck: filter the
list in the console by the definition "Insurance claim", or take the one of CLAIM-1:
  1. It says "Failed at calculate-payout": the variable rate is missing.
  2. Modify variables, add "rate": 0.8, save; a moment later the process engine has the change.
  3. Try again: the engine calculates and pays, and the claim is Finished.
CLAIM-2 has a rate that is a text with a comma; delete it, save, and add it anew as a number.
"""
