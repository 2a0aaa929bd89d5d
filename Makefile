# `make demo` shows Ponte at work, `make test` proves it; both set up what they need. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Some machines forbid Python to keep what it compiled; then each process of Ponte compiles all of its modules anew.
export PYTHONDONTWRITEBYTECODE :=
PONTE := .venv/bin/ponte
PROTO_SOURCES := $(shell find proto -name '*.proto' 2>/dev/null)
NODE_LOCKS := $(wildcard bridge-node/package-lock.json tests/simulator/package-lock.json)
BRIDGE_SOURCES := $(shell find bridge-node/src -name '*.ts' -not -path '*/generated/*' 2>/dev/null)

.PHONY: help setup demo test check up bench bench-media bench-campaigns bench-import bench-replies bench-groups mutation chaos proto proto-baseline lock format clean bench-sessions test-campaigns test-cycles

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

setup: .venv/.stamp-python .venv/.stamp-node .venv/.stamp-proto .venv/.stamp-bridge ## install everything (fast when nothing changed)

.venv/.stamp-python: pyproject.toml constraints.txt deploy/scripts/setup_venv.sh
	deploy/scripts/setup_venv.sh

.venv/.stamp-node: $(NODE_LOCKS) deploy/scripts/setup_node.sh | .venv/.stamp-python
	deploy/scripts/setup_node.sh

.venv/.stamp-proto: $(PROTO_SOURCES) deploy/scripts/generate_protos.py | .venv/.stamp-python .venv/.stamp-node
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python deploy/scripts/generate_protos.py
	@touch $@

.venv/.stamp-bridge: $(BRIDGE_SOURCES) .venv/.stamp-proto | .venv/.stamp-node
	@if [ -f bridge-node/src/main.ts ]; then cd bridge-node && PATH="$(CURDIR)/.venv/bin:$$PATH" npm run --silent build; fi
	@touch $@

proto: | .venv/.stamp-python .venv/.stamp-node ## generate Python and TypeScript from proto/
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python deploy/scripts/generate_protos.py
	@touch .venv/.stamp-proto

proto-baseline: setup ## accept the present contract as what `buf breaking` compares with
	.venv/bin/buf build -o proto/baseline.binpb --exclude-source-info

demo: setup ## the whole of Ponte against a simulated WhatsApp (ARGS=--once ends by itself)
	$(PONTE) demo $(ARGS)

up: setup ## Ponte itself
	$(PONTE) up $(ARGS)

test: setup ## all tests
	deploy/scripts/test.sh $(ARGS)

test-cycles: setup ## 500 random cycles of sessions, after which nothing may be left
	PONTE_TEST_CYCLES=500 .venv/bin/pytest -q tests/e2e/test_cycles.py $(ARGS)

test-campaigns: setup ## campaigns to 300 people, killed and wiped ten times, measured at the server
	PONTE_TEST_CAMPAIGN=300 .venv/bin/pytest -q tests/e2e/test_campaign.py $(ARGS)

check: setup ## format, lint, types, layering, contract
	deploy/scripts/check.sh

bench: setup ## compare with raw Baileys
	.venv/bin/python -m tests.load.bench $(ARGS)

bench-campaigns: setup ## import a CSV of a million rows and plan a campaign to them (ARGS="--rows 10000")
	.venv/bin/python -m tests.load.campaigns $(ARGS)

bench-import: setup ## import a phone's history of 60,000 messages, killed three times on the way (ARGS="--chats 10")
	.venv/bin/python -m tests.load.imports $(ARGS)

bench-replies: setup ## how fast customers are answered while 50 companies' campaigns run (ARGS="--companies 10")
	.venv/bin/python -m tests.load.replies $(ARGS)

bench-groups: setup ## what a message to a group of 200 costs, against raw Baileys (ARGS="--members 50")
	.venv/bin/python -m tests.load.groups $(ARGS)

bench-sessions: setup ## what 1,000 idle sessions cost (ARGS="--sessions 100")
	.venv/bin/python -m tests.load.idle_sessions $(ARGS)

mutation: setup ## change the sending policy's rules one by one; its tests have to notice (ARGS="orchestrator.domain.policy.limits*")
	deploy/scripts/mutation.sh $(ARGS)

bench-media: setup ## large files in and out: hashes, and the memory of each process
	.venv/bin/python -m tests.load.media $(ARGS)

chaos: setup ## kill everything at random under load, in each deployment (ARGS='--seed 7 --minutes 5')
	.venv/bin/python -m tests.chaos $(ARGS)

format: setup ## write the one format
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

lock: ## resolve anew and write constraints.txt
	deploy/scripts/lock.sh

clean: ## remove all that was made, keep data folders
	rm -rf .venv dist bridge-node/{node_modules,dist,src/generated} tests/simulator/{node_modules,dist} \
	  orchestrator/_generated .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
