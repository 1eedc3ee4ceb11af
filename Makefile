# Everything there is to do here. Each target first makes what it needs: on a bare Debian with Python 3.11 and apt,
# `make test` is enough. `make help` lists them.

# Debian's own Python, where it is new enough: it was compiled with a profile of itself, and runs all of this a fifth faster than
# one that was compiled without (as pyenv does, unless told otherwise).
PYTHON ?= $(shell /usr/bin/python3 -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo /usr/bin/)python3
ARGS ?=

# With it set, pytest would prepare every test file anew on every run.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PODIO_JS := tests/clients/podio_js/node_modules/.ready
AXE := tests/browser/axe/node_modules/.ready
NPM_CI := PATH="$(abspath $(BIN)):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11

# What to install, by apt-get when we are root and by asking otherwise: $(call apt,packages)
apt = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then echo "Installing $(1) by apt-get"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(1) >/dev/null; \
	else echo "This needs $(1). Please install it as root (apt-get install $(1)) and call make again." >&2; exit 1; fi

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench screenshots lock format clean browser

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv from the lock file, where it is missing or the lock has changed

demo: $(READY) ## Start a server and a receiver, change an item and watch the deliveries arrive
	@$(BIN)/tidings demo $(ARGS)

test: $(READY) $(PODIO_JS) $(AXE) browser ## Run the whole suite (ARGS="-k lanes" for a part)
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: $(READY) ## The whole law: format, lint, types, imports, unit tests, the store on SQLite, docs in step
	@echo "== format" && $(BIN)/ruff format --check --quiet .
	@echo "== lint" && $(BIN)/ruff check --quiet .
	@echo "== types" && $(BIN)/mypy --no-error-summary
	@echo "== imports" && $(BIN)/lint-imports --no-logo
	@echo "== tests" && $(BIN)/pytest -q -n auto --durations=0 --durations-min=2 -m "not postgresql" tests/unit tests/store

bench: $(READY) ## Measure deliveries against wrk on this machine, and write bench/out/
	@command -v wrk >/dev/null || { $(call apt,wrk); }
	@$(BIN)/python -m bench $(ARGS)

screenshots: $(READY) browser ## Make the pictures of docs/console.md
	@$(BIN)/python -m docs.screenshots

lock: $(READY) ## Write the lock files anew after a change of pyproject.toml (ARGS=--upgrade for newer versions)
	$(COMPILE) $(ARGS) --all-extras --group dev pyproject.toml -o requirements/dev.lock
	$(COMPILE) $(ARGS) --extra server --extra postgres --extra s3 -c requirements/dev.lock pyproject.toml -o requirements/server.lock

format: $(READY) ## Put every file into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Take away what the other targets made
	rm -rf $(VENV) dist bench/out tests/*/*/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# podio-js, which the suite runs unchanged, and axe-core, which looks at our pages; Node.js comes from a wheel.
$(PODIO_JS) $(AXE): %/node_modules/.ready: %/package-lock.json $(READY)
	@echo "Installing $* from npm"
	@cd $* && $(NPM_CI)
	@touch $@

# The browser that the suite drives: Debian's Chromium, its build without a window.
browser:
	@command -v chromium-headless-shell >/dev/null || { $(call apt,chromium-headless-shell); }

$(READY): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tidings needs Python 3.11 or newer. Name one: make PYTHON=python3.13" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "Making $(VENV)"; $(PYTHON) -m venv --clear $(VENV) >/dev/null; } || \
		{ $(call apt,python3-venv); $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing what requirements/dev.lock names (a minute or two)"
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
