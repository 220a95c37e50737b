"""Real Kafka, Elasticsearch and PostgreSQL for the tests, started without containers.

Tests take them from `tests.services.fixtures`; a developer starts them with `python -m tests.services up`.
"""
