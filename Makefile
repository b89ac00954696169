# Needs Python 3.11 or later, and make. Everything else is installed into .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help serve cluster test check format docs bench torture clean

PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$name; break; fi; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

help: ## Show what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; \
	do printf '  make %-8s %s\n' "$$name" "$$what"; done

serve: .venv/serve ## Install if needed, and run the API with the embedded engine
	@exec $(BIN)/itemstore serve $(OPTIONS)

cluster: .venv/serve ## Install if needed, and run a cluster of six servers to try the API on
	@exec $(BIN)/python -m itemstore.engine.run_local_cluster $(OPTIONS)

# Many tests wait for a process more than they compute, so there is one more run than cores. More
# than four gain nothing: the longest tests take as long.
RUNS = $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 3 ? cores + 1 : 4)))
PYTEST = $(BIN)/python -m pytest --numprocesses $(RUNS) --dist worksteal

test: check ## Install if needed, and run everything that CI runs
	@$(PYTEST) $(OPTIONS) || { test $$? -eq 1 && $(BIN)/python -m tests.again; }

check: .venv/test ## Lint, types, and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/test ## Format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

docs: .venv/docs ## Build the pages as a site in site/ (to look at it: OPTIONS=--serve)
	@$(BIN)/python -m docs.site $(OPTIONS)

bench: .venv/bench ## Measure against what a user would write instead (needs wrk)
	@$(BIN)/python -m benchmarks $(OPTIONS)

torture: .venv/test ## Kill, cut and fuzz the store for seven minutes, and check every answer
	@$(BIN)/python -m tests.torture $(OPTIONS)

clean: ## Remove what was installed, not the data
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis

# A stamp for each set of packages: made again when pyproject.toml changes.
.venv/serve: pyproject.toml | $(BIN)/python
	@echo "Installing itemstore into .venv" >&2
	@$(PIP) --editable .
	@touch $@

.venv/test: pyproject.toml | $(BIN)/python
	@echo "Installing itemstore and its test tools into .venv" >&2
	@$(PIP) --editable '.[test,docs]'
	@touch $@ .venv/docs .venv/serve

.venv/docs: pyproject.toml | $(BIN)/python
	@echo "Installing itemstore and what makes its site into .venv" >&2
	@$(PIP) --editable '.[docs]'
	@touch $@ .venv/serve

.venv/bench: pyproject.toml | $(BIN)/python
	@$(PIP) --editable '.[test,bench]'
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "itemstore needs Python 3.11 or later on PATH." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }  # half of one would be taken for one
