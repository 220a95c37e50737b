from tests.projections.databases import embedded_server

__all__ = ["embedded_server"]
