"""How people sign in to the console: the provider of the settings, or the sample users of the demo."""

from dataclasses import dataclass

from procvars.adapters.identity.discovery import ProviderDiscovery


@dataclass(frozen=True, slots=True)
class SampleUser:
    """Somebody whom anybody may be, with a token that is ready."""

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
    """`client` None, and no sample users: the console has no sign-in."""

    client: OpenIdClient | None = None
    sample_users: tuple[SampleUser, ...] = ()
