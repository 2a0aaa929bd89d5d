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

# One more than the cores that CI has: tests wait for processes and disks about a third of their time.
workers=3

if [ $# -gt 0 ]; then
  exec .venv/bin/pytest -n "$workers" --cov --cov-report=term \
    tests/unit tests/integration tests/architecture tests/e2e tests/chaos "$@"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
run() {
  .venv/bin/pytest -n "$workers" "$@" | tee -a "$log" || failed=$?
}

# Tracing doubles the time of what it traces: the same tests on PostgreSQL, and those that start whole deployments, would
# find next to nothing that is not covered yet.
echo "== pytest, traced: unit, integration, architecture"
run --cov --cov-report= -k "not postgresql" tests/unit tests/integration tests/architecture
echo "== pytest: the same on PostgreSQL"
run -k postgresql tests/unit tests/integration tests/architecture
echo "== pytest: e2e, chaos"
run tests/e2e tests/chaos
[ "$failed" -eq 0 ] || exit "$failed"

echo "== coverage: each branch of domain/, 85% of all"
.venv/bin/coverage report
.venv/bin/coverage report --include='orchestrator/domain/*' --fail-under=100
.venv/bin/coverage report --fail-under=85 --format=total
grep -E '^=+ .*[0-9]+ passed' "$log"
