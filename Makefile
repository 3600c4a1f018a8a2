# Every target is one command on a fresh machine: each puts what it needs into .venv first, with uv where it is
# installed, otherwise with venv and pip. .venv grows: the demo needs little, the tests and the documentation much more.
# `make PYTHON=python3.13 ...` chooses the interpreter.

BIN := .venv/bin
DEMO := .venv/.demo
VENV := .venv/.made
DOCS := .venv/.docs
# One process for each core, and what is left is shared out anew as soon as one of them has nothing to do.
PYTEST = $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

# Compiled modules are kept: otherwise each of the many processes that tests start compiles all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv sync format check quick test test-thorough coverage bench demo snapshots pictures docs dist clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(VENV) $(DOCS) ## put everything that the other targets need into .venv

$(DEMO): pyproject.toml
	$(call install,the command scapi: about 15 s and 50 MB,--editable '.[cli]')

$(VENV): pyproject.toml
	$(call install,what the tests and checks need: about a minute and 1 GB,--editable . --group dev)

$(DOCS): pyproject.toml
	$(call install,what the documentation needs: about 20 s and 100 MB,--editable . --group docs)

# Install something into .venv, which is made where there is none that works. Only groups need a newer pip than the
# one that venv brings, so nothing else waits for it.
define install
	@echo "Setting up .venv with $(1), once"
	@set -e; \
	works='import sys; sys.exit(sys.version_info < (3, 11))'; \
	if command -v uv >/dev/null 2>&1; then \
		$(BIN)/python -c "$$works" 2>/dev/null || \
			uv venv --quiet --allow-existing --python "$(or $(PYTHON),>=3.11)" .venv; \
		uv pip install --quiet --python $(BIN)/python $(2); \
	else \
		if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
			for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python) none; do \
				"$$python" -c "$$works" 2>/dev/null && break; \
			done; \
			if [ "$$python" = none ]; then \
				echo "scapi needs Python 3.11 or newer, and none of these is: $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)." >&2; \
				echo "Install one (or uv, which brings its own), or name it: make PYTHON=/path/to/python" >&2; \
				exit 1; \
			fi; \
			"$$python" -m venv --clear .venv; \
		fi; \
		pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; \
		$(if $(findstring --group,$(2)),$$pip 'pip>=25.1';) \
		$$pip $(2); \
	fi
	@touch $@
endef

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

# One process more than cores: some tests wait, and this is about how long it takes.
quick: $(VENV) ## run the pure tests and those of one world, but none that takes long or draws: for every save
	$(PYTEST) --numprocesses=$$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) -m 'not (engine or thorough or hypothesis or server or simulation)' \
		tests/unit tests/_async --ignore=tests/unit/test_plot.py

test: $(VENV) ## run all tests
	$(PYTEST)

test-thorough: $(VENV) docs ## run what takes long: virtual days, thousands of examples for each property, the site in a browser
	$(PYTEST) -m 'thorough or hypothesis' --hypothesis-profile=thorough --hypothesis-seed=$(or $(SEED),0)

coverage: $(VENV) ## run all tests, and measure which branches of the package they take
	$(PYTEST) --cov

bench: $(VENV) ## measure the five figures and against the peers, and write the tables in benchmarks/README.md
	$(BIN)/python -m benchmarks.figures
	$(BIN)/python -m benchmarks

demo: $(DEMO) ## show the client at work against the fake API on this machine
	$(BIN)/python -m scapi demo

snapshots: $(VENV) ## write the tables that the tests of the terminal compare with anew
	$(BIN)/python -m tests.cli.snapshots

pictures: $(VENV) ## draw the pictures of the README and the documentation (docs/img) anew
	$(BIN)/python -m tools.pictures

docs: $(DOCS) ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

dist: $(DEMO) ## build wheel and sdist into dist/, check both, and run each in an environment of its own
	$(BIN)/python -m tools.dist

clean: ## remove .venv, caches and build results
	rm -rf .venv .bench .coverage htmlcov dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
