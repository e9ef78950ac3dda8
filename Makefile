# `make run` and `make test` need Python 3.11 or newer, make, and nothing else.
UV_VERSION := 0.13.9
# Looked for only where there is no environment yet.
PYTHON = $(shell for each in python3.13 python3.12 python3.11 python3; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
RUN := .venv/bin/python

.PHONY: help run setup develop test test-plain test-postgres attack fuzz mutants lint format bench docs vendor sbom audit

help:
	@echo "make run    set up everything and serve on 127.0.0.1:8000 (VIZPORTAL_BIND changes it)"
	@echo "make test   the test suite, half an hour; make test-plain: its quick part, three minutes"
	@echo "make attack the sandbox attacked by some hundred programs, in every mode that this machine offers"
	@echo "make fuzz   every type on hundreds of damaged and odd files"
	@echo "make mutants  mutation testing of states, filters, access, lease, specs and addresses"
	@echo "make lint   every static check"
	@echo "make bench  the benchmarks        make format rewrite code to style"
	@echo "make docs   the documents as a site with search, in build/site"
	@echo "make sbom   bills of materials    make audit  known advisories for what is shipped"

.venv/bin/uv:
	@test -n "$(PYTHON)" || { echo "vizportal needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

ifeq ($(UV),.venv/bin/uv)
setup develop: .venv/bin/uv
endif

setup:
	@$(UV) sync --quiet --frozen --inexact --no-dev

develop:
	@$(UV) sync --quiet --frozen
	@for each in base steps; do $(RUN) manage.py environments build $$each --if-needed || exit 1; done

run: setup
	@exec $(RUN) manage.py up

# By file: what a file's tests share (a portal, a browser) is started once. loadgroup has no effect with pytest 9.2.
BY_FILE := $(RUN) -m pytest --dist loadfile
# Many plain tests wait, so there are three processes for two cores; browsers and kernels use them fully.
PARALLEL := $(BY_FILE) -n 3
PLAIN := not slow and not kernel and not browser

test: test-plain
	@$(RUN) manage.py environments build tfx --if-needed
	$(BY_FILE) -n 2 -m "(slow or kernel or browser) and not installation"
	$(BY_FILE) -n 2 -m installation

test-plain: develop
	$(PARALLEL) -m "$(PLAIN)"

# What is plain and uses the database, on PostgreSQL; `make test` runs on SQLite.
test-postgres: develop
	$(RUN) -m tests.postgres $(PARALLEL) -m "database and $(PLAIN)"

# Every attack program in every mode that this machine offers, as root and as a user without privileges; some hours.
# ATTACK_OPTIONS narrows it: --modes landlock/namespace --programs handover --rounds 5.
attack: develop
	$(RUN) -m tests.attack $(ATTACK_OPTIONS)

# Does a type draw, or say in a sentence what is wrong? FUZZ_OPTIONS narrows it: table --cases 1000 --seed 2.
fuzz: develop
	$(RUN) -m tests.fuzz $(FUZZ_OPTIONS)

# How many small faults in the rules that matter most do their tests notice? Outside CI; MUTANTS narrows it: states lease.
mutants: develop
	@$(UV) sync --quiet --frozen --group mutants
	$(RUN) -m tests.mutants $(MUTANTS)

lint: develop
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	.venv/bin/lint-imports
	git ls-files -z '*.html' | xargs -0 .venv/bin/djade --check --target-version 5.2
	git ls-files -z 'templates/*.html' | xargs -0 .venv/bin/djhtml --check
	$(RUN) manage.py makemigrations --check --dry-run
	$(RUN) manage.py check

format: develop
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	git ls-files -z '*.html' | xargs -0 .venv/bin/djade --target-version 5.2 || true
	git ls-files -z 'templates/*.html' | xargs -0 .venv/bin/djhtml || true

bench: setup
	$(RUN) -m benchmarks

# In an environment of its own, which uv keeps in its cache.
ifeq ($(UV),.venv/bin/uv)
docs: .venv/bin/uv
endif

docs:
	@NO_MKDOCS_2_WARNING=1 $(UV) run --quiet --isolated --frozen --only-group docs mkdocs build --strict --quiet
	@echo "Open build/site/index.html"

vendor:
	cd frontend && npm ci && npm run build

# Into dist/sbom, or SBOM_DIR.
sbom: setup
	@$(RUN) scripts/sbom.py $(SBOM_DIR)

# Needs the network; says so where there is none (docs/security.md).
audit: develop
	@$(RUN) scripts/advisories.py
