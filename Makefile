# Each target is self-sufficient: it makes .venv and installs the pinned dependencies first where needed.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test lint bench kernels clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[bench,dev,formats]"
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/daisy-bluesky demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/daisy-bluesky bench main

kernels:
	find daisy_bluesky -name '*.nb[ic]' -delete

clean:
	rm -rf $(VENV) daisy-data report.png
