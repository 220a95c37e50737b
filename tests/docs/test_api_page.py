"""docs/api.md says what the OpenAPI document says."""

from tests.docs.api_page import PAGE, page


def test_the_page_is_that_of_this_release() -> None:
    """If it is not: `.venv/bin/python -m tests.docs.api_page`."""
    assert PAGE.read_text() == page()
