# Every command makes its own virtual environment when there is none.
# The first Python that runs, is 3.11 or 3.12, and can make environments (a name on the PATH may be an empty shim).
FITS   := import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do $$p -c "$(FITS)" 2>/dev/null && echo $$p && break; done)
STORY  ?= assets/stories/balloon.txt
FILM   ?= films/$(basename $(notdir $(STORY))).mp4
SPACE  ?= build/space
BIN    := .venv/bin
# A core tests one file after the other, in order: the tests of a file share what is costly to make.
PYTEST := $(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: film animatic test fast check studio space screenshots startup clean

film: .venv/ready            ## render STORY into a film
	@mkdir -p $(dir $(FILM))
	$(BIN)/python -m arlon_core render $(STORY) -o $(FILM)

animatic: .venv/ready        ## the whole story as small pictures, in seconds
	@mkdir -p $(dir $(FILM))
	$(BIN)/python -m arlon_core animatic $(STORY) -o $(basename $(FILM)).animatic.mp4

test: check                  ## lint, types and every test; the slowest are named at the end
	$(PYTEST) --durations=20 --durations-min=5

fast: .venv/dev              ## the tests that take seconds
	$(PYTEST) -m "not slow"

check: .venv/dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy arlon_core app

studio: .venv/ready          ## the page in the browser
	$(BIN)/python app.py

space: .venv/ready           ## the folder to upload as a Hugging Face Space (docs/deploy.md)
	$(BIN)/python -m app.space $(SPACE)

screenshots: .venv/dev       ## the pictures of the page in docs/
	$(BIN)/python -m tests.app.screenshots

startup: .venv/dev           ## how soon the page is there, measured
	$(BIN)/python -m tests.app.startup

clean:
	rm -rf .venv

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 with venv is needed; install it, or name it: make PYTHON=/path/to/python3.12"; exit 2; }
	$(PYTHON) -m venv .venv

# torch first and alone: its CPU wheel is then already there when the others ask for "any torch".
.venv/ready: .venv/bin/python requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check "$$(grep '^torch' requirements.txt)"
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev: .venv/ready requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@
