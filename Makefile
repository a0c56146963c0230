# The two commands of the README are `make demo` and `make test`; each does its own set-up.
# Other targets: lint, docs, bench, clean.  PYTHON=python3.12 chooses the interpreter, VENV=dir the environment.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint docs clean
demo: $(VENV)/.plot
	$(BIN)/python -m bvar demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -q

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -n -W --keep-going -q -b html docs docs/_build/html
	@echo "the pages are in docs/_build/html/index.html"

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/_tutorials docs/reference/generated
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of extras, made again when the metadata or the build changes.
$(VENV)/.%: pyproject.toml setup.py | $(VENV)
	$(PIP) --editable ".[$*]"
	@touch $@

$(VENV):
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"bvar needs Python 3.11 or newer, but $(PYTHON) is {v[0]}.{v[1]}: try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
