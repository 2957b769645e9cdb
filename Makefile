# Every task of this repository. Each target sets up what it needs.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMPS := $(VENV)/.stamps
# The folder that `make board` makes and serves.
BOARD ?= demo-board
# Without cached bytecode, torch takes twice as long to import, and dozens of tests start processes that import it.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pycache
RUST_SOURCES := $(shell find src rust/src -type f) Cargo.toml Cargo.lock rust/Cargo.toml pyproject.toml

.PHONY: help demo board test test-quick test-rust test-aarch64 test-bindings test-python lint lint-rust lint-types lint-files audit wheels release fmt docs docs-check bench bench-board bench-gpu gpu-check fuzz attacks clean

help: ## List all targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(STAMPS)/extension ## Score the sample files of the package
	@$(BIN)/muge-fast demo

board: $(STAMPS)/extension $(STAMPS)/leaderboard ## Make a board of sample submissions and serve it
	@test -e $(BOARD) || $(BIN)/muge-fast board init $(BOARD) --demo
	@$(BIN)/muge-fast board serve $(BOARD)

test: test-rust test-bindings test-python ## Run all tests

test-quick: $(STAMPS)/extension $(STAMPS)/test ## Run the tests of the package that are not marked as slow
	$(BIN)/pytest -q -n auto --dist worksteal -m "not slow"

test-rust: ## Run the tests of the core crate, which need no Python
	cargo test --quiet --locked -p muge-fast-core

test-aarch64: ## Run the kernels' tests and compare scores for 64-bit ARM under an emulator, which Debian has
	scripts/emulated_tests.sh

test-bindings: $(STAMPS)/venv ## Run the tests of the bindings, in a process with Python
	PYO3_PYTHON=$(abspath $(BIN))/python cargo test --quiet --locked -p muge_fast --lib

test-python: $(STAMPS)/extension $(STAMPS)/test ## Run the tests of the package, against the reference implementations
	$(BIN)/pytest -q -n auto --dist worksteal

# Clippy, mypy and stubtest each use one core for most of their time, so they run at the same time.
lint: $(STAMPS)/extension $(STAMPS)/test ## Check formatting, lints, types and stubs
	@$(MAKE) --no-print-directory --jobs 2 lint-rust lint-types lint-files

lint-rust:
	cargo fmt --all --check
	cargo clippy --quiet --locked --workspace --all-targets -- -D warnings

lint-types: $(STAMPS)/extension $(STAMPS)/test
	$(BIN)/mypy

lint-files: $(STAMPS)/extension $(STAMPS)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/stubtest muge_fast._core --ignore-disjoint-bases
	$(BIN)/zizmor --quiet --offline .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/{bug,metric,wrong_number}.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

audit: $(STAMPS)/audit ## Look for known faults of dependencies, and check their licences
	$(BIN)/python scripts/audit.py $(AUDIT)

wheels: $(STAMPS)/wheels ## Build and check the wheels that this machine can build, and the sdist, in dist
	$(BIN)/python scripts/build_wheels.py

release: $(STAMPS)/venv ## Check everything before a tag, and print what to do next; nothing is tagged or uploaded
	$(BIN)/python scripts/check_release.py
	$(MAKE) lint
	$(MAKE) audit
	$(MAKE) test
	$(MAKE) wheels
	$(MAKE) docs-check
	$(BIN)/python scripts/check_release.py --next

fmt: $(STAMPS)/test ## Format all code
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --exit-zero --quiet .

docs: $(STAMPS)/extension $(STAMPS)/docs ## Build the site of the documentation in target/docs; any warning is an error
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --jobs auto -d target/docs-cache docs target/docs

docs-check: docs $(STAMPS)/test ## Build the site, and check its links, and its pages in a browser
	MUGE_FAST_SITE=target/docs $(BIN)/pytest -q -n auto --dist worksteal tests/test_documentation_site.py

bench: $(STAMPS)/extension $(STAMPS)/test $(STAMPS)/bench ## Compare with other packages and write docs/benchmarks.md
	$(BIN)/python -m benches.report $(SECTIONS)

bench-board: $(STAMPS)/extension $(STAMPS)/test $(STAMPS)/bench ## Measure a leaderboard under load and write its part of docs/benchmarks.md
	$(BIN)/python -m benches.report leaderboard

bench-gpu: $(STAMPS)/extension $(STAMPS)/test ## Measure FID's network on a CUDA device, if there is one
	$(BIN)/python -m benches.gpu

gpu-check: $(STAMPS)/extension $(STAMPS)/test ## Pack tests and measurements for a machine with a GPU, and run them if there is one
	$(BIN)/python scripts/gpu_bundle.py target/gpu-check
	@if $(BIN)/python -c "import torch, sys; sys.exit(not torch.cuda.is_available())"; then $(BIN)/python target/gpu-check/run.py; fi

fuzz: ## Fuzz tokenizers, caption metrics and readers for a short time
	rust/fuzz/run

attacks: $(STAMPS)/extension $(STAMPS)/test ## Try hostile inputs of each class for some seconds
	$(BIN)/python scripts/attack_campaign.py --seconds 5

clean: ## Remove everything that was built
	rm -rf $(VENV) target rust/fuzz/target

$(STAMPS)/venv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	mkdir -p $(STAMPS)
	touch $@

$(STAMPS)/test: pyproject.toml | $(STAMPS)/venv
	$(UV) pip install --quiet --python $(BIN)/python --group test --group integrations --group examples
	touch $@

$(STAMPS)/leaderboard: pyproject.toml | $(STAMPS)/venv
	$(UV) pip install --quiet --python $(BIN)/python --requirements pyproject.toml --extra leaderboard
	touch $@

$(STAMPS)/docs: pyproject.toml | $(STAMPS)/venv
	$(UV) pip install --quiet --python $(BIN)/python --group docs
	touch $@

$(STAMPS)/audit: pyproject.toml | $(STAMPS)/venv
	$(UV) pip install --quiet --python $(BIN)/python --group audit
	touch $@

$(STAMPS)/wheels: pyproject.toml | $(STAMPS)/venv
	$(UV) pip install --quiet --python $(BIN)/python --group wheels
	touch $@

$(STAMPS)/bench: pyproject.toml | $(STAMPS)/venv
	$(UV) pip install --quiet --python $(BIN)/python --group bench
	touch $@

# An editable install: changes of Python files take effect at once, and only changes of Rust code need a build.
$(STAMPS)/extension: $(RUST_SOURCES) | $(STAMPS)/venv
	$(UV) pip install --quiet --python $(BIN)/python "maturin>=1.9,<2"
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --release --uv --quiet
	touch $@
