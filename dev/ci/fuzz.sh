#!/usr/bin/env bash
# The fuzz targets are no members of the workspace, and built rarely: here they are at least formatted and compile. Needs a C++
# compiler for libFuzzer. They run with make fuzz-coverage.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo fmt --manifest-path fuzz/Cargo.toml --check
cargo check --manifest-path fuzz/Cargo.toml --locked
