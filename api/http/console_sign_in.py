"""Sign-in to the console: with the provider of the settings, or as a sample user of the demo."""

from dataclasses import dataclass

from procvars.adapters.identity.discovery import ProviderDiscovery


@dataclass(frozen=True, slots=True)
class SampleUser:
    """A user as whom anybody may sign in, with a prepared token."""

    name: str
    role: str
    token: str


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """The console as the provider knows it: a public client, authorization code flow with PKCE (RFC 7636)."""

    client_id: str
    scope: str
    provider: ProviderDiscovery


@dataclass(frozen=True, slots=True)
class ConsoleSignIn:
    """Ways to sign in; without a client and sample users there is none."""

    client: OpenIdClient | None = None
    sample_users: tuple[SampleUser, ...] = ()
