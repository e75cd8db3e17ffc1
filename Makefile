# The two commands of the README: `make demo` and `make test`. Both do all the set-up.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
DEMO_SERVE ?= 1
# on PostgreSQL not a second time: what asks the base nothing of its own, and what takes minutes to say the same
NO_BASE := $(addprefix --ignore=tests/bureau/,safety/test_hostile_files.py operations/test_load.py \
	operations/test_operations_guide.py api/test_permission_walk.py machine demo)

.PHONY: help setup setup-test demo test test-long load lint format bench lock wheel clean

help:
	@echo "make demo       set up, make a county with its exam and ledgers, serve it at http://127.0.0.1:8000"
	@echo "make test       set up, run every check, on SQLite and on PostgreSQL"
	@echo "make test-long  the long fuzz runs"
	@echo "make load       a day with many people at once: docs/assurance.md (25 minutes, a quiet machine)"
	@echo "make bench      the benchmarks of docs/benchmarks.md"

setup:
	@PYTHON="$(PYTHON)" scripts/setup.sh run

setup-test:
	@PYTHON="$(PYTHON)" scripts/setup.sh test

demo: setup
	@DEMO_SERVE=$(DEMO_SERVE) scripts/demo.sh

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/security_lint.py
	$(BIN)/python scripts/advisories.py

test: lint
	$(BIN)/pytest -n auto --dist loadgroup -m "not slow"
	scripts/postgres.sh $(BIN)/pytest -n auto -m "not slow and not browser" tests/bureau $(NO_BASE)

test-long: setup-test
	$(BIN)/pytest -m slow

load: setup-test
	$(BIN)/python benchmarks/load.py --users 30 --minutes 10 --record
	$(BIN)/python benchmarks/load.py --users 100 --minutes 10 --postgres --record

format: setup-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-test
	$(BIN)/python benchmarks/exam_statistics.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/whole_job.py
	$(BIN)/python benchmarks/value_added.py --all
	$(BIN)/python benchmarks/spark.py
	$(BIN)/python benchmarks/ledgers.py
	$(BIN)/python benchmarks/pages.py

lock:
	requirements/lock.sh

wheel: setup-test
	$(BIN)/python -m build --wheel --no-isolation

clean:
	rm -rf .venv build dist demo jiaoheng-data .mypy_cache .ruff_cache .pytest_cache .hypothesis
