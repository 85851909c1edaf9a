# Everything a person types. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint chaos soak bench kafka clean

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PORT ?= 9092

# The first Python that fits; PYTHON=... overrides it.
FITS := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(FITS)' 2>/dev/null && { echo $$p; break; }; done)
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --constraint constraints.txt

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 14

demo: $(VENV)/.runs ## Run a real shop's 13 months on an embedded broker (ARGS="--seconds 60 --json")
	@$(BIN)/concierge demo $(ARGS)

test: lint .kafka/.tried ## Set up, lint, check types and layers, run the tests (ARGS="-k name")
	@CONCIERGE_LINTED=1 $(BIN)/python -m pytest -n 2 $(ARGS)

test-all: lint .kafka/.tried ## The same with the long tests, as CI runs it
	@CONCIERGE_LINTED=1 $(BIN)/python -m pytest -n 2 -m "not chaos" $(ARGS)

lint: $(VENV)/.develops ## ruff, mypy --strict and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

chaos: .kafka/.tried ## Kill, freeze, flood and rebalance for long (ARGS="--kills 20 --seed 7 -k kills")
	@CONCIERGE_REQUIRE_KAFKA=1 $(BIN)/python -m pytest tests/chaos tests/integration/test_kill.py \
		tests/integration/test_security_*.py -m "" -s $(ARGS)

soak: .kafka/.tried ## Load a worker for 30 minutes; memory, files or lag that grow fail (ARGS="--minutes 2")
	@$(BIN)/python -m tests.chaos.soak $(ARGS)

bench: .kafka/.tried ## Measure speed against its peers (ARGS="--only same-job --quick", ARGS=--help)
	@$(BIN)/python -m tests.bench $(ARGS)

kafka: $(VENV)/.develops ## Run a real Kafka in the foreground (PORT=9092); needs Java 17 and Maven
	@$(BIN)/python -m tests.support.kafka --port $(PORT)

clean: ## Remove the virtual environment, Kafka's jars and all caches
	rm -rf $(VENV) .kafka .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf build ./*.egg-info

# Each file below is empty: it says that its step is done, so that the next run skips it.

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Concierge needs Python 3.11, 3.12 or 3.13 with venv." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing Concierge into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.develops: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing Concierge and its development tools into $(VENV)"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.runs

# Kafka's jars are a bonus on a developer's machine; CONCIERGE_REQUIRE_KAFKA=1 makes tests insist.
.kafka/.tried: $(VENV)/.develops deploy/kafka/pom.xml
	@mkdir -p .kafka
	@$(BIN)/python -m tests.support.kafka --fetch && touch $@ || echo "Tests on a real Kafka will be skipped."
