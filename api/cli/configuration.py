"""The settings of a command: the environment, and what the command line says instead."""

from typing import Any

from pydantic import ValidationError

from api.cli.output import USAGE, fail
from api.settings import Settings


def settings_with(**overrides: Any) -> Settings:
    """Overrides that are None are not given. A wrong setting ends the command with exit code 2, and is named."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        found = ["_".join(("PROCVARS", *map(str, item["loc"]))).upper() + f": {item['msg']}" for item in error.errors()]
        fail("; ".join(found), code=USAGE)
