"""Kafka cluster: its addresses, how a client gets in, and the names that this installation uses there."""

import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError
from faust.auth import OAuthCredentials
from faust.types.auth import CredentialsT

from procvars.adapters.kafka.topic import TOPIC

_TOKEN_TIMEOUT_SECONDS = 10.0
_USED_SHARE_OF_LIFETIME = 0.8


class ClientCredentialsToken(AbstractTokenProvider):  # type: ignore[misc]
    """Source of OAUTHBEARER tokens: the client credentials grant (RFC 6749, section 4.4) at a token endpoint."""

    def __init__(
        self, url: str, client_id: str, client_secret: str, scope: str | None, tls_context: ssl.SSLContext
    ) -> None:
        self._url = url
        self._tls_context = tls_context
        self._client = (client_id, client_secret)
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._token = ""
        self._used_until = 0.0

    async def token(self) -> str:
        """Return a token that is valid, the last one if it still is. Raises KafkaConnectionError."""
        if time.monotonic() >= self._used_until:
            asked = time.monotonic()
            try:
                # A client for each request, as the driver asks from several event loops.
                async with httpx.AsyncClient(timeout=_TOKEN_TIMEOUT_SECONDS, verify=self._tls_context) as http:
                    answer = await http.post(self._url, data=self._form, auth=self._client)
                    found = answer.raise_for_status().json()
                    self._token = str(found["access_token"])
                    self._used_until = asked + _USED_SHARE_OF_LIFETIME * float(found.get("expires_in", 0))
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                raise KafkaConnectionError(f"no token from {self._url}: {error}") from error
        return self._token


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    brokers: str
    """Addresses as `host:port`, separated by commas."""
    prefix: str = ""
    """Prefix of the names of topic and consumer groups, so that several installations can share the cluster."""
    tls: bool = False
    ca_file: Path | None = None
    """PEM file of authorities whose certificates are accepted beside those that the system knows, also for tokens."""
    mechanism: str | None = None
    """SASL mechanism: `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    """Password of the user; for OAUTHBEARER the secret of the client."""
    token_url: str | None = None
    token_scope: str | None = None

    @property
    def topic(self) -> str:
        return self.prefix + TOPIC

    def group(self, projection: str) -> str:
        """Return the consumer group of a projection's workers."""
        return f"{self.prefix}procvars.{projection}"

    def client_options(self) -> dict[str, Any]:
        """Return what aiokafka's clients take: addresses, TLS and sign-in."""
        options: dict[str, Any] = {"bootstrap_servers": self.brokers}
        if self.tls:
            options["ssl_context"] = self._tls_context()
        if self.mechanism is None:
            return {**options, "security_protocol": "SSL" if self.tls else "PLAINTEXT"}
        options |= {"security_protocol": "SASL_SSL" if self.tls else "SASL_PLAINTEXT", "sasl_mechanism": self.mechanism}
        if self.mechanism == "OAUTHBEARER":
            return {**options, "sasl_oauth_token_provider": self._token()}
        return {**options, "sasl_plain_username": self.user, "sasl_plain_password": self.password}

    def faust_credentials(self) -> CredentialsT | None:
        """Return the same sign-in as Faust takes it."""
        context = self._tls_context() if self.tls else None
        if self.mechanism is None:
            return None if context is None else faust.SSLCredentials(context)
        if self.mechanism == "OAUTHBEARER":
            return OAuthCredentials(oauth_cb=self._token(), ssl_context=context)
        return faust.SASLCredentials(
            username=self.user, password=self.password, ssl_context=context, mechanism=self.mechanism
        )

    def _tls_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context

    def _token(self) -> ClientCredentialsToken:
        assert self.token_url and self.user and self.password
        return ClientCredentialsToken(self.token_url, self.user, self.password, self.token_scope, self._tls_context())
