# Each command is `python -m book NAME`, which does the same where there is no make; what they are
# and do stands in book/__main__.py.
PYTHON ?= python3
PORT ?= 8000
SEEDS ?= 5
RUN = @$(PYTHON) -m book
# On other data than the book's own: make book DATASET=mnist
ifdef DATASET
export VAE_BOOK_DATASET = $(DATASET)
endif

.PHONY: help install book pdf zip test pages mnist colab oldest newest lab serve audit bench fix address dist release clean

help install book pdf zip test pages mnist colab oldest newest dist clean:
	$(RUN) $@

# On the book's own chapters, for whoever writes them: make lab FOLDER=chapters
lab:
	$(RUN) lab $(FOLDER)

serve:
	$(RUN) serve --port $(PORT)

# CHAPTERS="chapters/05_bernoulli_likelihood.ipynb" for some
audit:
	$(RUN) audit --seeds $(SEEDS) $(CHAPTERS)

# With two threads, whatever OMP_NUM_THREADS says: make bench BENCH="--threads 1 --no-rivals"
bench:
	$(RUN) bench $(BENCH)

fix:
	$(RUN) fix $(CHAPTERS)

# make address URL=https://github.com/you/your-fork
address:
	$(RUN) address $(URL)

# make release VERSION=0.2.0
release:
	$(RUN) release $(VERSION)
