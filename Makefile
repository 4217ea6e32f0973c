# From a fresh clone, with nothing but make and Python 3.10 or later:
#
#   make lint SRC=path/to/code   check that code with conclint
#   make test                    run every check and test of this project
#
# Both make a virtual environment in .venv first; the second time they start at once.

PYTHON ?= python3
SRC ?= src
CORPUS ?=
VENV := .venv
BENCH_VENV := .venv-bench

.PHONY: help lint test check format docs bench clean

help:
	@sed -n '3,4s/^# *//p' Makefile

lint: $(VENV)/installed
	@$(VENV)/bin/conclint check $(SRC)

test: check
	$(VENV)/bin/python -m pytest
	$(VENV)/bin/conclint check src tools bench

check: $(VENV)/installed-dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

format: $(VENV)/installed-dev
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

docs: $(VENV)/installed
	$(VENV)/bin/python -m tools.generate_docs

bench: $(BENCH_VENV)/installed
	$(BENCH_VENV)/bin/python -m bench.run --corpus "$(CORPUS)"

clean:
	rm -rf $(VENV) $(BENCH_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .conclint_cache

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# Dependency groups need pip 25.1, and the pip that comes with Python may be older.
$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(VENV)/bin/python -m pip install --quiet --group dev
	@touch $@

# The peers have an environment of their own: installed flake8 plugins join every flake8 run of the tests.
$(BENCH_VENV)/installed: pyproject.toml | $(BENCH_VENV)/bin/python
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BENCH_VENV)/bin/python -m pip install --quiet --editable . --group bench
	@touch $@

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "conclint needs Python 3.10 or later: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $*
