# Needs Python 3.11 or newer, make and a package index; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Kernels and workers run side by side: more threads than free cores would make each of them crawl.
export OMP_NUM_THREADS ?= 1

.PHONY: book test lab serve bench fix clean

book: $(READY)
	@$(BIN)/python book/build.py

test: $(READY)
	@echo "Checking style ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@echo "Running the chapters, cell by cell, and the tests ..."
	@$(BIN)/python -m pytest -n auto --cov=vae_lib --cov-report=term:skip-covered --cov-fail-under=90 chapters tests
	@echo "All tests passed."

lab: $(READY)
	@$(BIN)/jupyter lab chapters

serve: $(READY)
	@$(BIN)/python book/build.py --serve

# With two threads, whatever OMP_NUM_THREADS says: make bench BENCH="--threads 1 --no-rivals"
bench: $(READY)
	@$(BIN)/python benchmarks/run.py $(BENCH)
	@$(BIN)/python benchmarks/evaluation.py
	@$(BIN)/python book/build.py
	@$(BIN)/python benchmarks/frames.py

fix: $(READY)
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/python tests/notebook_numbers.py --fix $(CHAPTERS)

clean:
	rm -rf .venv .venv-bench _build build .pytest_cache .ruff_cache .coverage *.egg-info

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The book needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@echo "Installing into .venv (torch is large: this takes a few minutes) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[book,test]'
	@touch $@
