# `make demo` and `make test` are all that a fresh machine with Python >= 3.11 needs; both re-use .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1

.PHONY: demo test lint type docs parity bench clean

demo: .venv/core.stamp
	$(BIN)/replearn demo

test: .venv/dev.stamp lint
	$(BIN)/mkdocs build --strict --quiet --site-dir .venv/site
	$(BIN)/python -m pytest -q

lint: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: .venv/dev.stamp
	$(BIN)/mkdocs serve

bench: .venv/bench.stamp
	$(BIN)/python benchmarks/speed.py

parity: .venv/bench.stamp
	$(BIN)/python benchmarks/parity.py

.venv/core.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "replearn needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=/path/to/python3.11."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/dev.stamp: .venv/core.stamp
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

.venv/bench.stamp: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

clean:
	rm -rf .venv site
