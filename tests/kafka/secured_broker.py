"""A Kafka broker that asks for TLS and SASL, as a company's does."""

import base64
import json
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

from tests.certificates import Authority
from tests.loopback_server import LoopbackServer, send
from tests.services.build_tools import run
from tests.services.free_port import free_port
from tests.services.java_server import Installation
from tests.services.kafka_broker import KafkaBroker

USER, PASSWORD, SCOPE = "procvars", "s3cret", "kafka"
_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
_LISTENER = """
listeners=INTERNAL://127.0.0.1:{internal},SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=INTERNAL://127.0.0.1:{internal},SASL_SSL://127.0.0.1:{port}
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=INTERNAL:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config={kinds}.plain.PlainLoginModule required user_{user}="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={kinds}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={kinds}.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config={kinds}.oauthbearer.OAuthBearerLoginModule required \
unsecuredLoginStringClaim_sub="broker";
"""


class SecuredKafkaBroker(KafkaBroker):
    """Clients sign in by any mechanism as USER with PASSWORD, or with a token of `TokenEndpoint`."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._authority = authority
        self._internal_port = free_port()

    @classmethod
    def fetch(cls) -> Installation:
        """The installation of the plain broker."""
        return KafkaBroker.fetch()

    def _main(self, home: Path) -> Sequence[str | Path]:
        *options, properties = super()._main(home)
        given = dict(
            line.split("=", 1) for line in Path(properties).read_text().splitlines() if line[:1] not in ("", "#")
        )
        keystore = self.directory / "keystore.pem"
        keystore.write_bytes(self._authority.key.read_bytes() + self._authority.certificate.read_bytes())
        listener = _LISTENER.format(
            internal=self._internal_port,
            port=self.port,
            controller=given["controller.quorum.voters"].rpartition(":")[2],
            keystore=keystore,
            kinds="org.apache.kafka.common.security",
            user=USER,
            password=PASSWORD,
        )
        given |= dict(line.split("=", 1) for line in listener.strip().splitlines())
        given["log.dirs"] = str(self.directory / "scram-data")
        Path(properties).write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        # Users of SCRAM are created when the log directory is formatted.
        users = [f"--add-scram={kind}=[name={USER},password={PASSWORD}]" for kind in _MECHANISMS]
        java = self.fetch().jdk.tool("java")
        format_log = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", properties]
        run([java, "-Xmx128m", "-cp", "lib/*", *format_log, *users], home, self.fetch().jdk)
        return [*options, properties]


class TokenEndpoint(LoopbackServer):
    """Issues tokens for the client USER with PASSWORD. `issued`: how many so far."""

    def __init__(self, authority: Authority) -> None:
        self.issued = 0
        super().__init__(authority)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        form = parse_qs(request.rfile.read(int(request.headers["Content-Length"])).decode())
        client = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers["Authorization"] != client or form != {
            "grant_type": ["client_credentials"],
            "scope": [SCOPE],
        }:
            send(request, 401, b'{"error": "invalid_client"}')
            return
        self.issued += 1
        now = int(time.time())
        parts = ({"alg": "none"}, {"sub": USER, "iat": now, "exp": now + 600, "scope": SCOPE})
        encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        answer = {"access_token": ".".join(encoded) + ".", "token_type": "Bearer", "expires_in": 600}
        send(request, 200, json.dumps(answer).encode())
