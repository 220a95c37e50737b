"""Transient errors, of the database or the network, as opposed to those of an event, which stay."""

import psycopg

from procvars.domain.errors import Unavailable

_BACK_OFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, Unavailable, OSError)


def passes_by_itself(error: BaseException) -> bool:
    """Return whether the error is transient: then it says nothing about the event that met it."""
    # Class 54, "program limit exceeded", is an operational error to the driver, but its cause is the data.
    return isinstance(error, _PASSING) and not isinstance(error, psycopg.errors.ProgramLimitExceeded)


def back_off(failures: int) -> float:
    """Return the back-off in seconds after `failures` earlier failures."""
    return _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
