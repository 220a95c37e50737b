"""Refusals at the HTTP edge: the domain knows nothing of tokens, headers and media types."""

from procvars.domain.errors import DomainError


class Unauthenticated(DomainError):
    """A bearer token is needed."""


class PermissionDenied(DomainError):
    """The caller does not have the permission that this needs."""


class WorkspaceNotFound(DomainError):
    """There is no such workspace for this caller."""


class PreconditionRequired(DomainError):
    """If-Match is needed: the version, in quotes, of the variables that the edit is based on."""


class UnsupportedMediaType(DomainError):
    """The content type of the request is not one that this accepts."""

    def __init__(self, detail: str, headers: dict[str, str]) -> None:
        """Answer with `headers`, which tell the caller what would be accepted."""
        super().__init__(detail)
        self.headers = headers


class RequestTooLarge(DomainError):
    """The body of the request is larger than this server accepts."""


class LineTooLong(DomainError):
    """The line is longer than this server takes."""


class HeavyRequestFailed(DomainError):
    """The process that large requests run in ended before this one was answered: it may have been carried out or not."""


class ConsoleNotBuilt(DomainError):
    """The console was not built into this installation: `make install` does it. The API works without it."""


class MalformedRequest(DomainError):
    """What came over the connection is not HTTP."""


class HeadTooLarge(DomainError):
    """The request line and the headers are more than this server accepts."""


class TooManyConnections(DomainError):
    """The server has as many connections as it can serve; try again later."""


class Stopping(DomainError):
    """The server is stopping before the call is done: it may have been carried out or not."""
