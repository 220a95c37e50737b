"""Tokens of an OpenID provider, whose keys a real HTTP server on the loopback interface publishes."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from procvars.adapters.identity import openid
from procvars.adapters.identity.jwks import FETCH_TIMEOUT_SECONDS
from procvars.adapters.identity.openid import OpenIdVerifier
from procvars.commands.identity import KeysUnavailable, TokenExpired, TokenInvalid
from procvars.domain.permissions import Actor
from tests import plain_http
from tests.adapters.identity.clock import Clock
from tests.loopback_server import LoopbackServer, send

NOW = 1_800_000_000.0
ISSUER = "https://id.example/realms/ops"
AUDIENCE = "procvars"

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
NEXT_RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Provider(LoopbackServer):
    """What the provider answers, to be changed while it serves, and how often it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""
        self.requests = 0
        self.asked = threading.Event()
        self.open = threading.Event()
        self.open.set()
        super().__init__()
        self.url = f"{self.address}/jwks"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        self.asked.set()
        self.open.wait(10)
        send(request, self.status, self.body)

    def publish(self, *entries: dict[str, Any]) -> None:
        self.status, self.body = 200, json.dumps({"keys": entries}).encode()

    def stop(self) -> None:
        self.open.set()
        super().stop()


def public(key: PrivateKey, kid: str | None, **more: Any) -> dict[str, Any]:
    """The key's entry in the provider's set."""
    if isinstance(key, rsa.RSAPrivateKey):
        entry = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        entry = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    entry.pop("key_ops", None)
    return entry | ({"kid": kid} if kid else {}) | more


def signed(key: PrivateKey = RSA_KEY, kid: str | None = "one", algorithm: str | None = None, **claims: Any) -> str:
    """A token with good claims but for those given; None leaves a claim out."""
    payload = {"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 3_600} | claims
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        key,
        algorithm=algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"),
        headers={"kid": kid} if kid else None,
    )


def signed_by_hmac(secret: bytes, kid: str) -> str:
    """An HS256 token over any secret; PyJWT would refuse to make one with a public key."""
    header = {"alg": "HS256", "typ": "JWT", "kid": kid}
    claims = {"sub": "eve", "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 3_600, "org_roles": ["ORG_ADMIN"]}
    signing_input = b".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (header, claims))
    signature = hmac.new(secret, signing_input, hashlib.sha256).digest()
    return (signing_input + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    provider.publish(public(RSA_KEY, "one"))
    yield provider
    provider.stop()


@pytest.fixture
async def verifier(provider: Provider, clock: Clock) -> AsyncIterator[OpenIdVerifier]:
    """One clock for the tokens' times and for the intervals between fetches: 10 s, and 300 s until keys are old."""
    async with plain_http.AsyncClient(trust_env=False) as http:
        verifier = OpenIdVerifier(provider.url, issuer=ISSUER, audience=AUDIENCE, http=http, clock=clock, ticks=clock)
        yield verifier
        await verifier.aclose()


async def test_an_rs256_token_names_its_actor(verifier: OpenIdVerifier) -> None:
    """User, name and both kinds of roles come from the provider's claims."""
    token = signed(name="Ada L.", org_roles=["OPERATOR"], workspace_roles={"loans": ["VIEWER"]})
    assert await verifier.verify(token) == Actor("ada", "Ada L.", ("OPERATOR",), {"loans": ("VIEWER",)})


async def test_an_es256_token_is_accepted(verifier: OpenIdVerifier, provider: Provider) -> None:
    """The second algorithm of the contract, with keys of both kinds in one set."""
    provider.publish(public(RSA_KEY, "one"), public(EC_KEY, "two"))
    assert (await verifier.verify(signed(EC_KEY, "two"))).user == "ada"
    assert (await verifier.verify(signed(RSA_KEY, "one"))).user == "ada"


async def test_keys_are_fetched_once(verifier: OpenIdVerifier, provider: Provider) -> None:
    """Different tokens by one key cost one request to the provider."""
    for user in ("ada", "bob", "eve"):
        await verifier.verify(signed(sub=user))
    assert provider.requests == 1


async def test_simultaneous_first_requests_share_a_fetch(verifier: OpenIdVerifier, provider: Provider) -> None:
    """A server that starts under load does not send its load on to the provider."""
    actors = await asyncio.gather(*(verifier.verify(signed(sub=f"user-{n}")) for n in range(20)))
    assert [actor.user for actor in actors] == [f"user-{n}" for n in range(20)]
    assert provider.requests == 1


async def test_a_caller_who_goes_away_does_not_end_the_shared_fetch(
    verifier: OpenIdVerifier, provider: Provider
) -> None:
    """A dropped connection cancels its own request only."""
    provider.open.clear()
    first = asyncio.create_task(verifier.verify(signed(sub="ada")))
    second = asyncio.create_task(verifier.verify(signed(sub="bob")))
    assert await asyncio.to_thread(provider.asked.wait, 10)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    provider.open.set()
    assert (await second).user == "bob"
    assert first.cancelled()


async def test_a_remembered_token_is_not_verified_again(
    verifier: OpenIdVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request of a client costs a lookup, no cryptography."""
    token = signed()
    first = await verifier.verify(token)
    monkeypatch.setattr(openid, "signed_claims", lambda *_, **__: pytest.fail("verified again"))
    assert await verifier.verify(token) is first


async def test_a_new_key_is_noticed(verifier: OpenIdVerifier, provider: Provider, clock: Clock) -> None:
    """After a rotation the first token by the new key makes the server ask the provider again."""
    await verifier.verify(signed())
    provider.publish(public(RSA_KEY, "one"), public(NEXT_RSA_KEY, "next"))
    clock.now += 10
    assert (await verifier.verify(signed(NEXT_RSA_KEY, "next"))).user == "ada"
    assert provider.requests == 2


async def test_unknown_keys_do_not_hammer_the_provider(
    verifier: OpenIdVerifier, provider: Provider, clock: Clock
) -> None:
    """Made-up key ids cause at most one fetch in ten seconds, however many come."""
    await verifier.verify(signed())
    for elapsed, requests in ((9.9, 1), (10.0, 2), (19.9, 2), (20.0, 3)):
        clock.now = NOW + elapsed
        for n in range(10):
            with pytest.raises(TokenInvalid, match="does not publish"):
                await verifier.verify(signed(NEXT_RSA_KEY, f"made-up-{n}"))
        assert provider.requests == requests


async def test_a_withdrawn_key_takes_its_remembered_tokens_along(
    verifier: OpenIdVerifier, provider: Provider, clock: Clock
) -> None:
    """A compromised key stops working once the server sees that it was withdrawn, even for tokens in memory."""
    token = signed()
    await verifier.verify(token)
    provider.publish(public(NEXT_RSA_KEY, "next"))
    clock.now += 300
    await verifier.verify(token)
    await verifier.keys_settled()
    with pytest.raises(TokenInvalid, match="does not publish"):
        await verifier.verify(token)


async def test_old_keys_are_fetched_anew_without_anybody_waiting(
    verifier: OpenIdVerifier, provider: Provider, clock: Clock
) -> None:
    """A provider that hangs holds up no request while there are keys to go on with."""
    await verifier.verify(signed())
    provider.open.clear()
    clock.now += 300
    async with asyncio.timeout(FETCH_TIMEOUT_SECONDS / 2):
        assert (await verifier.verify(signed(sub="bob"))).user == "bob"
    provider.open.set()
    await verifier.keys_settled()
    assert provider.requests == 2


async def test_unchanged_keys_keep_the_remembered_tokens(
    verifier: OpenIdVerifier, provider: Provider, clock: Clock
) -> None:
    """The regular fetch costs the provider one request, and the server no new verifications."""
    token = signed()
    first = await verifier.verify(token)
    clock.now += 300
    await verifier.verify(token)
    await verifier.keys_settled()
    assert provider.requests == 2
    assert await verifier.verify(token) is first


async def test_known_keys_outlive_the_provider(verifier: OpenIdVerifier, provider: Provider, clock: Clock) -> None:
    """When the provider goes down, those who have a token can go on working."""
    await verifier.verify(signed())
    provider.stop()
    clock.now += 301
    for user in ("bob", "eve"):
        assert (await verifier.verify(signed(sub=user))).user == user
        await verifier.keys_settled()


async def test_an_unknown_key_while_the_provider_is_down_is_not_the_callers_fault(
    verifier: OpenIdVerifier, provider: Provider, clock: Clock
) -> None:
    """It may be signed by a key that was published since, so the answer is "later", not "no"."""
    await verifier.verify(signed())
    provider.stop()
    clock.now += 10
    with pytest.raises(KeysUnavailable):
        await verifier.verify(signed(NEXT_RSA_KEY, "next"))


async def test_a_provider_that_was_never_reached_is_reported(verifier: OpenIdVerifier, provider: Provider) -> None:
    """Without any key nobody can be judged; the second request does not wait for another attempt."""
    provider.stop()
    for _ in range(2):
        with pytest.raises(KeysUnavailable) as refusal:
            await verifier.verify(signed())
        assert isinstance(refusal.value.__cause__, httpx.ConnectError)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"keys": []}'),
        (404, b""),
        (302, b""),
        (200, b"<html>"),
        (200, b"\xff"),
        (200, b"[]"),
        (200, b'{"keys": {}}'),
    ],
)
async def test_a_useless_answer_counts_as_unreachable(
    verifier: OpenIdVerifier, provider: Provider, clock: Clock, status: int, body: bytes
) -> None:
    """An error page is no key set; as soon as the provider is well again, so is the server."""
    provider.status, provider.body = status, body
    with pytest.raises(KeysUnavailable):
        await verifier.verify(signed())
    provider.publish(public(RSA_KEY, "one"))
    clock.now += 10
    assert (await verifier.verify(signed())).user == "ada"
    with pytest.raises(TokenInvalid, match="does not publish"):
        await verifier.verify(signed(NEXT_RSA_KEY, "next"))


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "key",
        {},
        {"kty": "RSA", "kid": "one"},
        {"kty": "RSA", "kid": "one", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "kid": "one", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "OKP", "kid": "one", "crv": "Ed25519", "x": "AA"},
        {"kty": "oct", "kid": "one", "k": "AAAA", "alg": "HS256"},
        public(RSA_KEY, "one", use="enc"),
        public(RSA_KEY, "one", alg="RSA-OAEP"),
        public(rsa.generate_private_key(public_exponent=65_537, key_size=1_024), "one"),
        public(ec.generate_private_key(ec.SECP384R1()), "one"),
        RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True) | {"kid": "one"},
    ],
    ids=[*range(14)],
)
async def test_an_unusable_key_does_not_spoil_the_others(
    verifier: OpenIdVerifier, provider: Provider, entry: Any
) -> None:
    """Keys for encryption, of other kinds, too short, broken or private are passed over, and never used."""
    provider.publish(entry, public(NEXT_RSA_KEY, "next"))
    assert (await verifier.verify(signed(NEXT_RSA_KEY, "next"))).user == "ada"
    with pytest.raises(TokenInvalid, match="does not publish"):
        await verifier.verify(signed(RSA_KEY, "one"))


async def test_a_token_that_names_no_key_needs_an_only_key(
    verifier: OpenIdVerifier, provider: Provider, clock: Clock
) -> None:
    """Without a kid there is nothing to choose by, so the token is accepted only while there is nothing to choose."""
    provider.publish(public(RSA_KEY, None))
    assert (await verifier.verify(signed(kid=None))).user == "ada"
    provider.publish(public(RSA_KEY, "one"), public(NEXT_RSA_KEY, "next"))
    clock.now += 300
    await verifier.verify(signed(kid=None))
    await verifier.keys_settled()
    with pytest.raises(TokenInvalid, match="does not publish"):
        await verifier.verify(signed(kid=None))


@pytest.mark.parametrize("issuer", [None, "https://id.example/realms/other", "", ISSUER + "/"])
async def test_another_issuer_is_refused(verifier: OpenIdVerifier, issuer: str | None) -> None:
    """The same keys may serve several realms: a token of another one is none of ours."""
    with pytest.raises(TokenInvalid, match="iss"):
        await verifier.verify(signed(iss=issuer))


@pytest.mark.parametrize("audience", [None, "another-service", [], ["another-service"]])
async def test_another_audience_is_refused(verifier: OpenIdVerifier, audience: Any) -> None:
    """A token that a user gave to another service must not be good here."""
    with pytest.raises(TokenInvalid, match=r"(a|A)ud"):
        await verifier.verify(signed(aud=audience))


async def test_one_audience_among_several_is_enough(verifier: OpenIdVerifier) -> None:
    """Providers list every service that a token is for."""
    assert (await verifier.verify(signed(aud=["another-service", AUDIENCE]))).user == "ada"


async def test_a_token_expires_with_a_little_leeway(verifier: OpenIdVerifier, clock: Clock) -> None:
    """Ten seconds for clocks that differ; then the token is refused, though it was remembered."""
    token = signed(exp=NOW)
    clock.now = NOW + 9.9
    assert (await verifier.verify(token)).user == "ada"
    clock.now = NOW + 10
    with pytest.raises(TokenExpired):
        await verifier.verify(token)


async def test_a_token_without_expiry_is_refused(verifier: OpenIdVerifier) -> None:
    """A token that is good for ever cannot be taken back."""
    with pytest.raises(TokenInvalid, match="exp"):
        await verifier.verify(signed(exp=None))


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_from_the_future_is_refused(verifier: OpenIdVerifier, clock: Clock, claim: str) -> None:
    """nbf and iat are honoured, with the same leeway."""
    times: dict[str, Any] = {claim: NOW + 10.1}
    token = signed(**times)
    with pytest.raises(TokenInvalid, match=claim):
        await verifier.verify(token)
    clock.now = NOW + 0.1
    assert (await verifier.verify(token)).user == "ada"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"sub": None}, "no sub"),
        ({"sub": ""}, "no sub"),
        ({"aud": 7}, "Invalid claim format"),
        ({"org_roles": "ORG_ADMIN"}, "org_roles"),
        ({"workspace_roles": {"loans": "VIEWER"}}, "workspace_roles"),
    ],
    ids=repr,
)
async def test_claims_of_a_wrong_shape_are_refused(verifier: OpenIdVerifier, claims: dict[str, Any], said: str) -> None:
    """A signed token whose claims cannot be understood gives no rights, not even some of them."""
    with pytest.raises(TokenInvalid, match=said):
        await verifier.verify(signed(**claims))


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
async def test_an_hs256_token_signed_with_the_public_key_is_refused(
    verifier: OpenIdVerifier, encoding: Encoding
) -> None:
    """Algorithm confusion: the public key is public, so as an HMAC secret everybody would have it."""
    secret = RSA_KEY.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(TokenInvalid, match="RS256 or ES256"):
        await verifier.verify(signed_by_hmac(secret, "one"))


async def test_another_algorithm_of_the_same_key_is_refused(verifier: OpenIdVerifier) -> None:
    """The key decides on the algorithm, not the token."""
    with pytest.raises(TokenInvalid, match="RS256 or ES256"):
        await verifier.verify(signed(algorithm="RS512"))


async def test_a_token_cannot_choose_a_key_of_another_kind(verifier: OpenIdVerifier, provider: Provider) -> None:
    """An ES256 token that names an RSA key finds none."""
    await verifier.verify(signed())
    with pytest.raises(TokenInvalid, match="does not publish"):
        await verifier.verify(signed(EC_KEY, "one"))


async def test_another_key_under_a_known_id_is_refused(verifier: OpenIdVerifier) -> None:
    """The signature is checked at all: a forger can copy the key id."""
    with pytest.raises(TokenInvalid, match="Signature"):
        await verifier.verify(signed(NEXT_RSA_KEY, "one"))


@pytest.mark.parametrize("token", ["", "..", "a.b.c", "not a token", "é.é.é", "\ud800", "x" * 20_000])
async def test_garbage_is_refused_without_asking_the_provider(
    verifier: OpenIdVerifier, provider: Provider, token: str
) -> None:
    """Whatever stands in the header, the answer is a refusal, and the provider hears nothing of it."""
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)
    assert provider.requests == 0


async def test_an_unsigned_token_is_refused_without_asking_the_provider(
    verifier: OpenIdVerifier, provider: Provider
) -> None:
    """The header's alg cannot switch the signature off."""
    token = jwt.encode({"sub": "eve", "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 60}, "", algorithm="none")
    with pytest.raises(TokenInvalid, match="RS256 or ES256"):
        await verifier.verify(token)
    assert provider.requests == 0
