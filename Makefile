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

.PHONY: help install book pdf zip test long mnist colab oldest newest lab serve handout grade grading audit bench fix address dist release clean

help install book pdf zip test long mnist colab oldest newest grading dist clean:
	$(RUN) $@

# On the book's own chapters, for whoever writes them: make lab FOLDER=chapters
lab:
	$(RUN) lab $(FOLDER)

serve:
	$(RUN) serve --port $(PORT)

# For whoever teaches: CHAPTERS="02 03" for some, TO=folder for another place
handout:
	$(RUN) handout $(CHAPTERS) $(if $(TO),--to "$(TO)")

# make grade FOLDER=handed_in CHAPTERS=02
grade:
	$(RUN) grade "$(FOLDER)" $(if $(CHAPTERS),--chapters $(CHAPTERS)) $(if $(TO),--to "$(TO)") $(GRADE)

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
