"""If-Match: the version of the variables that an edit is based on."""

import re

from procvars.api.http.errors import PreconditionRequired
from procvars.domain.errors import InvalidArgument

# A compressing proxy makes the entity tag weak; it still names the version that was seen.
_ENTITY_TAG = re.compile(r'(?:W/)?"(\d{1,18})"')


def optional_version(if_match: str | None) -> int | None:
    """Return the version of an If-Match that may be missing. Raises InvalidArgument where it is not one in quotes."""
    return None if if_match is None or if_match.strip() == "*" else base_version(if_match)


def base_version(if_match: str | None) -> int:
    """Return the version that If-Match names.

    Raises PreconditionRequired without If-Match, and InvalidArgument if it is not one version in quotes.
    """
    if if_match is None or if_match.strip() == "*":
        raise PreconditionRequired()
    found = _ENTITY_TAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidArgument('If-Match has to be one version in quotes, like "7".')
    return int(found[1])
