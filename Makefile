# Needs Python 3.11 or later with pip, and Node.js 20.19 or later with npm; everything else is brought.
PYTHON ?= python3
UV := .uv/bin/uv
PROCVARS := .venv/bin/procvars
HOST ?= 127.0.0.1
PORT ?= 8080
# A real engine beside the demo: camunda7, which needs a JDK 17 or later and Maven.
ENGINE ?=

PROGRAM := $(shell find domain commands projections adapters api -name node_modules -prune -o -name '*.py' -print)

CONSOLE := api/console
CONSOLE_INSTALLED := $(CONSOLE)/node_modules/.package-lock.json
CONSOLE_BUILT := $(CONSOLE)/dist/index.html
CONSOLE_SOURCES := $(shell find $(CONSOLE)/src $(CONSOLE)/public -type f) $(wildcard $(CONSOLE)/*.ts $(CONSOLE)/*.html)

# A build that was interrupted is not taken for a finished one.
.DELETE_ON_ERROR:
.PHONY: install demo test check bench clean prerequisites

install: .venv/installed .venv/compiled $(CONSOLE_BUILT)

prerequisites:
	@./prerequisites $(PYTHON)

$(UV): | prerequisites
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

.venv/installed: $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --compile-bytecode --python $(PYTHON)
	touch $@

# Also where Python is told to write no bytecode: else every process would compile the program once more.
.venv/compiled: .venv/installed $(PROGRAM)
	printf '%s\n' $(PROGRAM) | .venv/bin/python -m compileall -q -i -
	touch $@

$(CONSOLE_INSTALLED): $(CONSOLE)/package.json $(CONSOLE)/package-lock.json $(CONSOLE)/.npmrc | prerequisites
	npm --prefix $(CONSOLE) ci --silent --no-audit --no-fund
	touch $@

$(CONSOLE_BUILT): $(CONSOLE_INSTALLED) $(CONSOLE_SOURCES)
	npm --prefix $(CONSOLE) run --silent build -- --logLevel warn

demo: install
	$(if $(ENGINE),.venv/bin/python -m tests.services --only $(ENGINE) run -- )$(PROCVARS) demo --host $(HOST) --port $(PORT)

check: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	npm --prefix $(CONSOLE) run --silent check

test: check
	npm --prefix $(CONSOLE) test --silent
	tests/console/install-chromium
	.venv/bin/python -m tests.side_by_side

bench: install
	.venv/bin/python -m tests.benchmarks

clean:
	rm -rf .venv .uv procvars-data test-artefacts $(CONSOLE)/node_modules $(CONSOLE)/dist
