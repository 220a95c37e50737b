# Needs Python 3.11 or later with pip; everything else is brought.
PYTHON ?= python3
UV := .uv/bin/uv
PROCVARS := .venv/bin/procvars
HOST ?= 127.0.0.1
PORT ?= 8080

.PHONY: install demo test check bench clean

install: .venv/installed

$(UV):
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

.venv/installed: $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --python $(PYTHON)
	touch $@

demo: install
	$(PROCVARS) demo --host $(HOST) --port $(PORT)

check: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

test: check
	.venv/bin/pytest

bench: install
	.venv/bin/python -m tests.benchmarks

clean:
	rm -rf .venv .uv procvars-data
