# The two commands of the README are `make demo` and `make test`; each does its own set-up.
# Other targets: test-fast, lint, docs, docs-fast, clean.
# PYTHON=python3.12 chooses the interpreter, VENV=dir the environment.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# what is never imported need not be compiled to byte code
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
# cells have small products, in which threads of libraries only quarrel
SPHINX := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/sphinx-build -n -W --keep-going -q -b html
# every core takes a share of the tests, and takes over from the others when its own are done
TEST   := $(BIN)/python -m pytest -q -n auto --maxprocesses 8 --dist worksteal
KERNEL := $(wildcard bvar/_cext/*.pyx bvar/_cext/*/*)

.PHONY: demo test test-fast lint docs docs-fast environment clean
demo: $(VENV)/.plot
	$(BIN)/python -m bvar demo

test: $(VENV)/.test
	@echo "the whole suite: a quarter of an hour to forty minutes of processor time, over all cores (make test-fast: a fifth)"
	$(TEST)

test-fast: $(VENV)/.test
	@echo "without the tests marked slow: three to seven minutes of processor time, over all cores"
	$(TEST) -m "not slow"

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs
	@echo "the cells of all pages run, about four minutes on one idle core; next time, of those pages alone that changed"
	$(SPHINX) docs docs/_build/html
	@echo "the pages are in docs/_build/html/index.html"

docs-fast: $(VENV)/.docs
	@echo "no cell runs: about half a minute, and pages without results"
	$(SPHINX) -D nb_execution_mode=off docs docs/_build/prose
	@echo "the pages are in docs/_build/prose/index.html"

# all in one: each installation builds the kernels anew
environment: $(VENV)/.dev
	@touch $(VENV)/.plot $(VENV)/.test $(VENV)/.lint $(VENV)/.docs

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/_tutorials docs/reference/generated
	rm -f bvar/_cext/*.so bvar/_cext/_kernels.c
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of extras, made again when the metadata, the build or a kernel changes.  pip hides what a
# build says, so whether the kernels were built is said here.
$(VENV)/.%: pyproject.toml setup.py bvar/_version.py $(KERNEL) | $(VENV)
	@echo "installing bvar and what '$*' needs in $(VENV)"
	$(PIP) --editable ".[$*]"
	@$(BIN)/python -c 'from bvar import backends as b; len(b.available()) > 1 or print("WARNING: no compiled kernels: NumPy does the work, slower, with the same results (a C compiler and `make clean` would help)")'
	@touch $@

$(VENV):
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"bvar needs Python 3.11 or newer, but $(PYTHON) is {v[0]}.{v[1]}: try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
