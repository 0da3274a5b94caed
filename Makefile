# Words for a machine with Python >= 3.11 and make. Everything is kept in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BROWSER := $(VENV)/.browser
# requirements.lock is complete, so pip has nothing to resolve.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

# Which uv writes requirements.lock.
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench bench-faults demo browser lock clean

help: ## list these words
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(STAMP) ## install into .venv what the other words need

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Keyturn needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo 'not there')." >&2; \
	  echo "Name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV): about a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-build-isolation -e .
	@touch $@

run: setup ## start the bot; initialise what is missing in keyturn-data
	$(BIN)/keyturn serve --init

demo: setup ## replay the forum incident against a real comment server
	$(BIN)/keyturn demo

test: setup browser ## run every test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: setup ## lint, types, contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --quiet tests/contract

bench: setup ## measure, as ratios taken in one run
	$(BIN)/python -m benches

bench-faults: setup ## kill the bot 200 times at work; judge what is left
	$(BIN)/python -m benches.faults

# Without a browser the browser tests skip, with the reason: this word never fails.
browser: setup ## bring Chromium for the browser tests
	@test -e $(BROWSER) || $(MAKE) --no-print-directory $(BROWSER)

$(BROWSER):
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	    || command -v google-chrome >/dev/null; then touch $@; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	    && apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	         chromium fonts-dejavu-core fonts-noto-core fonts-noto-color-emoji >/dev/null; then touch $@; \
	elif $(BIN)/python -m playwright install chromium; then touch $@; \
	else echo "No Chromium could be installed: the browser tests will skip."; fi

lock: ## resolve the pins in requirements.lock anew
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	.lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --extra dev \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --output-file requirements.lock pyproject.toml

clean: ## remove .venv, caches and builds; keep keyturn-data
	rm -rf $(VENV) .lock-venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
