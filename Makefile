# The table of contents. Everything that CI does is one of these.

.PHONY: help build test test-offline servers lint bench audit accept-blind accept-edits schema fuzz

need = for tool in git cc cargo; do command -v $$tool >/dev/null || { echo "this needs $$tool: install Rust (rustup.rs), git and a C compiler" >&2; exit 1; }; done

help: ## list what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## the release binary
	cargo build --release --locked

test: ## everything that must hold, on real servers; needs Rust, git, a C compiler, Go and npm
	@$(need)
	@tests/env/build.sh --check
	cargo fetch --locked --quiet
	@tests/env/build.sh & servers=$$!; start=$$(date +%s); \
	cargo test --locked --no-run; built=$$?; echo "=== rust: built in $$(($$(date +%s) - start)) s"; \
	wait $$servers && exit $$built
	cargo test --locked

test-offline: ## the part of the tests that needs no servers; needs Rust, git and a C compiler
	@$(need)
	cargo fetch --locked --quiet
	cargo test --locked --lib --bins --test integration
	cargo test --locked --doc

servers: ## build the real servers and tools of the tests, or find them in the cache
	tests/env/build.sh

lint: ## format and lints, warnings are errors
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

bench: ## measure, as ratios within one run
	cargo bench --locked --bench bench

accept-blind: ## a million generated worlds: degrading any input never makes a down
	FLEETSCALE_CASES=1000000 cargo test --locked --release --test integration -- --exact properties::degrading_any_input_never_makes_a_down --nocapture

accept-edits: ## 100,000 generated edits over all shapes: only the value's bytes change, and undo gives the original
	FLEETSCALE_CASES=100000 cargo test --locked --release --test integration -- --exact scenarios::edits_in_any_style_change_their_values_alone --nocapture

fuzz: ## fuzz the edit engine, FUZZ_SECONDS (60) for each target; needs cargo-fuzz and a nightly compiler
	tests/fuzz/run.sh

schema: ## write policies/schema anew
	cargo run --locked --quiet -- schema --write policies/schema

audit: ## advisories, licences, bans and sources (needs cargo-deny and the advisory database)
	cargo deny --config .deny.toml check
