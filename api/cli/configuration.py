"""The settings of a command: the environment, and what the command line says instead."""

from typing import Any

from pydantic import ValidationError

from procvars.api.settings import InvalidSettings, Settings


def settings_with(**overrides: Any) -> Settings:
    """Return the settings; overrides that are None are not given. Raises InvalidSettings."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise InvalidSettings(error) from None  # its own words have the values, secrets among them
