# The one task runner. Every verb builds what it needs; CI runs the same ones.
PYTHON ?= python3
BIN := .venv/bin
# Where it is set, each of the processes that tests start would compile oncue anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test browser lint types bench crash soak fuzz audit sbom clean

install: .venv/installed

# The stamp is written last, so that a build that failed half way is done again. `ensurepip` is missing from bare Debian: say so.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "oncue needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Set PYTHON=python3.x")'
	@rm -f $@
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf .venv && $(PYTHON) -m venv .venv; } || { echo "python venv is missing: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	$(BIN)/oncue demo

# The pages are tested in a real browser. A machine that may install one gets Debian's, without its windows.
browser:
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v google-chrome >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends chromium-headless-shell fonts-dejavu-core; } || { echo "The tests of the pages need Chromium; on Debian: apt-get install chromium-headless-shell" >&2; exit 1; }

# Real SDKs send events in the tests, from a place of their own; those for Node come from npm, where there is Node.
SDKS := .venv/sdks
$(SDKS)/installed: .venv/installed tests/sdks/requirements.txt tests/sdks/package.json
	@rm -rf $(SDKS) && mkdir -p $(SDKS) && cp tests/sdks/package.json $(SDKS)/
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(SDKS)/python --requirement tests/sdks/requirements.txt
	@if command -v npm >/dev/null; then npm install --prefix $(SDKS) --no-package-lock --no-audit --no-fund --ignore-scripts --silent; else echo "There is no npm here: the tests of the SDKs for Node are left out."; fi
	@touch $@

# Two workers more than there are processors: tests wait for browsers and for other processes.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')
test: install browser $(SDKS)/installed
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff format --check src tests tools
	$(BIN)/ruff check src tests tools
	$(BIN)/lint-imports
	$(BIN)/mypy

types: install
	$(BIN)/mypy

bench: install
	$(BIN)/python tests/bench/bench.py

# Kills oncue hundreds of times under load and counts at the carrier: `make crash KILLS=300 SEED=1`. Then, or with SCENARIO alone, what may befall
# a program that goes on running: `make crash SCENARIO="carrier down" SECONDS=1800`.
KILLS ?= 300
crash: install
ifndef SCENARIO
	$(BIN)/python tests/crashing.py --kills $(KILLS) $(if $(SEED),--seed $(SEED))
endif
	$(BIN)/python tests/crash_scenarios.py $(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(SECONDS),--seconds $(SECONDS))

# A steady load, and what the process needs meanwhile, in its first quarter and its last: `make soak MINUTES=60 RATE=60`.
RATE ?= 60
soak: install
	$(BIN)/python tests/bench/soak.py --minutes $(or $(MINUTES),60) --rate $(RATE)

# Fuzzes what reads what others write, each promise in turn: `make fuzz MINUTES=60`. What it finds worth keeping stays under build/fuzz.
fuzz: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	$(BIN)/python tests/fuzz/fuzz.py --minutes $(or $(MINUTES),10)

# Tools for a release, in an environment of their own: what they need is no part of oncue.
build/tools/installed: constraints.txt
	@mkdir -p build && rm -rf build/tools && $(PYTHON) -m venv build/tools
	build/tools/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt pip-audit cyclonedx-bom
	@touch $@

# Fails if a package that we pin has a known vulnerability; says so if nobody could be asked.
audit: build/tools/installed
	build/tools/bin/python tools/audit.py

# What oncue consists of, as CycloneDX.
sbom: build/tools/installed
	build/tools/bin/python tools/sbom.py build/oncue.cdx.json

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
