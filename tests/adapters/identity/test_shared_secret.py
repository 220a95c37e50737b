"""HS256 tokens: what the command line issues, the server accepts, and nothing else."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from procvars.adapters.identity import shared_secret
from procvars.adapters.identity.claims import MAX_TOKEN_CHARS
from procvars.adapters.identity.shared_secret import SharedSecretVerifier, UnusableSecret, issue
from procvars.commands.identity import TokenExpired, TokenInvalid, TokenVerifier
from procvars.domain.permissions import Actor
from tests.adapters.identity.clock import Clock

SECRET = "correct horse battery staple 0123456789"
NOW = 1_800_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def verifier(clock: Clock) -> TokenVerifier:
    return SharedSecretVerifier(SECRET, clock=clock)


def issued(clock: Clock, user: str = "ada") -> str:
    return issue(
        SECRET,
        user=user,
        name="Ada L.",
        org_roles=["OPERATOR"],
        workspace_roles={"loans": ["VIEWER", "ENGINE"]},
        lifetime=timedelta(hours=1),
        clock=clock,
    )


def signed(secret: str = SECRET, **claims: Any) -> str:
    """A token with good claims but for those given; None leaves a claim out."""
    payload = {"sub": "ada", "exp": NOW + 60} | claims
    return jwt.encode({key: value for key, value in payload.items() if value is not None}, secret, algorithm="HS256")


def unsigned(header: dict[str, Any]) -> str:
    """A token with an empty signature and whatever header."""
    parts = (header, {"sub": "ada", "exp": NOW + 60})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


async def test_an_issued_token_names_its_actor(verifier: TokenVerifier, clock: Clock) -> None:
    """User, name and both kinds of roles survive the way from the command line to the server."""
    actor = await verifier.verify(issued(clock))
    assert actor == Actor("ada", "Ada L.", ("OPERATOR",), {"loans": ("VIEWER", "ENGINE")})


async def test_a_token_without_roles_and_name_is_a_user_without_rights(verifier: TokenVerifier) -> None:
    """Only sub and exp are required; the name falls back to the subject."""
    assert await verifier.verify(signed()) == Actor("ada", "ada")


@pytest.mark.parametrize("name", [None, ""])
async def test_an_empty_name_falls_back_to_the_subject(verifier: TokenVerifier, name: str | None) -> None:
    """An audit entry is never without a readable user."""
    token = jwt.encode({"sub": "ada", "exp": NOW + 60, "name": name}, SECRET, algorithm="HS256")
    assert (await verifier.verify(token)).name == "ada"


async def test_a_token_expires(verifier: TokenVerifier, clock: Clock) -> None:
    """One second of grace for rounding, then the token is refused."""
    token = signed(exp=NOW)
    clock.now = NOW + 0.9
    assert (await verifier.verify(token)).user == "ada"
    clock.now = NOW + 1
    with pytest.raises(TokenExpired):
        await SharedSecretVerifier(SECRET, clock=clock).verify(token)


async def test_a_remembered_token_expires_too(verifier: TokenVerifier, clock: Clock) -> None:
    """The memory of verified tokens must not outlive the tokens."""
    token = signed()
    await verifier.verify(token)
    clock.now = NOW + 61
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


async def test_a_remembered_token_is_not_verified_again(
    verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request of a client costs a lookup, no cryptography."""
    token = signed()
    first = await verifier.verify(token)
    monkeypatch.setattr(shared_secret, "signed_claims", lambda *_: pytest.fail("verified again"))
    assert await verifier.verify(token) is first


async def test_the_memory_is_bounded_and_drops_the_least_recently_used(clock: Clock) -> None:
    """A flood of different tokens cannot fill the server's memory, and does not displace those in use."""
    verifier = SharedSecretVerifier(SECRET, clock=clock, remember=2)
    ada, bob, eve = (issued(clock, user) for user in ("ada", "bob", "eve"))
    of_ada, of_bob = await verifier.verify(ada), await verifier.verify(bob)
    await verifier.verify(ada)
    await verifier.verify(eve)
    assert await verifier.verify(ada) is of_ada
    assert await verifier.verify(bob) is not of_bob


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_from_the_future_is_refused_until_then(verifier: TokenVerifier, clock: Clock, claim: str) -> None:
    """nbf and iat are honoured, and a refusal is not remembered."""
    times: dict[str, Any] = {claim: NOW + 30}
    token = signed(**times)
    with pytest.raises(TokenInvalid, match=claim):
        await verifier.verify(token)
    clock.now = NOW + 30
    assert (await verifier.verify(token)).user == "ada"


async def test_another_secret_is_refused(verifier: TokenVerifier) -> None:
    """The signature is checked at all."""
    with pytest.raises(TokenInvalid, match="Signature"):
        await verifier.verify(signed(secret="x" * 40))


async def test_changed_claims_are_refused(verifier: TokenVerifier) -> None:
    """Nobody can give themselves a role under the signature of another token."""
    header, _, signature = signed().split(".")
    _, claims, _ = signed(secret="x" * 40, org_roles=["ORG_ADMIN"]).split(".")
    with pytest.raises(TokenInvalid, match="Signature"):
        await verifier.verify(f"{header}.{claims}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "", None])
async def test_an_unsigned_token_is_refused(verifier: TokenVerifier, algorithm: str | None) -> None:
    """The header's alg cannot switch the signature off, in whatever spelling."""
    with pytest.raises(TokenInvalid, match="Signature" if algorithm == "HS256" else "alg value"):
        await verifier.verify(unsigned({"alg": algorithm, "typ": "JWT"}))


async def test_another_algorithm_with_the_right_secret_is_refused(verifier: TokenVerifier) -> None:
    """One verifier, one algorithm: HS512 is good cryptography and still not ours."""
    token = jwt.encode({"sub": "ada", "exp": NOW + 60}, SECRET.ljust(64, "!"), algorithm="HS512")
    with pytest.raises(TokenInvalid, match="alg"):
        await SharedSecretVerifier(SECRET.ljust(64, "!"), clock=lambda: NOW).verify(token)


async def test_an_rsa_token_is_refused(verifier: TokenVerifier) -> None:
    """A token of an OpenID provider is none of this verifier's."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    with pytest.raises(TokenInvalid, match="alg"):
        await verifier.verify(jwt.encode({"sub": "ada", "exp": NOW + 60}, key, algorithm="RS256"))


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\0b"},
        {"sub": "\ud800"},
        {"sub": "a" * 256},
        {"name": 7},
        {"name": "a\0b"},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": str(NOW + 60)},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": 10**400},
        {"nbf": "now"},
        {"iat": []},
        {"org_roles": "ORG_ADMIN"},
        {"org_roles": {"ORG_ADMIN": True}},
        {"org_roles": ["VIEWER", 1]},
        {"workspace_roles": ["loans"]},
        {"workspace_roles": "loans"},
        {"workspace_roles": {"loans": "VIEWER"}},
        {"workspace_roles": {"loans": [["VIEWER"]]}},
        {"workspace_roles": {"loans": None}},
        {"aud": "another-service"},
    ],
    ids=repr,
)
async def test_claims_of_a_wrong_shape_are_refused(verifier: TokenVerifier, claims: dict[str, Any]) -> None:
    """A signed token whose claims cannot be understood gives no rights, not even some of them."""
    (claim,) = claims
    with pytest.raises(TokenInvalid, match=f"(?i){claim}"):
        await verifier.verify(signed(**claims))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "not a token",
        "Bearer " + signed(),
        "é" + signed(),
        "\ud800" + signed(),
        signed() + ".x",
        base64.urlsafe_b64encode(b"[" * 9_000).decode() + "..",
        base64.urlsafe_b64encode(b"[]").decode() + ".e30.x",
    ],
    ids=[*range(11)],
)
async def test_garbage_is_refused(verifier: TokenVerifier, token: str) -> None:
    """Whatever stands in the header, the answer is a refusal and never a crash."""
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


async def test_an_oversized_token_is_refused(verifier: TokenVerifier) -> None:
    """A token with a good signature is refused too when it is longer than anything that is to be remembered."""
    with pytest.raises(TokenInvalid, match="longer"):
        await verifier.verify(signed(filler="x" * MAX_TOKEN_CHARS))


@pytest.mark.parametrize("secret", ["", "x" * 31, "é" * 15])
def test_a_short_secret_is_refused(secret: str) -> None:
    """A guessable secret stops the start, and the command line does not sign with it either."""
    with pytest.raises(UnusableSecret, match="at least 32"):
        SharedSecretVerifier(secret)
    with pytest.raises(UnusableSecret, match="at least 32"):
        issue(secret, user="ada", name="", org_roles=[], workspace_roles={}, lifetime=timedelta(hours=1))


async def test_a_secret_is_measured_in_bytes(clock: Clock) -> None:
    """32 bytes are enough, be they 32 characters or 16."""
    secret = "é" * 16
    token = issue(
        secret, user="ada", name="", org_roles=[], workspace_roles={}, lifetime=timedelta(hours=1), clock=clock
    )
    assert (await SharedSecretVerifier(secret, clock=clock).verify(token)).user == "ada"


def test_a_public_key_is_no_secret() -> None:
    """A public key configured as the secret would let everybody sign tokens."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).public_key()
    with pytest.raises(UnusableSecret, match="public key"):
        SharedSecretVerifier(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
