"""docs/operations.md archives, verifies and imports elsewhere: its commands, as they stand."""

import subprocess
from pathlib import Path

import pytest

from tests.api.bank import W, define, synced, variables
from tests.archive.site import ended
from tests.conftest import NewServer, token
from tests.docs.operations_page import blocks, postgres, prepare, shell, url


def test_what_is_archived_is_verified_and_imported_elsewhere(new_server: NewServer, tmp_path: Path) -> None:
    """An instance of before the date that the page has is the only one that goes; a flipped byte is found."""
    archive, verify, restore = blocks("Archive finished instances", "bash")
    with postgres() as first, postgres() as second:
        prepare(first)
        prepare(second)
        with new_server(database_url=url(first, "procvars")).client() as api:
            stays = ended(api)
            old = (
                b'{"id":"old","events":[{"type":"InstanceStarted","time":"2024-03-01T09:00:00Z",'
                b'"actor":{"user":"engine"},"payload":{"definition":"loan","variables":{"n":1.10}}},'
                b'{"type":"InstanceStatusChanged","time":"2024-04-01T00:00:00Z","actor":{"user":"engine"},'
                b'"payload":{"status":"FINISHED"}}]}'
            )
            api.post(f"{W}/imports", content=old, headers={"Content-Type": "application/x-ndjson"}).raise_for_status()
            synced(api, "old")
            shell(archive, first, tmp_path, url(first, "procvars"))
            assert api.get(f"{W}/instances/{stays}").is_success
            assert api.get(f"{W}/instances/old/variables/history").status_code == 410
        shell(verify, first, tmp_path, "")
        server = new_server(database_url=url(second, "procvars"))
        with server.client() as api:
            define(api)
            address = f"export TOKEN='{token(org=('ORG_ADMIN', 'ENGINE'))}' W={server.address}/api/v1{W}\n"
            shell(address + restore, second, tmp_path, url(second, "procvars"))
            assert synced(api, "old")["version"] == 2
            assert variables(api, "old") == {"n": 1.10}
        (histories,) = tmp_path.glob("archives/*/histories.ndjson.gz")
        data = bytearray(histories.read_bytes())
        data[-1] ^= 1
        histories.write_bytes(data)
        with pytest.raises((AssertionError, subprocess.CalledProcessError)):
            shell(verify, first, tmp_path, "")
