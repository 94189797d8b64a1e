# Two commands: `make run` and `make test`. Everything else is a part of them, or for the engineer at the bench.
# Each prepares what it needs on a Debian 12 machine that has Rust; all of them may be run again at any time.

SHELL := /bin/bash
.DEFAULT_GOAL := help
export ORT_DYLIB_PATH ?= $(CURDIR)/.huoyan/lib/libonnxruntime.so
export ORT_DISABLE_TELEMETRY := 1

UI := src/web/ui
UI_BUILT := $(UI)/dist/.built
UI_SOURCES := $(shell find $(UI) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/generated/*' -not -path '*/mock/*' 2>/dev/null)
RELEASE := $(or $(CARGO_TARGET_DIR),target)/release/huoyan
DEBUG := $(or $(CARGO_TARGET_DIR),target)/debug/huoyan

DAYS ?= 1000
CAMERAS ?= 267
STREAM ?= sub
CADENCE ?= 10s
SECONDS ?= 600
SMOKE ?= 5%
COUNTIES ?= 122
DESKS ?= 1
TIMES ?= 1
ARGS ?=

.PHONY: help run test contract e2e ui simulate bench county torture cluster province peers fuzz lint unit deb setup setup-test setup-deb

help:
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup $(UI_BUILT)  ## build, and start the demo county at http://127.0.0.1:8131/
	@echo "[3/3] program (the first build takes some minutes)"
	@cargo build --release --locked
	@exec $(RELEASE) run --demo $(ARGS)

test: setup-test lint unit contract e2e  ## everything that CI runs
	@echo "all tests passed"

lint: setup-test $(UI_BUILT)  ## format, lints, documentation, types of the pages, training code
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	cd $(UI) && npm run --silent check
	.huoyan/python/bin/ruff check --quiet models benches/peers tests/contract

unit: setup-test $(UI_BUILT)  ## tests of pages and program, with real PostgreSQL and NATS
	cd $(UI) && npm run --silent test
	HUOYAN_REQUIRE_UI=1 scripts/with-services cargo test --locked

contract: setup-test $(UI_BUILT)  ## generated requests against the program: it answers as /openapi.json says
	cargo build --locked
	HUOYAN_BIN=$(abspath $(DEBUG)) node tests/contract/run.mjs

e2e: setup-test $(UI_BUILT)  ## one fire from plume to closure in a real browser
	cargo build --locked
	HUOYAN_BIN=$(abspath $(DEBUG)) node tests/e2e/run.mjs

simulate:  ## seeded county days and their figures: make simulate DAYS=1000 JSON=file, one day again: HUOYAN_SEED=42
	@cargo build --release --locked --example simulate
	@exec $(dir $(RELEASE))examples/simulate --days $(DAYS) $(if $(JSON),--json $(JSON)) $(ARGS)

bench: setup $(UI_BUILT)  ## decode, detect, associate, sighting-to-dispatch, analyses, board and phones
	cargo bench --locked $(ARGS)

county: setup $(UI_BUILT)  ## a county's cameras on this machine: CAMERAS=267 STREAM=sub CADENCE=10s SECONDS=600 GATE=on SMOKE=5% YARDSTICK=graph.onnx JSON=file
	@cargo build --release --locked --bin huoyan --example huoyan-farm --example county
	@ORT_DISABLE_TELEMETRY=1 exec $(dir $(RELEASE))examples/county --cameras "$(CAMERAS)" --stream "$(STREAM)" --cadence "$(CADENCE)" \
		--seconds $(SECONDS) --smoke $(SMOKE) $(if $(GATE),--gate $(GATE)) $(if $(YARDSTICK),--yardstick $(YARDSTICK)) \
		$(if $(JSON),--json $(JSON)) $(ARGS)

fuzz: setup  ## every reader of strangers' input, given made-up bytes, SECONDS each: make fuzz SECONDS=600 TARGETS="alarms hotspots"
	@SECONDS_EACH=$(SECONDS) TARGETS="$(TARGETS)" exec scripts/fuzz

torture: setup-test $(UI_BUILT)  ## everything around the program fails in turn, every promise is looked at: SECONDS=600 STORE=postgres JSON=file
	@cargo build --release --locked --bin huoyan --example torture
	@exec $(if $(filter postgres,$(STORE)),scripts/with-services) $(dir $(RELEASE))examples/torture --seconds $(SECONDS) \
		$(if $(JSON),--json $(JSON)) $(ARGS)

cluster: SECONDS = 108
cluster: TIMES = 1
cluster: setup-test $(UI_BUILT)  ## two desks, edges, proxy, NATS and PostgreSQL; each part and line fails in turn; what was lost, doubled, late, noticed: SECONDS=108 TIMES=1
	@cargo build --release --locked --bin huoyan --example cluster
	@for run in $$(seq $(TIMES)); do echo "run $$run of $(TIMES)"; \
		HUOYAN_FSYNC=on scripts/with-services $(dir $(RELEASE))examples/cluster --seconds $(SECONDS) $(ARGS) || exit 1; done

province: SECONDS = 300
province: setup-test $(UI_BUILT)  ## a province's edges, played, against one centre: COUNTIES=122 SECONDS=300 DESKS=1 TIMES=1 JSON=file
	@cargo build --release --locked --bin huoyan --example province
	@HUOYAN_FSYNC=on exec scripts/with-services $(dir $(RELEASE))examples/province --counties $(COUNTIES) --seconds $(SECONDS) \
		--desks $(DESKS) --times $(TIMES) $(if $(JSON),--json $(JSON)) $(ARGS)

peers: CAMERAS = 16
peers: SECONDS = 60
peers: setup $(UI_BUILT)  ## beside other ways to watch: make peers CAMERAS=16 SECONDS=60 STREAM=sub (benches/peers/README.md)
	@benches/peers/setup
	@cargo build --release --locked --bin huoyan --example huoyan-farm --example huoyan-peer
	@python3 benches/peers/run.py --cameras $(CAMERAS) --seconds $(SECONDS) --stream $(STREAM) $(ARGS)

deb: setup-deb $(UI_BUILT)  ## the Debian package: program, models, ONNX Runtime, service (docs/deploy.md)
	@echo "[3/3] program and package (the first build takes some minutes)"
	@cargo build --release --locked
	@.huoyan/cargo/bin/cargo-deb --no-build
	@ls -sh --block-size=M $(dir $(RELEASE))../debian/*.deb

ui: setup $(UI_BUILT)  ## build the pages

$(UI_BUILT): $(UI_SOURCES)
	@echo "[2/3] pages"
	@cd $(UI) && npm ci --silent --no-audit --no-fund && npm run --silent build >/dev/null
	@touch $@

setup:
	@scripts/setup run

setup-test:
	@scripts/setup test

setup-deb:
	@scripts/setup deb
