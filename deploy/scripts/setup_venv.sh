#!/usr/bin/env bash
# Makes .venv with Ponte and its tools at the versions in constraints.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Python 3.11 or newer is needed: install it, or name one with PYTHON=/path/to/python3." >&2
  return 1
}

python="$(find_python)"
if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
  rm -rf .venv
  "$python" -m venv .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
touch .venv/.stamp-python
