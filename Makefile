# SafeCity: the commands to remember. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Compiled modules are kept: a recorder that compiles 900 of them at each start isn't back within two seconds of a kill.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup needs demo test check bench bench-record bench-live soak shots docs
help: ## list the commands
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.installed: requirements.lock requirements-uv.lock pyproject.toml tools/make_venv.sh
	@PYTHON=$(PYTHON) tools/make_venv.sh

setup: .venv/.installed ## everything into .venv, the page built
	@$(BIN)/python tools/build_page.py

demo: setup ## a city of virtual cameras, recorded and live (CLIPS=folder plays your own clips)
	@$(BIN)/safecity demo $(if $(CLIPS),--clips "$(CLIPS)") $(ARGS)

needs: .venv/.installed
	@$(BIN)/python tools/test_needs.py

# Quick tests side by side, then those that run a city or a browser one at a time; both are run even if one failed.
# The house rules are `make check`'s.
test: setup needs ## all tests (ARGS=tests/rooms/video runs these alone)
ifdef ARGS
	@$(BIN)/pytest -q $(ARGS)
else
	@bad=0; \
	$(BIN)/pytest -q -n auto --maxprocesses 4 --dist loadfile --ignore=tests/house -m "not slow and not web" || bad=1; \
	$(BIN)/pytest -q -m "slow or web" || bad=1; \
	$(BIN)/python tools/build_page.py run test --silent || bad=1; \
	exit $$bad
endif

check: setup ## format, lint, types, import contract, house rules, docs
	@$(BIN)/ruff format --check --quiet . && echo "format: good"
	@$(BIN)/ruff check --quiet . && echo "lint: good"
	@$(BIN)/pyright --warnings | tail -1
	@$(BIN)/lint-imports --no-cache | tail -5
	@$(BIN)/python -m tools.make_docs --check
	@$(BIN)/python tools/build_page.py run check --silent
	@$(BIN)/pytest -q tests/house

bench: setup needs ## speed as ratios, one JSON line each
	@$(MAKE) --no-print-directory bench-record
	@$(MAKE) --no-print-directory bench-live
	@$(BIN)/python -m tools.bench.counts
	@$(BIN)/python -m tools.bench.counts --held-out --models motion yolox-nano-384x640
	@$(BIN)/python -m tools.bench.analysis

bench-record: setup needs ## recording: cost against ffmpeg, first picture after an outage, a thousand cameras
	@$(BIN)/python -m tools.bench.reconnect
	@$(BIN)/python -m tools.bench.many
	@$(BIN)/python -m tools.bench.record $(ARGS)

bench-live: setup needs ## live view: latency, first picture, two hundred viewers
	@$(BIN)/python -m tools.bench.live $(ARGS)

soak: setup ## long runs with kills and faults: every picture accounted for, a thousand power cuts, the queue
	@$(BIN)/python -m tools.chaos --report docs/reports $(ARGS)
	@SAFECITY_CRASH_POINTS=1000 $(BIN)/pytest -q tests/rooms/video/test_power_cut.py
	@$(BIN)/python -m tools.soak --minutes 10

shots: setup needs ## a picture of every page in English and Urdu, into shots/
	@$(BIN)/python -m tools.shots

docs: setup ## regenerate docs/reference.md from the code
	@$(BIN)/python -m tools.make_docs
