# Needs Python 3.11 or newer, make and a package index; everything else goes into .venv.
PYTHON ?= python3
PORT ?= 8000
SEEDS ?= 5
BIN := .venv/bin
READY := .venv/.ready
# Kernels and workers run side by side: more threads than free cores would make each of them crawl.
export OMP_NUM_THREADS ?= 1
# JupyterLab refuses to start for root, as whom one works in most containers.
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help book pdf test lab serve audit bench fix clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

book: $(READY) ## installs, runs every chapter, builds the site and says where it lies
	@$(BIN)/python book/build.py

pdf: $(READY) ## the whole book in one file, _build/book.pdf; needs a Chromium on the path
	@$(BIN)/python book/pdf.py

test: $(READY) ## installs, checks style, runs every test, the chapters cell by cell among them
	@echo "Checking style ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@echo "Running the chapters, cell by cell, and the tests ..."
	@$(BIN)/python -m pytest -n auto --cov=vae_lib --cov-report=term:skip-covered --cov-fail-under=90 chapters tests

lab: $(READY) ## JupyterLab on the chapters
	@$(BIN)/jupyter lab $(ALLOW_ROOT) chapters

serve: $(READY) ## the site on this machine, rebuilt when a file changes; PORT=8001 for another port
	@$(BIN)/python book/build.py --serve --port $(PORT)

audit: $(READY) ## the chapters under SEEDS=5 other seeds each: which claims fail; CHAPTERS="..." for some
	@$(BIN)/python book/audit.py --seeds $(SEEDS) $(CHAPTERS)

# With two threads, whatever OMP_NUM_THREADS says: make bench BENCH="--threads 1 --no-rivals"
bench: $(READY) ## the benchmarks: training, evaluation, live figures
	@$(BIN)/python benchmarks/run.py $(BENCH)
	@$(BIN)/python benchmarks/evaluation.py
	@$(BIN)/python book/build.py
	@$(BIN)/python benchmarks/frames.py

fix: $(READY) ## formats, and rewrites the verified numbers in the chapters; CHAPTERS="..." for some
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/python book/mend.py $(CHAPTERS)

clean: ## removes what was built and installed here, not the data cache
	rm -rf .venv .venv-bench _build build .pytest_cache .ruff_cache .coverage *.egg-info

# An interrupted venv has no pip: it is made anew.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The book needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@echo "Installing into .venv (torch is large: this takes a few minutes) ..."
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[book,test]'
	@touch $@
