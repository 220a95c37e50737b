"""Settings of a command: the environment, and what the command line overrides."""

from typing import Any

from pydantic import ValidationError

from procvars.api.settings import InvalidSettings, Settings


def settings_with(**overrides: Any) -> Settings:
    """Return the settings; overrides that are None are ignored. Raises InvalidSettings."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise InvalidSettings(error) from None  # its own message has the values, including secrets
