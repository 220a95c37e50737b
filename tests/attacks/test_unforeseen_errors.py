"""A mistake of the program meets one call: its caller learns that and no more, the log has all, the connection lives on."""

import json

from tests.attacks.raw_http import answer_of, connected, request, status_of
from tests.conftest import NewServer, token

SECRET_WORDS = "gone_by_a_test"


def test_a_connection_outlives_a_mistake(new_server: NewServer) -> None:
    """Two calls that fail and one that does not, over one connection; request ids lead to the tracebacks."""
    server = new_server()
    with server.database() as connection:
        connection.execute(f"ALTER VIEW audit_log RENAME TO {SECRET_WORDS}")
    path = "/api/v1/workspaces/bank/audit-log"
    with connected(server.port) as connection_under_test:
        for request_id in ("mistake-1", "mistake-2"):
            headers = (f"Authorization: Bearer {token()}", f"X-Request-Id: {request_id}")
            connection_under_test.sendall(request("GET", path, *headers))
            head, body = answer_of(connection_under_test)
            assert head.startswith(b"HTTP/1.1 500 ") and f"x-request-id: {request_id}".encode() in head
            assert json.loads(body)["type"] == "urn:procvars:internal-error"
            assert b"audit_log" not in body
        connection_under_test.sendall(request("GET", "/healthz"))
        assert status_of(connection_under_test) == 200
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    told = [line for line in lines if line["event"] == "unforeseen error"]
    assert [line["request_id"] for line in told] == ["mistake-1", "mistake-2"]
    assert all("UndefinedTable" in line["exception"] for line in told)
