"""A running server as a command speaks to it: as the user of a token, under the same rules as anybody else."""

from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import typer

from procvars.domain.documents.documents import decode, encode
from procvars.domain.documents.values import Json
from procvars.domain.errors import DomainError

_SECONDS = 130.0
_PROBLEM = "application/problem+json"

ServerUrl = Annotated[str, typer.Option("--server", envvar="PROCVARS_SERVER", help="Address of a running server.")]
Token = Annotated[
    str, typer.Option("--token", envvar="PROCVARS_TOKEN", help="Who does it; in the environment, others do not see it.")
]
WorkspaceName = Annotated[str, typer.Option("--workspace", "-w", envvar="PROCVARS_WORKSPACE")]
DEFAULT_SERVER = "http://127.0.0.1:8080"


class ServerUnreachable(DomainError):
    """The server does not answer."""


class Refused(DomainError):
    """The server refused the request."""


class Workspace:
    """The calls of one user in one workspace."""

    def __init__(self, server: str, token: str, workspace: str) -> None:
        self._http = httpx.Client(
            base_url=f"{server.rstrip('/')}/api/v1/workspaces/{workspace}/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_SECONDS,
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return the answer's JSON. Raises ServerUnreachable, Refused."""
        return self._answer("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Json, headers: Mapping[str, str] | None = None) -> Any:
        """Return the answer's JSON. Raises ServerUnreachable, Refused."""
        return self._answer(
            "POST", path, content=encode(body), headers={"Content-Type": "application/json", **(headers or {})}
        )

    def _answer(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServerUnreachable(f"The server does not answer: {error}") from error
        if answer.is_success:
            return decode(answer.content)
        if answer.headers.get("content-type", "").startswith(_PROBLEM):
            problem = answer.json()
            raise Refused(f"{problem['detail']} ({problem['type'].rpartition(':')[2]})", **_members(problem))
        raise Refused(f"The server answered {answer.status_code}.")


def _members(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name not in ("type", "title", "status", "detail")}
