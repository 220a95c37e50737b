"""docs/settings.md has every setting, and no other."""

import re

from procvars.api.settings import SECRETS, Settings
from tests.docs.pages import PAGES, ROOT, table_rows
from tests.docs.test_commands import COMMAND_LINE, environment_variables

PAGE = (ROOT / "docs" / "settings.md").read_text()


def test_every_setting_is_described() -> None:
    """Once, with its default."""
    rows = [cells for cells in table_rows(ROOT / "docs" / "settings.md") if cells[0].startswith("`PROCVARS_")]
    assert sorted(cells[0] for cells in rows) == sorted(
        f"`PROCVARS_{field.upper()}`" for field in Settings.model_fields
    )
    for setting, default, _ in rows:
        field = Settings.model_fields[setting.strip("`").removeprefix("PROCVARS_").lower()]
        kept = field.get_default(call_default_factory=True)
        assert default.strip("`").removeprefix("./") == ("" if kept in (None, {}, []) else str(kept)), setting


def test_named_settings_exist() -> None:
    """On every page, as a setting or as the variable of a command's option."""
    known = {f"PROCVARS_{field.upper()}" for field in Settings.model_fields} | environment_variables(COMMAND_LINE)
    known |= {f"PROCVARS_{secret.upper()}_FILE" for secret in SECRETS}
    for page in PAGES:
        assert set(re.findall(r"PROCVARS_[A-Z_]*[A-Z]", page.read_text())) <= known, page


def test_every_secret_that_can_be_in_a_file_is_named() -> None:
    """And no other setting."""
    named = set(re.findall(r"PROCVARS_(\w+)_FILE", PAGE.partition("## Storage")[0]))
    assert named == {name.upper() for name in SECRETS}
