# `make explore` shows everything, `make test` checks everything; both set up what they need, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IMAGE ?=
MODEL ?=
IMAGES ?=
WEIGHTS ?=
CELLS ?= 196

.PHONY: explore lab test test-slow lint format bench bench-render bench-grids bench-attribution bench-groups bench-xplique assets clean

explore: $(VENV)/ready ## run every notebook and write build/explore/index.html; IMAGE=photo.jpg MODEL=network.keras IMAGES=folder for your own
	$(BIN)/python notebooks/explore.py --image "$(IMAGE)" --model "$(MODEL)" --images "$(IMAGES)"

lab: $(VENV)/ready ## open JupyterLab on the first notebook
	$(BIN)/jupyter lab notebooks/01_semantic_dictionary.ipynb

test: $(VENV)/ready-dev lint ## the test suite, lint and types
	$(BIN)/python -m pytest -m "not slow" -n logical --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/ready-dev ## what takes longer
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/ready-dev node_modules/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent lint

format: $(VENV)/ready-dev node_modules/.ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent format

bench: $(VENV)/ready-dev ## the measurements the README quotes
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/waiting.py
	$(BIN)/python benchmarks/inception_v1.py

bench-render: $(VENV)/ready-dev ## time to quality of icons, against Lucid's; a page to judge them blind; scaling
	$(BIN)/python benchmarks/render.py
	$(BIN)/python benchmarks/blind.py
	$(BIN)/python benchmarks/render_inception_v1.py
	$(BIN)/python benchmarks/scaling.py

bench-xplique: $(VENV)/ready-dev ## the same pictures by xplique, in an environment of its own
	$(BIN)/python benchmarks/render_xplique.py

bench-grids: $(VENV)/ready-dev ## quality and time of activation grids, against Lucid's; CELLS=28 for a sample
	$(BIN)/python benchmarks/grids.py --cells $(CELLS)

bench-attribution: $(VENV)/ready-dev ## attribution on InceptionV1's graph, against the article's notebook method
	$(BIN)/python benchmarks/attribution.py

bench-groups: $(VENV)/ready-dev ## neuron groups, their flow, and concepts of a class: times, and the published factorizations
	$(BIN)/python benchmarks/groups.py
	$(BIN)/python benchmarks/group_flow.py
	$(BIN)/python benchmarks/concepts.py

# Everything that derives from the weights. IMAGES=folder with val/<WordNet id>/*;
# WEIGHTS=weights.npz as training/train.py leaves it, or nothing to keep the present network.
assets: $(VENV)/ready
	test -n "$(IMAGES)" || { echo "make assets needs IMAGES=folder, with val/<WordNet id>/* in it" >&2; exit 2; }
	test -z "$(WEIGHTS)" || $(BIN)/python training/export.py "$(WEIGHTS)" "$(IMAGES)"
	$(BIN)/python training/sheets.py "$(IMAGES)"
	$(BIN)/python training/card.py

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(VENV)/bin/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	touch $@

node_modules/.ready: package-lock.json $(VENV)/ready-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	touch $@

clean:
	rm -rf build node_modules $(VENV)
