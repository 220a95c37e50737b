"""Settings from the environment, read once at the start and passed down."""

import json
import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Literal, Self

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import (
    Field,
    FilePath,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import to_jsonable_python
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from procvars.adapters.identity.role_rules import RoleRule
from procvars.adapters.identity.shared_secret import refuse_unusable
from procvars.api.secret_files import SecretFiles
from procvars.domain.permissions import DEFAULT_ROLE_PERMISSIONS

_PREFIX = "PROCVARS_"
_BROKERS = re.compile(r"[^\s,:/]+:\d{1,5}(\s*,\s*[^\s,:/]+:\d{1,5})*")
SECRETS = (
    "database_url",
    "elasticsearch_url",
    "elasticsearch_api_key",
    "kafka_password",
    "jwt_secret",
    "cipher_key",
    "archive_key",
)
"""Settings with a secret in them: each may be in a file, which the variable with the suffix _FILE names."""
_SEPARATOR = re.compile(r"[\s,]+")
_KEY_BYTES = (16, 24, 32)
_JSON_EXAMPLES = {
    "role_permissions": '{"ROLE": ["permission", …]}',
    "role_rules": '[{"claim": "groups", "value": "operators", "workspace_roles": {"loans": ["WORKSPACE_ADMIN"]}}]',
}
"""Settings that are JSON, each with what it may look like."""
_DOCUMENTS_IN_AN_EVENT = 4
"""Patch, previous document and body may each be as large as a document; escapes and names take some more."""


class SettingsError(Exception):
    """The settings do not fit together."""


class InvalidSettings(SettingsError):
    """A setting has a value that it cannot have."""

    def __init__(self, error: ValidationError) -> None:
        """Name the settings and what is wrong with each, without their values."""
        found = error.errors(include_input=False, include_context=False, include_url=False)
        super().__init__("; ".join(_named(item["loc"], item["msg"]) for item in found))


def _named(place: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{_PREFIX}{'_'.join(map(str, place)).upper()}: {message}" if place else message


class TracesNotInstalled(SettingsError):
    """The libraries that traces need are not installed."""

    def __init__(self) -> None:
        super().__init__("PROCVARS_TRACES needs the extra otel: install procvars[otel].")


class NoBrokers(SettingsError):
    """There is no Kafka to publish to or to read from."""

    def __init__(self) -> None:
        super().__init__("PROCVARS_KAFKA_BROKERS is not set: without Kafka the server feeds the projections itself.")


class NoKeys(SettingsError):
    """A server that can verify no token is of no use to anybody."""

    def __init__(self) -> None:
        super().__init__(
            "No key to verify tokens with: set PROCVARS_JWT_SECRET, or PROCVARS_JWKS_URL with PROCVARS_JWT_ISSUER and "
            "PROCVARS_JWT_AUDIENCE."
        )


class Settings(BaseSettings):
    """Environment variables with the prefix PROCVARS_. An empty one counts as unset."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True)

    database_url: str | None = None
    """URL of the database; unset, an embedded PostgreSQL in `data_dir` is used."""
    data_dir: Path = Path("./procvars-data")
    pool_size: int = Field(default=8, ge=1, le=100)
    """Connections to the database that requests share; probes, appends and projections have their own."""
    public_url: HttpUrl | None = None
    """URL at which callers reach the server, for the audit log; unset, it keeps only the path."""
    elasticsearch_url: HttpUrl | None = None
    """URL of Elasticsearch, possibly with `user:password@`; unset, PostgreSQL answers searches."""
    elasticsearch_api_key: SecretStr | None = None
    """Base64, as Elasticsearch gives it; instead of user and password."""
    elasticsearch_ca_file: FilePath | None = None
    """PEM file of authorities whose certificates are accepted beside those that the system knows."""
    elasticsearch_index_prefix: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9._-]{0,63})?$")
    """Prefix of the names of alias and indices, so that several installations can share a cluster."""

    kafka_brokers: str | None = None
    """Addresses `host:port`, separated by commas; unset, the server feeds the projections from the event store itself."""
    kafka_partitions: int = Field(default=8, ge=1, le=1000)
    """Partitions of the topic, if the relay creates it."""
    kafka_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    """Prefix of the names of topic and consumer groups, so that several installations can share a cluster."""
    kafka_tls: bool = False
    kafka_ca_file: FilePath | None = None
    """PEM file of authorities whose certificates are accepted beside those that the system knows."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    kafka_user: str | None = None
    """User; for OAUTHBEARER the id of the client."""
    kafka_password: SecretStr | None = None
    """Password of the user; for OAUTHBEARER the secret of the client."""
    kafka_token_url: str | None = None
    """Token endpoint for OAUTHBEARER, which is asked by the client credentials grant."""
    kafka_token_scope: str | None = None

    metrics_address: str | None = Field(default=None, pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")
    """`host:port` at which relay and workers have metrics and probes; unset, they listen nowhere."""

    traces: bool = False
    """Whether requests and events are traced; where to is OpenTelemetry's own `OTEL_EXPORTER_OTLP_ENDPOINT`."""

    engines: Path | None = None
    """A JSON file with the real engines whose instances are shown and edited here (`api/engines/settings.py`)."""

    jwt_secret: SecretStr | None = None
    """Secret of HS256 tokens, for development and tests."""
    jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    oidc_client_id: str | None = None
    """The console's client at the provider whose issuer is `jwt_issuer`; unset: the console has no sign-in."""
    oidc_scope: str = "openid profile"
    role_permissions: Annotated[dict[str, list[str]], NoDecode] = Field(default_factory=dict)
    """Further roles, or other permissions for the known ones: `{"ROLE": ["permission", …]}`."""

    role_rules: Annotated[list[RoleRule], NoDecode] = Field(default_factory=list)
    """Which roles the claims of the provider's tokens give; empty: the claims `org_roles` and `workspace_roles` have them."""

    cipher_key: SecretStr | None = None
    """Keys, each base64 of 16, 24 or 32 bytes, separated by commas or line breaks: events are stored encrypted (AES)
    with the first, and read with any. One under which events are stored is never taken away.
    """
    archive_key: SecretStr | None = None
    """PEM text of the Ed25519 private key that signs archives."""
    check_streams_per_minute: int = Field(default=600, ge=0)
    """Streams per minute in which each read model is compared with the event store; 0 turns the comparison off."""
    max_document_bytes: int = Field(default=10 * 2**20, gt=0)
    bulk_max_instances: int = Field(default=10_000, ge=1, le=1_000_000)
    """Instances that one bulk modification may change."""
    log_format: Literal["console", "json"] = "json"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the secrets that are in files of their own, besides the environment."""
        return init_settings, env_settings, SecretFiles(settings_cls, SECRETS, os.environ)

    @field_validator("database_url")
    @classmethod
    def _is_for_postgresql(cls, url: str | None) -> str | None:
        try:
            conninfo_to_dict(url or "")
        except (ProgrammingError, UnicodeError):
            raise ValueError("it is no connection URL of PostgreSQL") from None
        return url

    @field_validator("jwt_secret")
    @classmethod
    def _can_sign(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            refuse_unusable(secret.get_secret_value())
        return secret

    @field_validator("jwks_url", "kafka_token_url")
    @classmethod
    def _is_a_web_address(cls, url: str | None) -> str | None:
        if url is not None:
            TypeAdapter(HttpUrl).validate_python(url)
        return url

    @field_validator("kafka_brokers")
    @classmethod
    def _are_brokers(cls, brokers: str | None) -> str | None:
        if brokers is not None and not _BROKERS.fullmatch(brokers.strip()):
            raise ValueError("it has to be host:port, several of them separated by commas")
        return brokers

    @field_validator("cipher_key")
    @classmethod
    def _are_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        try:
            fit = all(len(b64decode(key, validate=True)) in _KEY_BYTES for key in _listed(keys))
        except ValueError:
            fit = False
        if not fit:
            raise ValueError("it has to be base64 of 16, 24 or 32 bytes, or several of them separated by commas")
        return keys

    @field_validator(*_JSON_EXAMPLES, mode="before")
    @classmethod
    def _is_json(cls, given: object, info: ValidationInfo) -> object:
        try:
            return json.loads(given) if isinstance(given, str) else given
        except ValueError:
            raise ValueError(f"it has to be JSON: {_JSON_EXAMPLES[str(info.field_name)]}") from None

    @field_validator("role_permissions")
    @classmethod
    def _are_permissions(cls, given: dict[str, list[str]]) -> dict[str, list[str]]:
        DEFAULT_ROLE_PERMISSIONS.overridden_by(given)
        return given

    @model_validator(mode="after")
    def _keys_go_together(self) -> Self:
        openid = (self.jwks_url, self.jwt_issuer, self.jwt_audience)
        if any(openid) and not all(openid):
            raise ValueError("PROCVARS_JWKS_URL, PROCVARS_JWT_ISSUER and PROCVARS_JWT_AUDIENCE go together")
        if self.jwks_url and self.jwt_secret:
            raise ValueError("either PROCVARS_JWT_SECRET or PROCVARS_JWKS_URL, not both")
        if self.role_rules and not self.jwks_url:
            raise ValueError("PROCVARS_ROLE_RULES goes with PROCVARS_JWKS_URL")
        if self.oidc_client_id and not self.jwks_url:
            raise ValueError("PROCVARS_OIDC_CLIENT_ID goes with PROCVARS_JWKS_URL")
        return self

    @model_validator(mode="after")
    def _one_way_into_kafka(self) -> Self:
        if self.kafka_ca_file and not self.kafka_tls:
            raise ValueError("PROCVARS_KAFKA_CA_FILE goes with PROCVARS_KAFKA_TLS")
        sign_in = (self.kafka_sasl_mechanism, self.kafka_user, self.kafka_password)
        if any(sign_in) and not all(sign_in):
            raise ValueError(
                "PROCVARS_KAFKA_SASL_MECHANISM, PROCVARS_KAFKA_USER and PROCVARS_KAFKA_PASSWORD go together"
            )
        if (self.kafka_sasl_mechanism == "OAUTHBEARER") != (self.kafka_token_url is not None):
            raise ValueError(
                "PROCVARS_KAFKA_TOKEN_URL goes with PROCVARS_KAFKA_SASL_MECHANISM=OAUTHBEARER, and that with it"
            )
        if self.kafka_token_scope and not self.kafka_token_url:
            raise ValueError("PROCVARS_KAFKA_TOKEN_SCOPE goes with PROCVARS_KAFKA_TOKEN_URL")
        return self

    @model_validator(mode="after")
    def _one_way_into_elasticsearch(self) -> Self:
        if self.elasticsearch_api_key and (self.elasticsearch_url is None or self.elasticsearch_url.username):
            raise ValueError("PROCVARS_ELASTICSEARCH_API_KEY goes with a PROCVARS_ELASTICSEARCH_URL without a user")
        if self.elasticsearch_ca_file and (self.elasticsearch_url is None or self.elasticsearch_url.scheme != "https"):
            raise ValueError("PROCVARS_ELASTICSEARCH_CA_FILE goes with a PROCVARS_ELASTICSEARCH_URL of https")
        return self

    def environment_on(self, database_url: str) -> dict[str, str]:
        """Return the environment for another process of this program, with these settings and that database."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
        given = {**dict(self), "database_url": database_url}
        return kept | {f"{_PREFIX}{name.upper()}": _text(value) for name, value in given.items() if value is not None}

    @property
    def cipher_keys(self) -> tuple[str, ...]:
        """Keys of the events, in base64: the first encrypts; none where the events are stored in plain text."""
        return _listed(self.cipher_key)

    @property
    def largest_message(self) -> int:
        """Size of the largest message that a topic created by the relay takes, in bytes."""
        return _DOCUMENTS_IN_AN_EVENT * self.max_document_bytes

    @property
    def has_engines(self) -> bool:
        """Whether real engines are configured."""
        return self.engines is not None

    @property
    def has_keys(self) -> bool:
        """Whether there is a key to verify tokens with."""
        return self.jwt_secret is not None or self.jwks_url is not None


def _listed(keys: SecretStr | None) -> tuple[str, ...]:
    return () if keys is None else tuple(_SEPARATOR.split(keys.get_secret_value().strip()))


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(to_jsonable_python(value)) if isinstance(value, dict | list) else str(value)
