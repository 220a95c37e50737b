"""Suites of the standards that this program names. `python -m pytest tests/suites --collect-only -q` counts their cases."""
