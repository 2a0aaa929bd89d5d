#!/usr/bin/env bash
# Runs all tests: the Node packages' first, then pytest with coverage, whose closing line ends the output.
# Arguments go to pytest.
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
exec .venv/bin/pytest -n 2 --cov --cov-report=term "${suites[@]}" "$@"
