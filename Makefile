# One command per need; the same here and in CI. Plain `make` lists them.
# .venv/bin/python -m, never .venv/bin/NAME: a script's first line fails when the path is long.

RUN = .venv/bin/python -m
WORKERS ?= 2
LOCK = $(RUN) uv pip compile pyproject.toml --extra local --extra postgres --extra ray --extra dev \
	--universal --python-version 3.11 --upgrade --only-binary :all: \
	--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet

unexport PYTHONPATH PYTHONHOME

.NOTPARALLEL:
.PHONY: help demo ui test lint types golden suite format lock clean setup

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: setup ## install, then run the main job on the embedded model
	@$(RUN) linenotes.cli demo

ui: setup ## open the store in MLflow's user interface
	@$(RUN) linenotes.cli ui

test: lint types golden suite ## install, then lint, types, golden tests and the whole suite

lint: setup ## check style and format
	$(RUN) ruff check
	$(RUN) ruff format --check

types: setup ## check types
	$(RUN) mypy

golden: setup ## run the golden tests of the support desk, from recordings
	$(RUN) pytest evals/suites --linenotes-replay

suite: setup ## run the tests (WORKERS=2 processes)
	@sh scripts/postgresql.sh
	$(RUN) pytest -n $(WORKERS) --dist worksteal

format: setup ## mend style and format in place
	$(RUN) ruff check --fix
	$(RUN) ruff format

lock: setup ## take the newest packages that pyproject.toml allows into requirements/lock.txt
	$(RUN) pip install --quiet uv
	$(LOCK) --output-file requirements/lock.txt

clean: ## remove what these commands made, the recorded runs (.linenotes) excepted
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .deepeval
	find agents tracing evals datasets tests -name __pycache__ -prune -exec rm -rf {} +

setup: # every command needs it; PYTHON=PATH names the Python to use
	@sh scripts/setup.sh
