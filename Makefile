# The developer's commands: `make` lists them.
# A fresh machine needs Python 3.11 to 3.13 and make; each target creates the environment that it needs.

PYTHON ?= python3
VENV ?= .venv

# PIP_EXTRA_INDEX_URL is read by pip itself. On Linux, PyPI's torch brings CUDA's libraries (about 5 GB more); without a GPU:
#   make serve PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu

# Gigabytes that must be free before packages are installed: 3.5 for the CPU builds, and the downloads in pip's cache.
DISK_GB ?= 5

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
train: $(VENV)/.installed  ## retrain all three models into runs/ (options: make train ARGS="--epochs 30")
	@$(BIN)/python -m training train --framework all $(ARGS)

# Where the environment forbids it, each of some hundred processes would compile the project again, and pytest all tests.
test interop: export PYTHONDONTWRITEBYTECODE =

.PHONY: test
test: ARGS ?= -n 2
test: $(VENV)/.installed-dev  ## run all tests, two files at a time (some of them: make test ARGS="tests/training/data/test_data.py")
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: interop
interop: $(VENV)/.installed-dev  ## test with generated clients and other programs, which it installs into .cache/
	@$(BIN)/python -m pytest -rs tests/interop $(ARGS)

.PHONY: lint
lint: $(VENV)/.installed-dev  ## check style, format, wording, import layers and the JavaScript of the page
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python .ci/check_words.py
	$(BIN)/lint-imports
	$(BIN)/oxlint app/web

.PHONY: types
types: $(VENV)/.installed-dev  ## check types
	$(BIN)/mypy

.PHONY: docs
docs: $(VENV)/.installed-dev  ## build the guide into site/ (warnings are errors)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Open site/index.html. Search needs a server: $(BIN)/python -m http.server --directory site --bind 127.0.0.1"

.PHONY: guide
guide: $(VENV)/.installed-dev  ## build the guide into app/guide/, from where wheels and images take it along
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --site-dir app/guide

.PHONY: clean
clean:  ## remove the environment and all caches
	rm -rf $(VENV) .cache build dist site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# The environment is recreated only if its pip doesn't run: after an interrupted start, or if its Python is gone.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "$(PYTHON) isn't Python 3.11 to 3.13: use make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)"; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

# Before the first installation: report its size, and stop if the disk is too small.
define announce
	@[ -e $(VENV)/.installed ] || { \
		free=$$(($$(df -Pk $(VENV) | awk 'NR == 2 {print $$4}') / 1000000)); \
		if [ "$$free" -lt $(DISK_GB) ]; then \
			echo "The installation needs $(DISK_GB) GB, and the disk of $(VENV) has $$free GB free." \
				"Free some space, or install one framework (see README.md)."; \
			exit 1; \
		fi; \
		echo "Installing the service and three frameworks into $(VENV): 3.5 GB with CPU builds, which takes some minutes."; \
		if [ "$$(uname -s)" = Linux ] && [ -z "$$PIP_EXTRA_INDEX_URL" ]; then \
			echo "On Linux, PyPI's torch adds about 5 GB of CUDA's libraries; $$free GB are free. Without a GPU, press Ctrl-C and run"; \
			echo "  make $(MAKECMDGOALS) PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu"; \
		fi; }
endef

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/.created
	$(announce)
	$(BIN)/python -m pip install -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.created
	$(announce)
	$(BIN)/python -m pip install -c constraints.txt -e '.[all,dev]'
	@touch $@ $(VENV)/.installed
