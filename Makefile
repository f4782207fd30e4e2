# The manual of this project: `make` lists what there is to do.
# A fresh machine needs Python 3.11 to 3.13 and make; each target makes the environment that it needs.

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help:  ## list these targets
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1  \t/p' Makefile | expand -t 18

.PHONY: serve
serve: $(VENV)/.installed  ## serve the committed checkpoints (options: make serve ARGS="--port 9000")
	@$(BIN)/python -m app $(ARGS)

.PHONY: train
train: $(VENV)/.installed  ## train the three models anew, into runs/ (options: make train ARGS="--epochs 30")
	@$(BIN)/python -m training train --framework all $(ARGS)

.PHONY: test
test: ARGS ?= -n 2
test: $(VENV)/.installed-dev  ## run all tests, two files at a time (some of them: make test ARGS="tests/test_data.py")
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: lint
lint: $(VENV)/.installed-dev  ## check style, format, the one-way imports and the page's JavaScript
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/oxlint app/web

.PHONY: types
types: $(VENV)/.installed-dev  ## check types
	$(BIN)/mypy

.PHONY: docs
docs: $(VENV)/.installed-dev  ## build the guide into site/, with every warning an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html; to search it too: $(BIN)/python -m http.server --directory site --bind 127.0.0.1"

.PHONY: clean
clean:  ## remove the environment and all caches
	rm -rf $(VENV) build dist site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# An environment is made anew only where its pip doesn't run: an interrupted start, or a Python that has gone.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "Python 3.11 to 3.13 is needed, and $(PYTHON) is another: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)"; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/.created
	$(BIN)/python -m pip install -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.created
	$(BIN)/python -m pip install -c constraints.txt -e '.[all,dev]'
	@touch $@ $(VENV)/.installed
