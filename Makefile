# What people type. Each target first brings what is missing, through deploy/bootstrap.sh.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test sim fuzz chaos power check bench-peers

TOOLS := $(or $(DOUDI_TOOLS),$(HOME)/.cache/doudi/tools)
DENY = $(lastword $(sort $(wildcard $(TOOLS)/cargo-deny-*/bin/cargo-deny)))
PROMTOOL = $(or $(shell command -v promtool),$(wildcard $(TOOLS)/prometheus/promtool))
GRAFANA = $(lastword $(sort $(wildcard $(TOOLS)/grafana-*)))
BUF = $(lastword $(sort $(wildcard $(TOOLS)/buf-*/node_modules/.bin/buf)))

help: ## Says what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: ## A working day in 旅顺口区 on real servers, told as a story
	@deploy/bootstrap.sh
	cargo build --locked --package doudi-server --bin doudi
	@cargo run --quiet --locked --package doudi-server --bin doudi -- demo

test: ## All tests, on real servers too
	@cargo --version
	@deploy/bootstrap.sh --python --old-nats
	cargo build --workspace --bins --tests --locked
	cargo test --workspace --locked

sim: ## The simulation alone: SEED=7 for one world, SEEDS=1000000 for many
	cargo test --locked --package doudi-tests --test all -- sim::

fuzz: ## Events, requests, tokens and files that nobody of ours wrote: ROUNDS=1000000 for many, SEED=7 from there on
	@deploy/bootstrap.sh
	cargo test --locked --package doudi-tests --test all -- fuzz::

chaos: ## Kills, freezes, cut lines and jumping clocks under load: CHAOS=25 for long, SEED=7 for others
	@deploy/bootstrap.sh
	cargo build --workspace --bins --locked
	cargo test --locked --package doudi-tests --test all -- chaos:: power::full:: --nocapture

power: ## Power cuts on a disk of its own, and disks without room: CUTS=300 for many
	@deploy/bootstrap.sh
	cargo build --workspace --bins --locked
	cargo test --locked --package doudi-tests --test all -- power:: --nocapture

# The peers have dependencies of their own, which no other target builds.
PEERS := --manifest-path tests/bench/peers/Cargo.toml
BUILT = $(or $(CARGO_TARGET_DIR),target)

bench-peers: ## Check-in and log beside other event stores: PEERS_ARGS='--json FILE'
	@deploy/bootstrap.sh --peers
	cargo build --release --locked --package doudi-server --bin doudi
	cargo run --release --locked $(PEERS) -- --doudi $(BUILT)/release/doudi $(PEERS_ARGS)

check: ## Form, lints, licences, protocol, dashboard and alerts
	@cargo --version && cargo clippy --version && cargo fmt --version
	@deploy/bootstrap.sh --checks
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@$(MAKE) --no-print-directory check-deny check-buf check-observability

.PHONY: check-deny check-buf check-observability

# Advisories need a database that cannot always be fetched; without it the rest is checked all the same.
# The licences of what other platforms need are read too, so their packages have to be here.
check-deny:
	cargo fetch --locked --quiet
	$(DENY) --offline --log-level error check bans licenses sources
	@if ls -d "$${CARGO_HOME:-$$HOME/.cargo}"/advisory-dbs/advisory-db-* >/dev/null 2>&1; \
		then $(DENY) --offline --log-level error check advisories; \
		else echo 'advisories: no database is at hand; not checked'; fi

check-buf:
	@if [ -z "$(BUF)" ]; then echo 'buf is not at hand; the protocol is not linted'; else set -x; \
		$(BUF) lint proto; $(BUF) format --diff --exit-code proto; fi

# What cannot be checked is said, and fails where CI is set, unless DOUDI_MAY_SKIP names it: as tests do.
check-observability:
	@if [ -n "$(PROMTOOL)" ]; then set -x; \
		$(PROMTOOL) check rules deploy/observability/alerts.yml; \
		$(PROMTOOL) test rules deploy/observability/alerts_test.yml; \
		python3 deploy/observability/check.py $(PROMTOOL) $(GRAFANA); \
	else \
		echo 'skipped promtool: it is not at hand; dashboard and alerts are not checked' >&2; \
		may=",$${DOUDI_MAY_SKIP:-},"; \
		if [ -n "$${CI+set}" ] && [[ "$${may// /}" != *,promtool,* ]]; then \
			echo 'CI is set; with DOUDI_MAY_SKIP=promtool the check passes all the same' >&2; exit 1; \
		fi; \
	fi
