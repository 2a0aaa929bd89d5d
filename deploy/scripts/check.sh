#!/usr/bin/env bash
# Every check that needs no running server: format, lint, types, layering, the contract, file length.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"
failed=()

check() {
  local name="$1"
  shift
  echo "== $name"
  "$@" || failed+=("$name")
}

buf_breaking() {
  if [ ! -f proto/baseline.binpb ]; then
    echo "no baseline yet: make one with 'make proto-baseline'"
    return
  fi
  buf breaking --against proto/baseline.binpb
}

node_package() {
  [ -f "$1/package.json" ] || return 0
  (cd "$1" && npm run --silent check)
}

check "ruff format" ruff format --check .
check "ruff" ruff check .
check "mypy" mypy
check "import-linter" lint-imports
check "file length" python deploy/scripts/check_file_length.py
check "buf lint" buf lint
check "buf breaking" buf_breaking
check "bridge-node: biome, tsc" node_package bridge-node
check "tests/simulator: biome, tsc" node_package tests/simulator

if [ "${#failed[@]}" -gt 0 ]; then
  printf 'check failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "all checks passed"
