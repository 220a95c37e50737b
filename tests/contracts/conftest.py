from tests.projections.databases import connection, database_url, embedded_server

__all__ = ["connection", "database_url", "embedded_server"]
