#!/usr/bin/env bash
# Make .venv from the lock file. Needs Python 3.11-3.14 and, where the system's Python lacks venv or pip, nothing more:
# uv is taken from the PATH, from the venv's own pip, or from the system's pip into build/.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || {
    echo "SafeCity needs Python 3.11 to 3.14; $("$python" --version 2>&1) was found. Set PYTHON=/path/to/python3.12, say." >&2
    exit 1
}
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv 2>/dev/null || { rm -rf .venv; "$python" -m venv --without-pip .venv; }
fi
if .venv/bin/python -m pip --version >/dev/null 2>&1; then
    .venv/bin/python -m pip install --quiet --require-hashes -r requirements-uv.lock
    uv=.venv/bin/uv
elif "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m pip install --quiet --target build/uv --require-hashes -r requirements-uv.lock
    uv=build/uv/bin/uv
elif command -v uv >/dev/null 2>&1; then
    uv=uv
else
    echo "Neither pip nor uv was found. On Debian: apt-get install python3-venv (or python3-pip)." >&2
    exit 1
fi
echo "Installing the locked packages ..."
"$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r requirements.lock
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
touch .venv/.installed
