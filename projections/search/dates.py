"""Moments as they are written by people (RFC 3339) and by process engines (ISO 8601, as Java prints it)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from procvars.domain.documents.numbers import is_number, literal_of
from procvars.domain.documents.values import Json

_DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,100}))?)?"
    r"(?:([Zz])|([+-][0-9]{2})(?::?([0-5][0-9]))?)?(?:\[[A-Za-z0-9_+/-]{1,64}\])?)?"
)
_MILLISECONDS: Final = re.compile(r"(?:(?:^|[^A-Za-z])[Mm][Ss]|[a-z]M[Ss]|[Mm]illis|[Mm]illi[Ss]econds?|MILLIS)$")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAP_SECOND: Final = "60"


def moment(key: str, value: Json) -> datetime | None:
    """Return the moment that a value under the key stands for, in UTC; None where it stands for none.

    A date alone is its beginning; a time without a zone is in UTC. A number is milliseconds since 1970 where the key ends
    with `ms`, `millis` or `milliseconds`, as a word of its own. Digits behind the microseconds do not count.
    """
    if isinstance(value, str):
        return _written(value)
    if not is_number(value) or not counts_milliseconds(key):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=float(literal_of(value)))
    except (OverflowError, ValueError):
        return None


def counts_milliseconds(key: str) -> bool:
    """Tell whether the key says that its numbers are milliseconds."""
    return _MILLISECONDS.search(key) is not None


def _written(text: str) -> datetime | None:
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    date, minutes, seconds, fraction, _, hours_off, minutes_off = found.groups()
    leap = seconds == _LEAP_SECOND  # the last one of a day in UTC
    normal = f"{date}T{minutes or '00:00'}:{'59' if leap else seconds or '00'}.{(fraction or '0')[:6]:0<6}"
    offset = f"{hours_off}:{minutes_off or '00'}" if hours_off else "+00:00"
    try:
        utc = datetime.fromisoformat(normal + offset).astimezone(UTC)
        return None if leap and (utc.hour, utc.minute) != (23, 59) else utc + timedelta(seconds=leap)
    except (ValueError, OverflowError):  # the 30th of February, or a time before the year 1
        return None
