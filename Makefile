# What a person does with Staymesh. `make help` says it in short; CONTRIBUTING.md says more.

.DEFAULT_GOAL := help
.PHONY: help venv dev up down test check bench gen

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
SOURCES := .

# The first of these that is new enough and can make an environment; name another by PYTHON=...
CANDIDATES := python3.13 python3.12 python3.11 python3.14 python3
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
FIND_PYTHON = for candidate in $(CANDIDATES); do \
	"$$candidate" -c '$(USABLE)' >/dev/null 2>&1 && { command -v "$$candidate"; break; }; done

help: ## Say what can be made
	@echo "Staymesh: the backend of a short-term-rental marketplace."
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) \
		| sed -E 's/^([a-z]+):[^#]*## *(.*)/  make \1\t\2/' | expand -t 16

up: venv ## Start everything and say where it is (make up ARGS=--detach)
	@exec $(BIN)/staymesh up $(ARGS)

down: venv ## Stop what `make up ARGS=--detach` started
	@exec $(BIN)/staymesh down $(ARGS)

test: dev ## Run all tests against the real parts, in a folder and on ports of their own
	$(BIN)/python -m pytest $(ARGS)

check: dev ## Check style, types, the import arrow, the contracts and their stubs
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/protos.py lint
	$(BIN)/python tools/protos.py check

bench: dev ## Measure, and print one table of ratios
	$(BIN)/python -m bench $(ARGS)

gen: dev ## Make the stubs and descriptor sets from the protos
	$(BIN)/python tools/protos.py gen

venv: $(VENV)/.installed ## Make .venv with the locked dependencies

dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(BIN)/python -c '$(USABLE)' 2>/dev/null || { \
		python="$(PYTHON)"; [ -n "$$python" ] || python=$$($(FIND_PYTHON)); \
		[ -n "$$python" ] || { echo "staymesh: needs Python 3.11 or newer with its venv module," \
			"and found none; install it (Debian: python3 python3-venv)," \
			"or name it: make up PYTHON=/path/to/python3" >&2; exit 1; }; \
		"$$python" -c '$(USABLE)' 2>/dev/null || { echo "staymesh: $$python is too old or lacks" \
			"the venv module; name a Python 3.11 or newer" >&2; exit 1; }; \
		echo "Making $(VENV) with $$python"; \
		"$$python" -m venv --clear $(VENV); }
	@echo "Installing the locked dependencies (a minute or two the first time)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the tools for checks and tests"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
