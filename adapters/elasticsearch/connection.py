"""Elasticsearch client, and the translation of its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elastic_transport import HttpxAsyncHttpNode
from elastic_transport.client_utils import DEFAULT
from elasticsearch import ApiError, AsyncElasticsearch, TransportError
from elasticsearch.serializer import OrjsonSerializer

from procvars.domain.errors import SearchUnavailable

_TIMEOUT_SECONDS = 30.0
_OF_THE_REQUEST = (400, 413)


def client(url: str, api_key: str | None, ca_file: Path | None = None) -> AsyncElasticsearch:
    """Return a client, which connects with its first request. The URL may contain `user:password@`; an API key, in
    base64, replaces that. Certificates of the authorities in the PEM file `ca_file` are accepted beside the public ones.
    """
    return AsyncElasticsearch(
        url,
        api_key=api_key,
        node_class=HttpxAsyncHttpNode,
        serializer=OrjsonSerializer(),
        request_timeout=_TIMEOUT_SECONDS,
        # A projection backs off, and a search fails with an error: neither gains from an immediate retry.
        max_retries=0,
        ca_certs=DEFAULT if ca_file is None else str(ca_file),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Translate the driver's errors to SearchUnavailable, except those that the request caused: an `ApiError` 400 or
    413.
    """
    try:
        yield
    except TransportError as error:
        raise SearchUnavailable(f"Elasticsearch cannot be reached: {error.message}") from error
    except ApiError as error:
        if error.status_code in _OF_THE_REQUEST:
            raise
        raise SearchUnavailable(f"Elasticsearch answers {error.status_code}: {reason(error)}") from error


def reason(error: ApiError) -> str:
    """Return Elasticsearch's reason for the error, with the cause if it names one."""
    details = error.body.get("error") if isinstance(error.body, dict) else None
    if not isinstance(details, dict):
        return error.message
    # For a search that failed in every shard, the details only count them.
    roots = details.get("root_cause")
    return described(roots[0] if roots else details)


def described(details: dict[str, object]) -> str:
    """Return type and reason of an `error` object in an answer, down to the first cause."""
    text = f"{details.get('type')}: {details.get('reason')}"
    cause = details.get("caused_by")
    return f"{text} ({described(cause)})" if isinstance(cause, dict) else text
