"""Whose fault a failure is: the database's or the network's, which passes, or that of the event, which stays."""

import psycopg

from domain.errors import Unavailable

_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, Unavailable, OSError)


def passes_by_itself(error: BaseException) -> bool:
    """True for trouble on the way to a store; nothing is known then about the event that met it."""
    # PostgreSQL's class 54, "a value is too large for this": an operational error to the driver, but of the data.
    return isinstance(error, _PASSING) and not isinstance(error, psycopg.errors.ProgramLimitExceeded)
