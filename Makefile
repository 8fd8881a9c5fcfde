# Short names for the commands of tools/dev.py, which has them for systems without make, too.
# `make demo` and `make test` work on a machine that has nothing but Python 3.11 or newer and make; what they
# need goes into .venv, and nowhere else.
#
#   CONTRACT=...  make demo: the date of the service's contract, 2026-04 or 2026-11
#   ONCE=1        make demo: run the notebook and stop, without opening JupyterLab
#   LATEST=1      make test: with the newest releases of the index instead of the locked ones
#   LOWEST=1      make test: the fast tests with the lowest versions that pyproject.toml allows
#   PYTHON=...    the Python that the environment is made of
#   CHROMIUM=...  the browser that the tests drive
#   PYTEST=...    more options for pytest, for example PYTEST='-k studio'

.DEFAULT_GOAL := help
COMMANDS := demo test coverage attack hosts pythons lint bench lock dist screenshots translations clean
YES := 1 true yes
options.demo := $(if $(filter $(YES),$(ONCE)),--once)
options.test := $(if $(filter $(YES),$(LATEST)),--latest) $(if $(filter $(YES),$(LOWEST)),--lowest)
options.pythons := $(options.test)
# Any Python can start the commands; they look for one that is new enough. Version managers leave stubs for
# Pythons that they do not run, so each name is tried.
STARTER := $(shell for python in '$(PYTHON)' python3 python3.14 python3.13 python3.12 python3.11 python; do \
    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' </dev/null >/dev/null 2>&1 \
    && echo "$$python" && break; done)
NONE = $(error No Python was found. Install Python 3.11 or newer, or say where it is: make $@ PYTHON=/path/to/python3)
export CHROMIUM ROUNDS PYTEST

.PHONY: help $(COMMANDS)
$(COMMANDS):
	@'$(or $(STARTER),$(NONE))' tools/dev.py $@ $(options.$@) $(if $(PYTHON),--python='$(PYTHON)')

help:
	@echo 'make COMMAND, with ONCE=1, LATEST=1, LOWEST=1, PYTHON=…, CHROMIUM=…, PYTEST=… as this file says, or'
	@'$(or $(STARTER),$(NONE))' tools/dev.py --help
