"""Everything that is set from outside, read once at the start and passed down."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """The settings do not fit together."""


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

    model_config = SettingsConfigDict(env_prefix="PROCVARS_", env_ignore_empty=True, frozen=True)

    database_url: str | None = None
    """Unset: an embedded PostgreSQL in `data_dir`."""
    data_dir: Path = Path("./procvars-data")

    kafka_brokers: str | None = None
    """`host:port`, separated by commas. Unset: the server itself feeds the projections from the event store."""
    kafka_partitions: int = Field(default=8, ge=1, le=1000)
    """Of the topic, when the relay creates it."""

    jwt_secret: SecretStr | None = None
    """HS256, for development and tests."""
    jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    role_permissions: dict[str, list[str]] = Field(default_factory=dict)
    """Further roles, or other permissions for the known ones: `{"ROLE": ["permission", …]}`."""

    cipher_key: SecretStr | None = None
    """Base64 of 16, 24 or 32 bytes: events are stored encrypted (AES). Never change it under stored events."""
    max_document_bytes: int = Field(default=10 * 2**20, gt=0)
    log_format: Literal["console", "json"] = "json"

    @model_validator(mode="after")
    def _keys_go_together(self) -> Self:
        openid = (self.jwks_url, self.jwt_issuer, self.jwt_audience)
        if any(openid) and not all(openid):
            raise ValueError("PROCVARS_JWKS_URL, PROCVARS_JWT_ISSUER and PROCVARS_JWT_AUDIENCE go together")
        if self.jwks_url and self.jwt_secret:
            raise ValueError("either PROCVARS_JWT_SECRET or PROCVARS_JWKS_URL, not both")
        return self

    @property
    def has_keys(self) -> bool:
        """Whether tokens can be verified at all."""
        return self.jwt_secret is not None or self.jwks_url is not None
