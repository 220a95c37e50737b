"""Keys that encrypt the events of a database: a server that lacks one of them must not add to the events."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from eventsourcing.persistence import StoredEvent

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.pool import Connection
from procvars.domain.errors import StoreUnavailable

PLAIN = "none"
_PURPOSE = b"procvars: fingerprint of PROCVARS_CIPHER_KEY"

_RECORDED = "SELECT fingerprint FROM cipher_keys"
_RECORD = "INSERT INTO cipher_keys (fingerprint) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_NEWEST = """
SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY notification_id DESC LIMIT 20
"""


class WrongCipherKey(StoreUnavailable):
    """PROCVARS_CIPHER_KEY is not the key that the events of this database are encrypted with."""


def fingerprints_of(keys: Sequence[str]) -> tuple[str, ...]:
    """Return for each key, in base64, a text that tells whether two keys are the same, and nothing else; `PLAIN` without
    keys.
    """
    return tuple(hmac.new(base64.b64decode(key), _PURPOSE, hashlib.sha256).hexdigest()[:32] for key in keys) or (PLAIN,)


async def require_keys(connection: Connection, fingerprints: Sequence[str]) -> None:
    """Raise WrongCipherKey if one of the keys that the database's events are encrypted with is missing, or if the first,
    which is to encrypt, is none of them: only `record_key` adds one.
    """
    recorded = await _recorded(connection)
    if recorded:
        _refuse_missing(recorded, fingerprints)
        if fingerprints[0] not in recorded:
            raise WrongCipherKey(
                "PROCVARS_CIPHER_KEY begins with a key that this database does not know: once every process has it, run "
                "`procvars migrate` with it in front."
            )


async def record_key(connection: Connection, fingerprints: Sequence[str], mapper: EventMapper) -> None:
    """Record the key that is to encrypt from now on. Raises WrongCipherKey.

    A database of an earlier release has none recorded: then one of its newest events has to be readable.
    """
    recorded = await _recorded(connection)
    if recorded:
        _refuse_missing(recorded, fingerprints)
        await connection.execute(_RECORD, (list(fingerprints[:1]),))
        return
    newest = await (await connection.execute(_NEWEST)).fetchall()
    if newest and not any(mapper.is_readable(StoredEvent(*row)) for row in newest):
        raise WrongCipherKey("The newest events of this database cannot be read with this PROCVARS_CIPHER_KEY.")
    # Nobody knows which of the keys the events are encrypted with.
    await connection.execute(_RECORD, (list(fingerprints if newest else fingerprints[:1]),))


async def _recorded(connection: Connection) -> set[str]:
    return {row[0] for row in await (await connection.execute(_RECORDED)).fetchall()}


def _refuse_missing(recorded: AbstractSet[str], given: Sequence[str]) -> None:
    missing = recorded - {*given}
    if not missing:
        return
    if PLAIN in missing:
        raise WrongCipherKey("The events of this database are not encrypted: PROCVARS_CIPHER_KEY has to be unset.")
    if PLAIN in given:
        raise WrongCipherKey("The events of this database are encrypted: PROCVARS_CIPHER_KEY is missing.")
    if len(recorded) > 1:
        raise WrongCipherKey(
            f"PROCVARS_CIPHER_KEY lacks {len(missing)} of the {len(recorded)} keys that the events of this database are "
            "encrypted with."
        )
    raise WrongCipherKey()
