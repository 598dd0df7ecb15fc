# Needs Python 3.11-3.14, git and make. Everything else goes into .venv, in the folder of this file.
# `make help` lists what there is.

.DEFAULT_GOAL := help
.NOTPARALLEL:          # `make -j drop train` deals first, then trains
.PHONY: help train drop test check up bench transformer

BIN     := .venv/bin
STAMPS  := .venv/.made
UV_WANT := 0.13.9
DROPS   := drops/quickstart

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

train: $(STAMPS)/run  ## one night of the quickstart plan, here and now (first time: sets up .venv)
	@$(BIN)/python -m deployments.quickstart first --folder $(DROPS)
	@$(BIN)/nightshift train quickstart

drop: $(STAMPS)/run  ## deal the next day's rows of the quickstart plan
	@$(BIN)/python -m deployments.quickstart next --folder $(DROPS)

# Two at once, a file each: much of a test's time is waiting for servers, workers and claims.
test: $(STAMPS)/dev  ## all tests
	$(BIN)/pytest -n 2 --dist loadfile

check: $(STAMPS)/dev  ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(STAMPS)/run  ## Prefect server, worker, deployments and MLflow UI on this machine; Ctrl-C stops all
	@$(BIN)/nightshift up

bench: $(STAMPS)/dev  ## measure the machinery (tests/benchmarks)
	@for script in tests/benchmarks/*.py; do $(BIN)/python "$$script" || exit 1; done

transformer: $(STAMPS)/transformer  ## install what transformers need: torch

# --- set-up: one file a finished step, so that the second `make train` pays nothing -------------

$(STAMPS)/run: .ci/environment pyproject.toml uv.lock
	@.ci/environment $(UV_WANT)
	@touch $@

$(STAMPS)/dev: .ci/environment pyproject.toml uv.lock
	@.ci/environment $(UV_WANT) --extra dev --extra transformer
	@touch $@ $(STAMPS)/run

$(STAMPS)/transformer: .ci/environment pyproject.toml uv.lock
	@.ci/environment $(UV_WANT) --extra transformer
	@touch $@ $(STAMPS)/run
