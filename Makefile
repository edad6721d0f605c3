# `make run` starts Dramac, `make test` runs every test, `make help` lists the rest. Needs Python 3.11 or later and make.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
# The one of .venv, else the newest that is new enough; PYTHON=/path/to/python chooses another.
ifndef PYTHON
PYTHON := $(shell for python in $(PY) python3.13 python3.14 python3.12 python3.11 python3 python; do \
	"$$python" -S -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v "$$python"; break; }; done)
endif
ARGS ?=

.PHONY: help run test e2e check fix bench assets lock install-run install-test chromium node need-python

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: install-run ## set everything up and start Dramac; ctrl-C stops it
	@exec $(PY) -m app.dev run

test: install-test chromium node ## every test, browser journeys included (ARGS="-k word" narrows)
	@exec $(PY) -m pytest -n logical --maxprocesses 8 $(ARGS)

e2e: install-test chromium node ## the browser journeys alone
	@exec $(PY) -m pytest tests/e2e $(ARGS)

check: install-test ## formatting, lint, types, import contracts, template and migration lints
	@status=0; \
	$(PY) -m ruff format --check --quiet --output-format concise . || { echo "Formatting differs: make fix puts it right."; status=1; }; \
	$(PY) -m ruff check --quiet --output-format concise . || status=1; \
	$(PY) -m app.dev.lint || status=1; \
	.venv/bin/lint-imports || status=1; \
	$(PY) -m mypy || status=1; \
	exit $$status

fix: install-test ## format and repair what a tool can repair
	@$(PY) -m ruff check --quiet --fix . || true
	@$(PY) -m ruff format --quiet .

bench: install-test ## the performance table of docs/performance.md
	@exec $(PY) -m bench $(ARGS)

assets: ## rebuild static/dist from frontend/ and static/sdk from packages/sdk (needs Node 20 or later; the result is committed)
	@command -v npm >/dev/null || { echo "make assets needs Node 20 or later with npm: https://nodejs.org"; exit 1; }
	@cd packages/sdk && npm ci --ignore-scripts --no-audit --no-fund && npm run build
	@cd frontend && npm ci --ignore-scripts --no-audit --no-fund && npm run build

lock: install-test ## pin every dependency of the requirements*.in files anew
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@for name in requirements requirements-embedded requirements-dev; do \
		.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
			--upgrade -o $$name.txt $$name.in || exit 1; done

install-run: need-python
	@"$(PYTHON)" app/dev/install.py run

install-test: need-python
	@"$(PYTHON)" app/dev/install.py test

chromium: install-test
	@$(PY) -m tests.support.chromium

node: install-test
	@$(PY) -m tests.support.node

need-python:
	@test -n "$(PYTHON)" || { echo "Dramac needs Python 3.11 or later, and none is on the PATH: https://www.python.org/downloads/"; exit 1; }
