#!/bin/sh
# Usage: sh tools/venv.sh EXTRA
#
# Sees to it that .venv exists and holds this package with its extra EXTRA (demo or test).
# Does nothing, in a blink, where that is so already: a stamp beside the packages remembers it,
# and a change of pyproject.toml makes the stamp old.
set -eu

extra=$1
venv=.venv
stamp=$venv/.installed-$extra
log=$venv/install.log

works() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' </dev/null >/dev/null 2>&1; }
makes_environments() { "$1" -c 'import ensurepip, venv' </dev/null >/dev/null 2>&1; }

find_python() {
    # A name on PATH proves little (pyenv leaves stubs for versions it does not run), so each is tried.
    too_bare=
    for python in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
        command -v "$python" >/dev/null 2>&1 || continue
        works "$python" || continue
        if makes_environments "$python"; then
            echo "$python"
            return
        fi
        too_bare=$python
    done
    if [ -n "$too_bare" ]; then
        echo "$too_bare cannot make virtual environments: its venv module is missing." >&2
        echo "On Debian or Ubuntu: apt-get install python3-venv" >&2
    elif [ -n "${PYTHON:-}" ]; then
        echo "PYTHON=$PYTHON is not a Python 3.11 or newer." >&2
    else
        echo "No Python 3.11 or newer was found (looked for python3.14 … python3.11, python3, python)." >&2
        echo "Install one, or say where it is: make demo PYTHON=/path/to/python3" >&2
    fi
    return 1
}

if works "$venv/bin/python"; then
    [ -e "$stamp" ] && [ ! pyproject.toml -nt "$stamp" ] && exit 0
else
    python=$(find_python)
    echo "── making .venv with $("$python" -c 'import platform, sys; print("Python", platform.python_version(), "at", sys.executable)')"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "── installing the packages for 'make $extra' into .venv (once; a few minutes at most)"
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --editable ".[$extra]" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "The installation failed; the whole of its output is in $log." >&2
    exit 1
fi
touch "$stamp"
