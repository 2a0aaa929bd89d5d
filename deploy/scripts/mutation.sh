#!/usr/bin/env bash
# Mutation testing of the sending policy: changes its rules one by one, each time the tests have to fail.
# Works on a copy, so that the tree stays as it is. Arguments are names of mutants; prints those that survived.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

mkdir -p "$scratch/orchestrator/domain" "$scratch/tests/unit/domain" "$scratch/tests/support"
cp pyproject.toml "$scratch/"
cp orchestrator/__init__.py "$scratch/orchestrator/"
cp -r orchestrator/domain "$scratch/orchestrator/"
cp -r tests/unit/domain/policy "$scratch/tests/unit/domain/"
cp tests/support/policy_snapshots.py "$scratch/tests/support/"
cd "$scratch"

nice -n 10 mutmut run --max-children "${MUTATION_PROCESSES:-2}" "$@"
echo "survivors:"
mutmut results | grep -v 'not checked' || echo "    none"
