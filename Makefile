# Two commands on a fresh machine: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(if $(shell $(name) -c \
  'import sys; sys.version_info >= (3, 11) and print("yes")' 2>/dev/null),$(name))) python3)
VENV ?= .venv
BIN := $(VENV)/bin
CAPTURES := $(wildcard ../shared/captures)
ifneq ($(CAPTURES),)
export LAPWING_CAPTURES ?= $(abspath $(CAPTURES))
endif
READY := $(VENV)/.ready
COMPILED := build/.compiled
TYPES := $(shell find src/lapwing -name '*.pxd')
HOT := $(shell find src/lapwing -name 'hot*.py') $(TYPES) $(wildcard $(TYPES:.pxd=.py))
TOOL := $(BIN)/python -m

.PHONY: help demo test interop check setup build lint format types imports rules sizes fresh fuzz packaging bench lab docs clean
help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

demo: setup  ## find the attacks in the recorded capture and compare them with its labels
	$(BIN)/lapwing demo

test: setup  ## run the tests
	$(TOOL) pytest

interop: setup  ## against real programs that no distribution has: interactsh, Pebble, Traefik (Go builds them), Envoy
	$(TOOL) tools.interop
	$(TOOL) pytest tests/interop tests/web/test_proxies.py

check: lint test fuzz packaging  ## run everything that continuous integration runs

$(READY): pyproject.toml setup.py constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lapwing needs Python 3.11 or later: make PYTHON=...")'
	$(TOOL) pip install --quiet -c constraints.txt "setuptools>=80" "Cython>=3.3,<4"
	LAPWING_COMPILE=0 $(TOOL) pip install --quiet -c constraints.txt --no-build-isolation -e ".[dev]"
	touch $@

$(COMPILED): $(READY) $(HOT)
	find src -name '*.abi3.so' -delete  # of an earlier layout: they would stand in for what is missing
	$(BIN)/python setup.py --quiet build_ext --inplace
	mkdir -p $(@D) && touch $@

setup: $(READY) build  ## create .venv with everything the tests need, and build the compiled loops

build: $(COMPILED)  ## compile in place what has a .pxd or is a hot loop

lint: setup format types imports rules sizes fresh  ## the checks that run no product code

format:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

rules:
	$(TOOL) tools.hot_rules

sizes:
	$(TOOL) tools.sizes

fresh:
	$(TOOL) tools.pages --check

fuzz: setup  ## a short run of the fuzz targets, FUZZ_SECONDS each (default 5)
	$(TOOL) fuzz --seconds $(or $(FUZZ_SECONDS),5)

packaging: setup  ## build sdist and wheel, install each into an empty environment, try the copy
	$(TOOL) tools.packaging

bench: setup  ## measure against the limits and other programs; writes docs/performance.md
	$(TOOL) bench.run --write-docs $(ARGS)

LOGS := $(wildcard $(LAPWING_CAPTURES)/auth-logs/*.log)
CLEAN := 85.245.107.41 95.93.96.191 127.0.0.1
lab: setup  ## measure detection; writes docs/detection.md and build/lab.json
	$(BIN)/lapwing lab run --suite release --json build/lab.json --page docs/detection.md \
	  $(addprefix --log ,$(LOGS)) $(addprefix --clean ,$(CLEAN)) $(ARGS)

docs: setup  ## regenerate the reference pages
	$(TOOL) tools.pages

clean:  ## remove what the build made
	rm -rf build dist src/*.egg-info
	find src -name '*.so' -delete
