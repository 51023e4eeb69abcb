# Everything one does here. PYTHON may name another interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-postgresql faults lint check format lock translations bench screenshots clean

# Set up and serve on http://127.0.0.1:8000.
run: $(VENV)/run
	$(BIN)/python app.py

# Set up and run every test that this machine can run; each skip says why.
test: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

# What uses a database once more, on a PostgreSQL and a Redis that it starts itself and that forget everything.
test-postgresql: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal --postgresql

# Before a release: the tests that have a full size, at that size, and those that run only then. It takes about an hour.
faults: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal --full

# The linter, the formatter and the type checker.
lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What must be green before a commit.
check: lint test

# Put every Python file into the one format.
format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Resolve requirements*.in into requirements*.txt, pinned with hashes.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --no-emit-index-url --no-emit-find-links --generate-hashes \
		--python-version 3.11 requirements.in -o requirements.txt
	$(VENV)-lock/bin/uv pip compile --quiet --no-emit-index-url --no-emit-find-links --generate-hashes \
		--python-version 3.11 requirements-dev.in -o requirements-dev.txt
	$(VENV)-lock/bin/uv pip compile --quiet --no-emit-index-url --no-emit-find-links --generate-hashes \
		--python-version 3.11 benchmarks/peers.in -o benchmarks/peers.txt
	$(VENV)-lock/bin/uv pip compile --quiet --no-emit-index-url --no-emit-find-links --generate-hashes \
		--python-version 3.11 benchmarks/kolibri.in -o benchmarks/kolibri.txt
	rm -r $(VENV)-lock

# Bring the Bulgarian catalog up to the sources and compile it; new messages are left empty, for a person to fill.
translations: $(VENV)/dev
	$(BIN)/pybabel -q extract -F pyproject.toml -k CredentialError -k TakenError -k SubscriptionError -k _stored -k CohortError -k ListFault:3 -k _LineError:2 --no-location --sort-output \
		--project=Archway -o $(VENV)/messages.pot .
	$(BIN)/pybabel -q update -i $(VENV)/messages.pot -d web/translations -l bg --no-fuzzy-matching --ignore-obsolete \
		--ignore-pot-creation-date --width=120
	$(BIN)/pybabel -q compile -d web/translations
	rm $(VENV)/messages.pot

# Measure what is promised, each against its peer in the same run, and end with one table of all promises.
bench: $(VENV)/dev $(VENV)-peers/ready $(VENV)-kolibri/ready
	$(BIN)/python -m benchmarks.answers_at_load --kolibri $(VENV)-kolibri
	$(BIN)/python -m benchmarks.answers_by_processes
	$(BIN)/python -m benchmarks.answers_at_scale
	$(BIN)/python -m benchmarks.evening
	$(BIN)/python -m benchmarks.load_model
	$(BIN)/python -m benchmarks.item_statistics
	$(BIN)/python -m benchmarks.import_at_size
	$(BIN)/python -m benchmarks.lesson_page
	$(BIN)/python -m benchmarks.pages_against_mkdocs --peers $(VENV)-peers
	$(BIN)/python -m benchmarks.search_at_scale
	$(BIN)/python -m benchmarks.epub_against_pandoc
	$(BIN)/python -m benchmarks.delivery
	$(BIN)/python -m benchmarks.personal_copies
	$(BIN)/python -m benchmarks.lambda_calibration
	$(BIN)/python -m benchmarks.states_execution
	$(BIN)/python -m benchmarks.policy_decisions
	$(BIN)/python -m benchmarks.lambda_speed
	$(BIN)/python -m benchmarks.etl_at_articles_size
	$(BIN)/python -m benchmarks.aurora_pipeline
	$(BIN)/python -m benchmarks.reactive_tracking
	$(BIN)/python -m benchmarks.table

# Take the pictures in docs/ anew (needs Chromium).
screenshots: $(VENV)/dev
	$(BIN)/python -m tests.e2e.screenshots

clean:
	rm -rf $(VENV) $(VENV)-peers $(VENV)-kolibri .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	touch $@

$(VENV)/dev: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@ $(VENV)/run

$(VENV)-peers/ready: benchmarks/peers.txt
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/peers.txt
	touch $@

# Where Kolibri cannot be installed, its benchmark says so and goes on without it.
$(VENV)-kolibri/ready: benchmarks/kolibri.txt
	$(PYTHON) -m venv $(VENV)-kolibri
	-$(VENV)-kolibri/bin/pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/kolibri.txt
	touch $@
