# Every target sets up .venv when it is missing; CI calls these and nothing else.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.setup-stamp

.PHONY: setup system demo test test-slow test-browser check format build verify notebooks bench site clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(MAKE) --no-print-directory system
	@touch $@

# bubblewrap jails submissions, chromium runs the browser tests: both are Debian's.
system:
	@missing=""; command -v bwrap >/dev/null || missing="$$missing bubblewrap"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null || \
	  echo "could not install$$missing: the jail and the browser tests stay off until you do"; \
	else echo "missing$$missing: install with 'sudo apt-get install$$missing'; without them the jail and the browser tests stay off"; fi

demo: setup
	$(BIN)/autograder demo

test: setup
	$(BIN)/python -m pytest

test-slow: setup
	$(BIN)/python -m pytest -m slow

test-browser: setup
	$(BIN)/python -m pytest -m browser -n 2 --dist loadfile

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: setup
	$(BIN)/autograder build

verify: setup
	$(BIN)/autograder verify

# Every solution notebook, run by papermill in a copy; QUICK=1 takes the lessons' short way.
SOLUTIONS := $(patsubst solutions/%,%,$(wildcard solutions/*/*.ipynb))
PARAMETERS := $(if $(QUICK),--parameters quick True)
notebooks: setup
	@rm -rf build/notebooks && mkdir -p build && cp -R solutions build/notebooks
	@failed=""; \
	for notebook in $(SOLUTIONS); do \
	  echo "running $$notebook"; place=build/notebooks/$$notebook; \
	  $(BIN)/papermill $$place $$place --cwd $$(dirname $$place) --kernel python3 --no-progress-bar $(PARAMETERS) \
	    || failed="$$failed $$notebook"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# The website; STUDENTS=1 leaves out what is for instructors. Needs no network once set up.
site: setup
	PYTHONPATH=docs/site $(BIN)/python -m coursesite $(if $(STUDENTS),--students --output build/site-students)

bench: setup
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/cluster.py

clean:
	rm -rf .venv grading
