"""Key that encrypts the events of a database: a server with another one must not add to them."""

import base64
import hashlib
import hmac

from eventsourcing.persistence import StoredEvent

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.pool import Connection
from procvars.domain.errors import StoreUnavailable

PLAIN = "none"
_PURPOSE = b"procvars: fingerprint of PROCVARS_CIPHER_KEY"

_RECORDED = "SELECT fingerprint FROM cipher_fingerprint"
_RECORD = "INSERT INTO cipher_fingerprint (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING"
_NEWEST = """
SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY notification_id DESC LIMIT 20
"""


class WrongCipherKey(StoreUnavailable):
    """PROCVARS_CIPHER_KEY is not the key that the events of this database are encrypted with."""


def fingerprint_of(key: str | None) -> str:
    """Return a text that tells whether two keys are the same, and nothing else; `key` in base64, None without one."""
    if key is None:
        return PLAIN
    return hmac.new(base64.b64decode(key), _PURPOSE, hashlib.sha256).hexdigest()[:32]


async def require_key(connection: Connection, fingerprint: str) -> None:
    """Raise WrongCipherKey if the database has another fingerprint."""
    row = await (await connection.execute(_RECORDED)).fetchone()
    if row is not None and row[0] != fingerprint:
        raise _wrong(encrypted=row[0] != PLAIN, given=fingerprint != PLAIN)


async def record_key(connection: Connection, fingerprint: str, mapper: EventMapper) -> None:
    """Record the fingerprint if there is none yet. Raises WrongCipherKey.

    A database of an earlier release has none: then one of its newest events has to be readable with the key.
    """
    if await (await connection.execute(_RECORDED)).fetchone() is None:
        newest = await (await connection.execute(_NEWEST)).fetchall()
        if newest and not any(mapper.is_readable(StoredEvent(*row)) for row in newest):
            raise WrongCipherKey("The newest events of this database cannot be read with this PROCVARS_CIPHER_KEY.")
        await connection.execute(_RECORD, (fingerprint,))
    await require_key(connection, fingerprint)


def _wrong(*, encrypted: bool, given: bool) -> WrongCipherKey:
    if not encrypted:
        return WrongCipherKey("The events of this database are not encrypted: PROCVARS_CIPHER_KEY has to be unset.")
    if not given:
        return WrongCipherKey("The events of this database are encrypted: PROCVARS_CIPHER_KEY is missing.")
    return WrongCipherKey()
