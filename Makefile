# `make demo` and `make test` are all that a fresh machine with Python >= 3.11 needs; both re-use .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := .venv-uv/bin/uv
# What to test: `make test-oldest TESTS=tests/data` tests a part, `make test LANE=--all` all of it.
TESTS :=
LANE :=
# A process per core; the files that take the longest begin first (conftest.py).
PYTEST := -m pytest -q -n auto --dist loadfile --no-loadscope-reorder
# Versions that are known to work together, those that pip builds the package with among them.
CONSTRAINTS := constraints.txt
export PIP_CONSTRAINT := $(CONSTRAINTS)
export PIP_BUILD_CONSTRAINT := $(CONSTRAINTS)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1

.PHONY: demo test test-all checks test-newest test-oldest constraints lint type book docs parity bench gpu clean

demo: $(VENV)/core.stamp
	$(BIN)/replearn demo

# The fast lane: of tests that take minutes for all methods, one method of each mechanism.
test: checks
	$(BIN)/python $(PYTEST) $(LANE) $(TESTS)

# Every test.
test-all: LANE := --all
test-all: test

checks: $(VENV)/dev.stamp lint
	$(BIN)/mkdocs build --strict --quiet --site-dir .venv/site

# The newest releases that the declared ranges admit, which no constraints hold back.
test-newest:
	rm -rf .venv-newest
	$(MAKE) VENV=.venv-newest CONSTRAINTS= .venv-newest/dev.stamp
	.venv-newest/bin/python $(PYTEST) $(TESTS)

# The lowest releases that are declared.
test-oldest: $(UV)
	rm -rf .venv-oldest && mkdir .venv-oldest
	$(UV) pip compile --quiet --resolution lowest-direct --python $(PYTHON) --extra dev --group build --no-annotate \
		--output-file .venv-oldest/constraints.txt pyproject.toml
	$(MAKE) VENV=.venv-oldest CONSTRAINTS=.venv-oldest/constraints.txt .venv-oldest/dev.stamp
	.venv-oldest/bin/python $(PYTEST) $(TESTS)

# For every Python and system, and all extras at once; what is held back stands in pyproject.toml. Then run `make test`.
constraints: $(UV)
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --group build --no-annotate \
		--custom-compile-command "make constraints" --output-file constraints.txt pyproject.toml

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# The lectures as a book.
book: $(VENV)/dev.stamp
	$(BIN)/replearn lectures

docs: $(VENV)/dev.stamp
	$(BIN)/mkdocs serve

bench: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/speed.py

# Contract tests and speed on one GPU, in at most eight minutes; without one, a line that says so.
gpu: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/gpu.py

parity: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/parity.py

$(VENV)/core.stamp: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "replearn needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=/path/to/python3.11."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/core.stamp
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

$(UV):
	$(PYTHON) -m venv .venv-uv
	PIP_CONSTRAINT= .venv-uv/bin/python -m pip install --quiet uv

clean:
	rm -rf .venv .venv-newest .venv-oldest .venv-uv site
