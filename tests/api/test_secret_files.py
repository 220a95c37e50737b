"""Secrets in files of their own, as an orchestrator mounts them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from procvars.api.cli.configuration import settings_with
from procvars.api.settings import SECRETS, Settings, SettingsError

VALUES = {
    "database_url": "postgresql://procvars:secret@db/procvars",
    "elasticsearch_url": "http://elastic:secret@search:9200/",
    "elasticsearch_api_key": "c2VjcmV0",
    "kafka_password": "p@ss word",
    "jwt_secret": "s" * 32,
    "cipher_key": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTE=",
    "archive_key": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----",
}

NEEDED_BESIDE: dict[str, dict[str, str]] = {
    "elasticsearch_api_key": {"elasticsearch_url": "http://search:9200"},
    "kafka_password": {"kafka_sasl_mechanism": "PLAIN", "kafka_user": "ada"},
}
"""Settings that go with the secret."""


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PROCVARS_{name.upper()}", raising=False)


def text_of(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_read_from_its_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the line break that editors leave; and other processes of the program get it."""
    file = tmp_path / "secret"
    file.write_text(VALUES[name] + "\n")
    monkeypatch.setenv(f"PROCVARS_{name.upper()}_FILE", str(file))
    settings = settings_with(**NEEDED_BESIDE.get(name, {}))
    assert text_of(getattr(settings, name)) == VALUES[name]
    handed_on = settings.environment_on("postgresql://elsewhere/x")
    if name != "database_url":
        assert handed_on[f"PROCVARS_{name.upper()}"] == VALUES[name]
    assert f"PROCVARS_{name.upper()}_FILE" not in handed_on


def test_every_secret_may_be_in_a_file() -> None:
    """Also one that is added to the settings later."""
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret <= {*SECRETS}


def test_an_unusable_file_is_named_and_its_content_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCVARS_JWT_SECRET_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"PROCVARS_JWT_SECRET_FILE: .*nowhere cannot be read"):
        settings_with()
    file = tmp_path / "secret"
    file.write_bytes(b"\xff" * 40)
    monkeypatch.setenv("PROCVARS_JWT_SECRET_FILE", str(file))
    with pytest.raises(SettingsError, match="not a text in UTF-8"):
        settings_with()
    file.write_text("hunter2")
    with pytest.raises(SettingsError) as refused:
        settings_with()
    assert "hunter2" not in str(refused.value)
    monkeypatch.setenv("PROCVARS_JWT_SECRET", "s" * 32)
    with pytest.raises(SettingsError, match="either PROCVARS_JWT_SECRET or PROCVARS_JWT_SECRET_FILE"):
        settings_with()
