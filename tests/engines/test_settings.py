"""The file of PROCVARS_ENGINES: what is wrong in it is named, and no password with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from procvars.api.engines.settings import InvalidEngines, engine_settings
from procvars.api.settings import Settings

WELL: dict[str, Any] = {"kind": "camunda7", "url": "http://camunda.example/engine-rest", "workspace": "bank"}


def settings_with(directory: Path, engines: object) -> Settings:
    path = directory / "engines.json"
    path.write_text(engines if isinstance(engines, str) else json.dumps(engines))
    return Settings(jwt_secret=SecretStr("x" * 32), engines=path)


def test_without_the_setting_there_are_none() -> None:
    """A server that is connected with no engine has nothing to do with them."""
    assert engine_settings(Settings(engines=None)) == {}


def test_an_engine_has_defaults_and_a_password_of_its_file(tmp_path: Path) -> None:
    """Address, kind and workspace are enough; the line break that editors put behind a password does not count."""
    (tmp_path / "password").write_text("pass word\n")
    login = {"user": "me", "password_file": str(tmp_path / "password")}
    engines = engine_settings(settings_with(tmp_path, {"open": WELL, "closed": WELL | login}))
    assert (engines["open"].poll_seconds, engines["open"].reconcile_seconds) == (1.0, 600.0)
    assert engines["closed"].password() == "pass word"


@pytest.mark.parametrize(
    ("engines", "said"),
    [
        ("{", "the file"),
        ({"a b": WELL}, "a b"),
        ({"a": WELL | {"kind": "other"}}, "a.kind"),
        ({"a": WELL | {"polling": 1}}, "a.polling"),
        ({"a": WELL | {"url": "http://me:secret@camunda.example/"}}, "password_file"),
        ({"a": WELL | {"user": "me"}}, "go together"),
        ({"a": WELL | {"user": "me", "password_file": "/nowhere/secret"}}, "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, engines: object, said: str) -> None:
    """One line names the engine and the member, and never what stands in the place of a password."""
    with pytest.raises(InvalidEngines) as refusal:
        engine_settings(settings_with(tmp_path, engines))
    assert said in str(refusal.value) and "me:secret" not in str(refusal.value)
    assert "PROCVARS_ENGINES" in str(refusal.value)
