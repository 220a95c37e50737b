"""Settings of a command: the environment, and what the command line overrides."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from procvars.api.secret_files import SecretFileError
from procvars.api.settings import InvalidSettings, Settings, SettingsError

DataDir = Annotated[
    Path | None, typer.Option(help="Directory of the embedded PostgreSQL; unset, that of PROCVARS_DATA_DIR.")
]


def settings_with(**overrides: Any) -> Settings:
    """Return the settings; overrides that are None are ignored. Raises SettingsError."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except SecretFileError as error:
        raise SettingsError(str(error)) from None
    except ValidationError as error:
        raise InvalidSettings(error) from None  # its own message has the values, including secrets
