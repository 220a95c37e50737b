"""A small OpenID provider of the tests' own: discovery, keys, authorization code with PKCE (S256), refresh, sign-out.

It knows the console from nowhere but the protocol, and refuses whatever the protocol says it has to.
"""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.loopback_server import LoopbackServer, send

CLIENT_ID = "procvars-console"
AUDIENCE = "procvars"
_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


class OpenIdProvider(LoopbackServer):
    """`lifetime`: seconds that the next access token is good for. `refreshes`: how often one was asked for."""

    def __init__(self) -> None:
        self.lifetime = 3_600
        self.refreshes = 0
        self.refresh_accepted = True
        self._codes: dict[str, dict[str, str]] = {}
        super().__init__()
        self.issuer = f"{self.address}/realms/bank"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.command == "POST":
            self._post(request)
        else:
            self._get(request)

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path.removeprefix("/realms/bank"):
            case "/.well-known/openid-configuration":
                endpoints = {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize?tenant=7",
                    "token_endpoint": f"{self.issuer}/token",
                    "end_session_endpoint": f"{self.issuer}/logout",
                    "jwks_uri": f"{self.issuer}/jwks",
                }
                _json(request, 200, endpoints)
            case "/jwks":
                key = RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
                _json(request, 200, {"keys": [{**key, "kid": "one", "use": "sig"}]})
            case "/authorize":
                self._authorize(request, query)
            case "/logout":
                _page(request, f"<h1>Signed out</h1><a href='{query['post_logout_redirect_uri']}'>Back</a>")
            case _:
                _page(request, "", 404)

    def _authorize(self, request: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        asked = (query["response_type"], query["client_id"], query["code_challenge_method"], query.get("tenant"))
        if asked != ("code", CLIENT_ID, "S256", "7") or "openid" not in query["scope"].split():
            _page(request, f"<h1>Refused</h1>{asked}", 400)
            return
        if "user" not in query:
            fields = "".join(f"<input type='hidden' name='{name}' value='{value}'>" for name, value in query.items())
            users = "".join(f"<button name='user' value='{user}'>{user}</button>" for user in ("grace", "denied"))
            _page(request, f"<h1>The bank's sign-in</h1><form>{fields}{users}</form>")
            return
        answer = {"state": query["state"], "iss": self.issuer}
        if query["user"] == "denied":
            answer |= {"error": "access_denied", "error_description": "The bank says no."}
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self._codes[answer["code"]] = query
        request.send_response(302)
        request.send_header("Location", f"{query['redirect_uri']}?{urlencode(answer)}")
        request.end_headers()

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if form["grant_type"] == "refresh_token":
            self.refreshes += 1
            if self.refresh_accepted and form["refresh_token"] == "refresh-grace":
                self._issue(request, "grace")
            else:
                _json(request, 400, {"error": "invalid_grant"})
            return
        # A code is good for one try, whatever comes of it.
        asked = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or challenge.decode() != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            _json(request, 400, {"error": "invalid_grant", "error_description": "The code is not good."})
            return
        self._issue(request, asked["user"])

    def _issue(self, request: BaseHTTPRequestHandler, user: str) -> None:
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": user,
            "name": user.title(),
            "workspace_roles": {"bank": ["WORKSPACE_ADMIN", "ENGINE"]},
            "exp": time.time() + self.lifetime,
        }
        token = jwt.encode(claims, _KEY, algorithm="RS256", headers={"kid": "one"})
        identity = {**claims, "aud": CLIENT_ID, "iat": time.time()}
        answer = {
            "access_token": token,
            "id_token": jwt.encode(identity, _KEY, algorithm="RS256", headers={"kid": "one"}),
            "token_type": "Bearer",
            "refresh_token": f"refresh-{user}",
        }
        _json(request, 200, {**answer, "expires_in": self.lifetime})


def _json(request: BaseHTTPRequestHandler, status: int, content: Any) -> None:
    _send(request, status, "application/json", json.dumps(content))


def _page(request: BaseHTTPRequestHandler, content: str, status: int = 200) -> None:
    _send(request, status, "text/html", f"<!doctype html><title>Sign-in</title>{content}")


def _send(request: BaseHTTPRequestHandler, status: int, media_type: str, content: str) -> None:
    origin = request.headers.get("Origin", "null")
    send(request, status, content.encode(), Content_Type=media_type, Access_Control_Allow_Origin=origin)
