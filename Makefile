# Every target is one command on a fresh machine: each makes .venv first, with uv where it is installed,
# otherwise with venv and pip. `make PYTHON=python3.13 ...` chooses the interpreter.

BIN := .venv/bin
VENV := .venv/.made
# What the tests run on: every engine that reads answers off the wire.
ENGINES := h11 httptools

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv sync format check test bench demo snapshots pictures docs clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(VENV) ## make .venv with everything that the other targets need

$(VENV): pyproject.toml
	@set -e; \
	if command -v uv >/dev/null 2>&1; then \
		set -x; \
		uv venv --quiet --allow-existing --python "$(or $(PYTHON),>=3.11)" .venv; \
		uv pip install --quiet --python $(BIN)/python --editable . --group dev --group docs; \
	else \
		for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python) none; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		done; \
		if [ "$$python" = none ]; then \
			echo "scapi needs Python 3.11 or newer, and none of these is: $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)." >&2; \
			echo "Install one (or uv, which brings its own), or name it: make PYTHON=/path/to/python" >&2; \
			exit 1; \
		fi; \
		set -x; \
		"$$python" -m venv .venv; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'; \
		$(BIN)/python -m pip install --quiet --editable . --group dev --group docs; \
	fi
	@touch $@

sync: $(VENV) ## write the sync world (src/scapi/_sync, tests/_sync) from the async one
	$(BIN)/python tools/build_sync.py

format: $(VENV) ## format the code and apply the safe fixes
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

check: $(VENV) ## lint, format, the sync world in step, pyright and mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/build_sync.py --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/mypy

test: $(VENV) ## run all tests on both engines, with branch coverage
	rm -f .coverage
	set -e; for engine in $(ENGINES); do \
		SCAPI_ENGINE=$$engine $(BIN)/python -m pytest --cov --cov-append --cov-report= --cov-fail-under=0; \
	done
	$(BIN)/coverage report

bench: $(VENV) ## measure against the peers, and write the table in benchmarks/README.md
	$(BIN)/python -m benchmarks

demo: $(VENV) ## show the client at work against the fake API on this machine
	$(BIN)/python -m scapi demo

snapshots: $(VENV) ## write the tables that the tests of the terminal compare with anew
	$(BIN)/python -m tests.cli.snapshots

pictures: $(VENV) ## draw the pictures of the README and the documentation (docs/img) anew
	$(BIN)/python -m tools.pictures

docs: $(VENV) ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

clean: ## remove .venv, caches and build results
	rm -rf .venv .bench .coverage htmlcov dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
