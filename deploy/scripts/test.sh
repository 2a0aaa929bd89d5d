#!/usr/bin/env bash
# Runs all tests: the Node packages' first, then pytest with coverage. Of domain/ each branch has to be covered.
# Arguments go to pytest; with them it may be a part of the tests, and the coverage is only shown.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"

for package in bridge-node tests/simulator; do
  if [ -f "$package/package.json" ]; then
    echo "== $package"
    (cd "$package" && npm test --silent)
  fi
done

suites=()
for suite in unit integration e2e chaos architecture; do
  [ -d "tests/$suite" ] && suites+=("tests/$suite")
done
echo "== pytest"
if [ $# -gt 0 ]; then
  exec .venv/bin/pytest -n 2 --cov --cov-report=term "${suites[@]}" "$@"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
.venv/bin/pytest -n 2 --cov --cov-report=term "${suites[@]}" | tee "$log"
echo "== coverage: each branch of domain/, 85% of all"
.venv/bin/coverage report --include='orchestrator/domain/*' --fail-under=100
.venv/bin/coverage report --fail-under=85 --format=total
tail -n 1 "$log"
