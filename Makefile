# make run    the whole shop, until Ctrl-C         ARGS="--port 9000 --style choreography --no-demo --data DIR"
# make test   all tests                            ARGS="tests/test_up.py -k refused"
# make test-all  what goes through the whole shop, with each broker, databases together and apart: 20 minutes
# make test-scenarios  the same in one combination  ARGS="--broker rabbitmq --split-databases"
# make lint   style, types, who imports whom
# make lock   the lock files, of requirements*.txt and constraints.txt; then what is made of them, as `make papers` does
# make papers docs/settings.md, docs/licences.md and the bill of materials docs/sbom.cdx.json
# make bench  the shop beside what one could take instead, all in one run   ARGS="--systems floor,dbos --repetitions 5"
# make bench-quick  the same in under 3 minutes, and with nothing more to install
# make bench-growth  a million orders in the tables, a hot product, large orders, a backlog: half an hour, 12 GB of disk
# make bench-door  how many orders the API accepts while the shop fulfils them   ARGS="--styles choreography --seconds 20"
# make chaos  every kind of fault on the running shop, and how long until all orders have ended   ARGS="--seed 7"
#             or one of the goals by itself: ARGS="--figure killed", flushed, "away --provider carrier --seconds 30",
#             frozen, "database --app shipping"; --rate R: orders a second; what each takes: ARGS=--help
# make fuzz   bad input by the thousand, for a long time, from a seed it prints   ARGS="--cases 50000 --seed 7"
# make pictures  the README's, taken from a running shop; it takes Chromium
# make clean  remove .venv and caches; the shop's data in .data stays
.PHONY: run test test-all test-scenarios lint lock papers sbom bench bench-quick bench-door bench-growth chaos fuzz pictures clean
.SILENT:

VENV := .venv
PY := $(VENV)/bin/python
BENCH := $(VENV)/bench
PIP := $(PY) -m pip --disable-pip-version-check -q install
# Tests wait more than they compute: two processes share them out by file, each with a PostgreSQL and a Valkey of its own.
TWO := -n 2 --dist loadfile
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

run: $(VENV)/.installed
	exec $(PY) manage.py up $(ARGS)

test: $(VENV)/.installed-dev
	exec $(PY) -m pytest $(TWO) $(ARGS)

test-scenarios: $(VENV)/.installed-dev
	exec $(PY) -m pytest $(TWO) -m scenario $(ARGS)

test-all: $(VENV)/.installed-dev
	for broker in redis rabbitmq; do for databases in "" --split-databases; do \
		echo "--broker $$broker $$databases"; \
		$(PY) -m pytest $(TWO) -m scenario --broker $$broker $$databases $(ARGS) || exit 1; \
	done; done

lint: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m bandit -q -ll -c pyproject.toml -r shop orders inventory payments shipping notifications manage.py
	$(PY) -m mypy .
	$(VENV)/bin/lint-imports

# For all platforms and Pythons at once. The index is uv's own, or that of UV_DEFAULT_INDEX; none is named in the files.
lock: | $(VENV)/.made
	$(PIP) $$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements-dev.txt)
	for name in requirements requirements-otel requirements-dev; do \
		UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 \
			--generate-hashes --no-annotate --no-config -o $$name.lock $$name.txt || exit 1; \
	done
	$(MAKE) papers

papers sbom: $(VENV)/.installed-dev
	$(PY) manage.py papers

bench: $(BENCH)/.installed
	exec $(BENCH)/bin/python -m benchmarks $(ARGS)

bench-quick: $(VENV)/.installed
	exec $(PY) -m benchmarks --quick $(ARGS)

bench-growth: $(VENV)/.installed
	exec $(PY) -m benchmarks.growth $(ARGS)

bench-door: $(VENV)/.installed
	exec $(PY) -m benchmarks.door $(ARGS)

chaos: $(VENV)/.installed-dev
	exec $(PY) -m tests.chaos $(ARGS)

fuzz: $(VENV)/.installed-dev
	exec $(PY) -m tests.fuzz $(ARGS)

pictures: $(VENV)/.installed-dev
	exec $(PY) -m tests.pictures

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements.lock | $(VENV)/.made
	echo "Installing what the shop needs into $(VENV)."
	$(PIP) --require-hashes -r requirements.lock || { echo "The requirements could not be installed: see pip's message above."; exit 1; }
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/.made
	echo "Installing what the tests and checks need into $(VENV)."
	$(PIP) --require-hashes -r requirements-dev.lock || { echo "The requirements could not be installed: see pip's message above."; exit 1; }
	touch $@ $(VENV)/.installed

# Restate's server is in no Python package; where npm can't bring it, the benchmark says that Restate is left out.
$(BENCH)/.installed: benchmarks/requirements.txt requirements.txt constraints.txt | $(VENV)/.made
	echo "Installing what the shop is compared with into $(BENCH)."
	$(PY) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip --disable-pip-version-check -q install -r benchmarks/requirements.txt || \
		{ echo "The requirements could not be installed: see pip's message above."; exit 1; }
	npm install --silent --no-fund --no-audit --ignore-scripts --prefix $(BENCH) @restatedev/restate-server@1.7.12 || \
		echo "npm could not install Restate's server."
	touch $@

# An environment that works is kept. Else it is made by the first Python here that is new enough.
$(VENV)/.made:
	if ! { $(PY) $(NEW_ENOUGH) && $(PY) -m pip --version; } >/dev/null 2>&1; then \
		for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
			if $$python $(NEW_ENOUGH) >/dev/null 2>&1; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "The shop needs Python 3.11 or newer, and none is on PATH: install one, or name it: make run PYTHON=/path/to/python3"; \
			exit 1; \
		fi; \
		if ! $$found -m venv --clear $(VENV) >/dev/null 2>&1; then \
			rm -rf $(VENV); \
			echo "$$found can't make a virtual environment in $(VENV): install its venv module (Debian, Ubuntu: apt install python3-venv)."; \
			exit 1; \
		fi; \
	fi
	touch $@
