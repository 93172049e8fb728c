# Two commands for people: `make demo` and `make test`. Each sets up all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check bench format lock jar-lock clean

help:
	@echo "make demo    the whole pipeline on this machine, with live edits; Ctrl-C ends it"
	@echo "make test    every test, on a real MariaDB, Kafka and Connect"
	@echo "make check   format, lint, types, imports"
	@echo "make bench   the benchmarks, each beside its limit"

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11: make PYTHON=/path/to/a/newer/python3"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	$(BIN)/commerce-sync demo $(DEMO)

test: $(READY)
	$(BIN)/pytest $(TEST)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/commerce-sync bench freshness
	$(BIN)/commerce-sync bench build
	$(BIN)/commerce-sync bench import

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The lock of Python packages: hashes, no addresses. Needs uv.
lock:
	uv lock
	uv export --quiet --no-emit-project --all-extras --no-annotate --no-header \
		--format requirements-txt --output-file requirements.txt

# The lock of the local stack's jars. Needs mvn.
jar-lock: $(READY)
	$(BIN)/python infra/local/lock_jars.py

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis
