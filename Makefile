# Everything is installed into one virtual environment, .venv. A stamp file in it says what it holds, so that an
# installation is repeated only when pyproject.toml or constraints.txt has changed.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP_INSTALL := $(PY) -m pip --quiet --disable-pip-version-check install --constraint constraints.txt --editable

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install search test fuzz soak check format bench reproduce reproduce-quick constraints clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "Another Python than python3: make TARGET PYTHON=python3.12"

install: $(VENV)/.dev ## install bnsearch and the developers' tools into .venv
	@echo "Ready: $(BIN)/bnsearch, make check, make test"

search: $(VENV)/.runtime ## install what a search needs, then search on the digits: bnsearch run digits
	@$(BIN)/bnsearch run digits $(ARGS)

# hundreds of processes are started, and each would compile all modules anew where none may be kept
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev ## run the tests (make test ARGS="-k digits -x", ARGS="--numprocesses 0 --pdb")
	@$(PY) -m pytest --numprocesses auto --dist loadfile $(ARGS)

soak: $(VENV)/.dev ## let everything go wrong for half an hour and print the figures (make soak ARGS="kills --minutes 5")
	@$(PY) -m tests.soak $(ARGS)

fuzz: $(VENV)/.dev ## give every reader of files thousands of odd ones (make fuzz ARGS="5000 npz")
	@$(PY) -W error -m tests.fuzz $(ARGS)

check: $(VENV)/.dev ## formatting, lint, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.bench ## install the peers and compare with them (make bench ARGS="step --quick")
	@$(PY) benchmarks/run.py $(ARGS)

reproduce: $(VENV)/.dev ## run both reports' experiments on CIFAR-10 and write docs/reproduction.md (ARGS="--data-dir /folder")
	@$(PY) -m benchmarks.reproduction $(ARGS)

reproduce-quick: $(VENV)/.dev ## the same in a few minutes: shortened, and its page in its own folder
	@$(PY) -m benchmarks.reproduction --quick $(ARGS)

constraints: ## write constraints.txt anew, from the newest releases that pyproject.toml admits
	@echo "Resolving the newest admitted versions ..."
	@rm -rf $(VENV)-constraints
	@$(PYTHON) -m venv $(VENV)-constraints
	@$(VENV)-constraints/bin/python -m pip --quiet --disable-pip-version-check install --editable '.[dev]'
	@$(VENV)-constraints/bin/python -m pip --disable-pip-version-check freeze --exclude-editable > constraints.txt.new
	@mv constraints.txt.new constraints.txt
	@rm -rf $(VENV)-constraints

clean: ## remove .venv, caches and builds; studies and their results stay
	rm -rf $(VENV) $(VENV)-constraints build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find bnsearch tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "bnsearch needs Python 3.11 or newer, but $(PYTHON) is" \
			"'$$($(PYTHON) --version 2>&1 | head -n 1)'; name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu the package python3-venv provides it" >&2; exit 1; }
	@touch $@

$(VENV)/.runtime: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing bnsearch into $(VENV); this takes a minute or two, once ..."
	@$(PIP_INSTALL) .
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing bnsearch and the developers' tools into $(VENV); this takes a minute or two, once ..."
	@$(PIP_INSTALL) '.[dev]'
	@touch $(VENV)/.runtime $@

$(VENV)/.bench: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing bnsearch and its benchmarks' peers into $(VENV); this takes a few minutes, once ..."
	@$(PIP_INSTALL) '.[bench]'
	@touch $(VENV)/.runtime $@
