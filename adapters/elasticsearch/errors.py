"""Errors of a document, not of the connection to Elasticsearch: its stream is parked."""


class RejectedDocument(Exception):
    """Elasticsearch does not take the document of an instance."""

    def __init__(self, instance_id: str, why: str) -> None:
        super().__init__(f"Elasticsearch does not take the document of {instance_id}: {why}")


class TooManySearchKeys(Exception):
    """The definitions have more search keys, with all their types, than an index has fields for."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"more search keys than an index has fields for ({limit}); after a rebuild of search_index those that no "
            "definition has any more are gone"
        )
