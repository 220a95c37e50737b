"""Whose fault a failure is: the database's or the network's, which passes, or that of the event, which stays."""

import psycopg

from procvars.domain.errors import Unavailable

_BACK_OFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, Unavailable, OSError)


def passes_by_itself(error: BaseException) -> bool:
    """True for trouble on the way to a store; nothing is known then about the event that met it."""
    # PostgreSQL's class 54, "a value is too large for this": an operational error to the driver, but of the data.
    return isinstance(error, _PASSING) and not isinstance(error, psycopg.errors.ProgramLimitExceeded)


def back_off(failures: int) -> float:
    """Seconds to wait before the next try, after so many failures before this one."""
    return _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
