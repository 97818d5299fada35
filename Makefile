# Two commands on a fresh machine: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CAPTURES := $(wildcard ../shared/captures)
ifneq ($(CAPTURES),)
export LAPWING_CAPTURES ?= $(abspath $(CAPTURES))
endif
STAMP := $(VENV)/.ready

.PHONY: help setup build test clean
help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml setup.py constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt "setuptools>=80" "Cython>=3.3,<4"
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e ".[dev]"
	touch $@

setup: $(STAMP) build  ## create .venv with everything the tests need, and build the compiled loops

build: $(STAMP)  ## compile the hot loops in place
	$(BIN)/python setup.py --quiet build_ext --inplace

test: setup  ## run the tests
	$(BIN)/python -m pytest

clean:  ## remove what the build made
	rm -rf build dist src/*.egg-info
	find src -name '*.so' -delete
