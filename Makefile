# Every target uses .venv/ and sets up what it needs on first use; the work of it is in tools/setup.sh.

IMAGE ?=
CONFIG ?= training/configs/builtin.toml
SPLIT ?= test
ARGS ?=

# Handed over by the environment, so that names with spaces and quotes arrive as they are.
export IMAGE CONFIG DATA SPLIT
# The rooms have plain names (core, training): a foreign path must not come before them.
unexport PYTHONPATH

BIN := .venv/bin
READY := .venv/.seesay
# Prints where scikit-image keeps its photograph of a cat (CC0), without importing scikit-image.
SAMPLE := $(BIN)/python -c 'from importlib.util import find_spec; print(find_spec("skimage").submodule_search_locations[0] + "/data/chelsea.png")'

.DEFAULT_GOAL := help
.PHONY: help app caption evaluate train test torture bench bench-quick lint clean

help: ## show this list
	@echo "Seesay says what is in a picture. Each of these sets up what it needs on first use:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

ifeq ($(strip $(IMAGE)),)
caption: $(READY)/sample
	@echo "No IMAGE given, so here is a sample photograph, of a cat." >&2
	@$(BIN)/seesay caption --speak "$$($(SAMPLE))"
else
caption: $(READY)/run ## say what is in a picture: make caption IMAGE=photo.jpg (without: a sample)
	@$(BIN)/seesay caption --speak -- "$$IMAGE"
endif

app: $(READY)/app ## start the desktop program
	@$(BIN)/seesay app

evaluate: $(READY)/train ## score the model: make evaluate DATA=data/flickr8k [SPLIT=test] [ARGS=--json]
	@test -n "$$DATA" || { echo "Say which data set: make evaluate DATA=data/flickr8k" >&2; exit 2; }
	@$(BIN)/seesay evaluate --data "$$DATA" --split "$$SPLIT" $(ARGS)

train: $(READY)/train ## train a model: make train [CONFIG=training/configs/builtin.toml] [ARGS=--resume]
	@$(BIN)/seesay train "$$CONFIG" $(ARGS)

# By files, since the tests of one share what is slow to start: a desktop, a model. In the order of tests/conftest.py.
test: $(READY)/dev ## run the tests: make test [ARGS="-k picture"]
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

# Two subjects beside each other, each with a limit; all are run, whatever happens to one.
torture: $(READY)/dev $(READY)/torture ## try to break it: the heavy tests, at most 20 minutes
	@$(BIN)/python -m tests.torture $(ARGS)

# Speed first, while nothing else has warmed up the machine.
bench: $(READY)/dev $(READY)/bench ## measure: speed beside others, the desktop, history, text, live mode, refusals
	@$(BIN)/python -m tests.benchmarks.bench_speed
	@$(BIN)/python -m tests.benchmarks.bench_desktop
	@$(BIN)/python -m tests.benchmarks.bench_history
	@$(BIN)/python -m tests.benchmarks.bench_text
	@if [ -d data/flickr8k ]; then \
		$(BIN)/python -m tests.benchmarks.bench_quality --spoilt 30 && \
		$(BIN)/python -m tests.benchmarks.bench_live --pictures 75; \
	else \
		echo "What is refused and live mode are measured on photographs: put them into data/flickr8k."; \
	fi

bench-quick: $(READY)/bench ## two minutes: fail where speed is worse than half its bar
	@$(BIN)/python -m tests.benchmarks.bench_speed --quick

lint: $(READY)/dev ## check style and types, and look for known vulnerabilities of what is installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@tools/audit.sh

clean: ## remove caches and built packages (.venv stays: delete it by hand to start afresh)
	@rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# A stamp file for each stage: while it is newer than these files, no set-up runs.
$(READY)/%: pyproject.toml requirements.lock tools/setup.sh
	@tools/setup.sh $*
