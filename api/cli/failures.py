"""Failures of commands, each told in one line on stderr: what is wrong and with which setting, never a secret."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NoReturn

import psycopg

from procvars.adapters.identity.shared_secret import UnusableSecret
from procvars.adapters.kafka.errors import KafkaRefusal
from procvars.adapters.postgres.pool import UNAVAILABLE
from procvars.api.connections.address import AddressUnavailable
from procvars.api.processes.exit_codes import FAILED, INTERRUPTED
from procvars.api.settings import SettingsError
from procvars.domain.errors import DomainError
from procvars.domain.permissions import UnknownPermission

_REFUSALS: tuple[type[Exception], ...] = (
    SettingsError,
    UnusableSecret,
    UnknownPermission,
    KafkaRefusal,
    AddressUnavailable,
    DomainError,
    psycopg.Error,
    *UNAVAILABLE,
)


@contextmanager
def failures_in_a_line(codes: Mapping[type[Exception], int] = MappingProxyType({})) -> Iterator[None]:
    """End the process with a line on stderr, and the matching exit code, if a command is refused or interrupted.

    `codes`: exit codes of refusals that have another one than 1.

    Any other error is a bug of this program: its traceback is worth more than a line.
    """
    try:
        yield
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except _REFUSALS as error:
        _end(_in_a_line(error), codes.get(type(error), FAILED))


def _end(message: str, code: int) -> NoReturn:
    print(f"procvars: {message}", file=sys.stderr)
    sys.exit(code)


def _in_a_line(error: Exception) -> str:
    """Return the message of an error without line breaks, which PostgreSQL's messages have."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip()) or type(error).__name__
