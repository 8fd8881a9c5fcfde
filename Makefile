# Two commands matter: `make demo` and `make test`. Both work on a machine that has nothing but
# Python 3.11 or newer and make; what they need goes into .venv, and nowhere else.
#
#   ONCE=1        make demo: run the notebook and stop, without opening JupyterLab
#   PYTHON=...    the Python that .venv is made of
#   CHROMIUM=...  the browser that the tests drive
#   PYTEST=...    more options for pytest, for example PYTEST='-k studio'

.DEFAULT_GOAL := help
PY := .venv/bin/python
export PYTHON CHROMIUM ROUNDS
# Hundreds of processes are started here; compiling the same modules in each is a good part of the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint bench screenshots translations clean

help:
	@echo 'make demo          run notebooks/quickstart.ipynb, then open it in JupyterLab (ONCE=1: only run it)'
	@echo 'make test          check the code and run every test'
	@echo 'make lint          check the code only'
	@echo 'make bench         compare with other clients on this machine, in about half an hour (ROUNDS=n)'
	@echo 'make screenshots   take the pictures of the README again'
	@echo 'make translations  bring the Chinese texts up to date with the source'
	@echo 'make clean         remove what the commands above made'

demo:
	@sh tools/venv.sh demo
	@$(PY) -m qingbo_widgets demo $(if $(filter 1 true yes,$(ONCE)),--once)

# Real servers, kernels and browsers are waited for here, on machines that may be busy with others. What fails
# is run once more, and named at the end for a reader to judge; pytest by itself runs everything once.
ONCE_MORE := --reruns 1 -rR

test: lint
	@$(PY) tools/ensure_browser.py
	@echo '── tests'
	@$(PY) -m pytest -q $(ONCE_MORE) -m 'not browser' $(PYTEST)
	@echo '── tests in JupyterLab, in a browser'
	@$(PY) -m pytest -n 2 -q $(ONCE_MORE) -m browser $(PYTEST)

lint:
	@sh tools/venv.sh test
	@echo '── ruff and mypy'
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo 'Some files are not formatted; run: .venv/bin/ruff format .'; exit 1; }
	@$(PY) -m mypy

bench:
	@sh tools/venv.sh bench
	@$(PY) tools/ensure_browser.py
	@$(PY) -m tests.benchmarks

screenshots:
	@sh tools/venv.sh test
	@$(PY) tools/ensure_browser.py
	@$(PY) tools/screenshot.py

translations:
	@sh tools/venv.sh test
	@$(PY) tools/translations.py

clean:
	rm -rf .venv demo dist build tests/artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
