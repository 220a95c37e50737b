"""A wrong cipher key, or a database of a newer release: nothing starts, and nothing is written."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from eventsourcing.cryptography import AESCipher

from procvars.adapters.postgres.rotated_cipher import RotatedCipher
from tests.api.bank import put, start, variables
from tests.attacks.test_start import WITH_A_DATABASE, refused
from tests.command_line import run
from tests.conftest import NewServer

KEY, OTHER = AESCipher.create_key(32), AESCipher.create_key(32)
CASES = [(KEY, OTHER), (KEY, None), (None, KEY)]
EVENTS = "SELECT count(*), max(notification_id) FROM stored_events"


def environment(database_url: str, key: str | None) -> dict[str, str]:
    found = {"PROCVARS_DATABASE_URL": database_url, "PROCVARS_KAFKA_BROKERS": "127.0.0.1:9"}
    return found if key is None else found | {"PROCVARS_CIPHER_KEY": key}


def all_refused(tmp_path: Path, settings: dict[str, str], *, but: tuple[str, ...] = ()) -> list[str]:
    """What each command says that needs a database."""
    commands = [command for command in WITH_A_DATABASE if command[0] not in but]
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda command: refused(tmp_path, settings, *command), commands))


def fill(new_server: NewServer, database_url: str, key: str | None) -> str:
    """A database whose events are stored under that key; the id of an instance."""
    server = new_server(database_url=database_url, environment={} if key is None else {"PROCVARS_CIPHER_KEY": key})
    with server.client() as api:
        instance = start(api, {"n": 0})
        put(api, instance, {"n": 1}).raise_for_status()
    server.stop()
    return instance


@pytest.mark.parametrize(("stored", "given"), CASES, ids=["another", "missing", "needless"])
def test_every_command_refuses(
    new_server: NewServer, database_url: str, tmp_path: Path, stored: str | None, given: str | None
) -> None:
    """In one line that names the setting and no key; with the right one all is as before."""
    instance = fill(new_server, database_url, stored)
    for line in all_refused(tmp_path, environment(database_url, given)):
        assert "PROCVARS_CIPHER_KEY" in line
        assert not any(key in line for key in (KEY, OTHER))
    server = new_server(
        database_url=database_url, environment={} if stored is None else {"PROCVARS_CIPHER_KEY": stored}
    )
    with server.client() as api:
        assert variables(api, instance, version=2) == {"n": 1}


def test_another_key_is_put_to_use(new_server: NewServer, database_url: str, tmp_path: Path) -> None:
    """In the steps of docs/security.md: what each key has encrypted stays readable, and none of them can be left out."""
    instance = fill(new_server, database_url, KEY)

    def edited(keys: str, value: int) -> None:
        server = new_server(database_url=database_url, environment={"PROCVARS_CIPHER_KEY": keys})
        with server.client() as api:
            put(api, instance, {"n": value}).raise_for_status()
            for version in range(1, value + 2):
                assert variables(api, instance, version=version) == {"n": version - 1}
        server.stop()

    edited(f"{KEY},{OTHER}", 2)
    for line in all_refused(tmp_path, environment(database_url, f"{OTHER},{KEY}"), but=("migrate",)):
        assert "begins with a key that this database does not know" in line
    assert run({**os.environ, **environment(database_url, f"{OTHER},{KEY}")}, "migrate").returncode == 0
    edited(f"{OTHER}\n{KEY}", 3)
    edited(f"{KEY},{OTHER}", 4)
    assert encrypted_with(database_url, instance) == [KEY, KEY, KEY, OTHER, KEY]
    for lacking in (KEY, OTHER, AESCipher.create_key(32)):
        for line in all_refused(tmp_path, environment(database_url, lacking)):
            assert "of the 2 keys" in line
    verified = run({**os.environ, **environment(database_url, f"{OTHER},{KEY}")}, "history", "verify", "--all")
    assert verified.returncode == 0, verified.stderr


def encrypted_with(database_url: str, instance: str) -> list[str]:
    """The key of each of the instance's events."""
    ciphers = {key: RotatedCipher([key]) for key in (KEY, OTHER)}
    with psycopg.connect(database_url) as connection:
        query = "SELECT state FROM stored_events WHERE originator_id = %s ORDER BY originator_version"
        states = [row[0] for row in connection.execute(query, (instance,))]
    return [next(key for key in ciphers if decrypts(ciphers[key], state)) for state in states]


def decrypts(cipher: RotatedCipher, state: bytes) -> bool:
    try:
        cipher.decrypt(state)
    except ValueError:
        return False
    return True


def test_a_database_of_an_earlier_release(new_server: NewServer, database_url: str, tmp_path: Path) -> None:
    """It has no fingerprint: the key has to read its newest events, and is written down then."""
    fill(new_server, database_url, KEY)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM cipher_keys")
        assert "PROCVARS_CIPHER_KEY" in refused(tmp_path, environment(database_url, OTHER), "migrate")
        assert connection.execute("SELECT * FROM cipher_keys").fetchall() == []
        assert run({**os.environ, **environment(database_url, KEY)}, "migrate").returncode == 0
        ((recorded,),) = connection.execute("SELECT fingerprint FROM cipher_keys").fetchall()
        assert recorded not in ("none", KEY)


def test_a_database_of_a_newer_release(new_server: NewServer, database_url: str, tmp_path: Path) -> None:
    """Every command says so, and touches nothing."""
    fill(new_server, database_url, None)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_migrations (name) VALUES ('9999_later.sql')")
        before = connection.execute(EVENTS).fetchall()
        for line in all_refused(tmp_path, environment(database_url, None)):
            assert "9999_later.sql" in line
        assert connection.execute(EVENTS).fetchall() == before
