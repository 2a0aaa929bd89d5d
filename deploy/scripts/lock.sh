#!/usr/bin/env bash
# Resolves pyproject.toml in a fresh environment and writes constraints.txt, without naming where from.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet -e '.[dev,node]' hatchling editables
{
  echo "# The resolved set that \`make setup\` installs. After a change in pyproject.toml run \`make lock\`."
  "$scratch/venv/bin/python" -m pip freeze --exclude-editable | grep -v '^ponte' | sort -f
} > constraints.txt
