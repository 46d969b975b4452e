# Everything that is done to this repository, by name. `make help` lists it.

PYTHON ?= python3
VENV ?= .venv
VENV_PARITY ?= .venv-parity

BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := $(PIP_INSTALL) --require-hashes --no-deps
EDITABLE := $(PIP_INSTALL) --no-deps --editable .
CODE := $(wildcard src tests tools benchmarks)
UV ?= $(firstword $(wildcard $(BIN)/uv) $(shell command -v uv))
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes \
	--custom-compile-command "make lock" $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help setup dev demo serve test test-fast check format generate lock parity bench bench-setup clean
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

setup: $(VENV)/.run.stamp $(VENV)/.editable.stamp ## the environment to run Headrace in

dev: setup $(VENV)/.dev.stamp ## the same with all that development needs

demo: setup ## a tour on real data
	$(BIN)/python -m tools.demo

serve: setup ## the server, on this machine, until Ctrl-C
	$(BIN)/headrace serve

test: dev ## all tests; those of the parity environment are skipped here
	$(BIN)/python -m pytest

test-fast: dev ## unit and contract tests
	$(BIN)/python -m pytest $(wildcard tests/unit tests/contract)

check: dev ## every gate that is not a test
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/python tools/check_rules.py
	$(BIN)/python tools/check_sizes.py
	$(BIN)/python tools/generate.py --check
	$(BIN)/python -m benchmarks.render --check

format: dev ## format the code and mend what can be mended
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

generate: dev ## write the generated files again
	$(BIN)/python tools/generate.py
	$(BIN)/python -m benchmarks.render

lock: ## compile the locks again; UPGRADE=--upgrade takes newer versions
	@test -n "$(UV)" || { echo "headrace: uv is needed: make dev, or put uv on the PATH" >&2; exit 1; }
	$(COMPILE) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --extra s3 --extra postgresql --extra encrypt --group dev --constraints requirements/run.txt --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra parity --group test --constraints requirements/dev.txt \
		--output-file requirements/parity.txt
	@! grep -nE 'https?://' requirements/*.txt || { echo "headrace: a lock names a host" >&2; exit 1; }

parity: $(VENV_PARITY)/.run.stamp $(VENV_PARITY)/.editable.stamp ## the same plans on every engine, in an environment of its own
	$(VENV_PARITY)/bin/python -m pytest tests/parity

bench: ## how to run the benchmarks
	@echo "Each script in benchmarks/ answers one question and says at its top how it is run:"
	@echo "    make bench-setup && $(BIN)/python -m benchmarks.<name>"

bench-setup: setup ## what the benchmarks compare with
	$(BIN)/python $(PIP_INSTALL) --requirement benchmarks/requirements.txt

clean: ## remove environments, caches and builds
	rm -rf $(VENV) $(VENV_PARITY) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is made once; a stamp in it says which lock, and which pyproject.toml, it was filled from.
$(VENV)/.made.stamp $(VENV_PARITY)/.made.stamp:
	@sh tools/ensure_venv.sh $(PYTHON) $(@D)
	@touch $@

$(VENV)/.run.stamp: requirements/run.txt | $(VENV)/.made.stamp
$(VENV)/.dev.stamp: requirements/dev.txt | $(VENV)/.run.stamp
$(VENV_PARITY)/.run.stamp: requirements/parity.txt | $(VENV_PARITY)/.made.stamp
$(VENV)/.run.stamp $(VENV)/.dev.stamp $(VENV_PARITY)/.run.stamp:
	$(@D)/bin/python $(LOCKED) --requirement $<
	@touch $@

$(VENV)/.editable.stamp: pyproject.toml | $(VENV)/.run.stamp
$(VENV_PARITY)/.editable.stamp: pyproject.toml | $(VENV_PARITY)/.run.stamp
$(VENV)/.editable.stamp $(VENV_PARITY)/.editable.stamp:
	$(@D)/bin/python $(EDITABLE)
	@touch $@
