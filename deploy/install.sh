#!/bin/sh
# Install Archway's packages, each pinned by its hash, into a virtual environment beside the code, and leave no
# installer in it: deploy/install.sh [FOLDER]. PYTHON may name another interpreter (3.11 or newer).
set -eu

code=$(cd "$(dirname "$0")/.." && pwd)
environment=${1:-$code/.venv}

"${PYTHON:-python3}" -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir --no-compile \
    --only-binary :all: --require-hashes -r "$code/requirements.txt"
"$environment/bin/pip" uninstall --quiet --yes setuptools pip
# What runs it may not be allowed to write here.
"$environment/bin/python" -m compileall -q "$environment/lib" "$code" || true
