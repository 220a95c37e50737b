"""Requests whose bodies are worked on while they arrive, and may be of any length."""

import re
from typing import Final

from starlette.types import Scope

from procvars.api.http.paths import IMPORTS

_PATH: Final = re.compile(IMPORTS.replace("{workspace}", "[^/]+"))


def is_streamed(scope: Scope) -> bool:
    """Return whether the request is such a one, by its path."""
    return scope["method"] == "POST" and _PATH.fullmatch(scope["path"]) is not None
