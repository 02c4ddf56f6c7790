#!/usr/bin/env bash
# Coverage-guided fuzzing of every target in fuzz/ for FUZZ_SECONDS (30) each, with libFuzzer and a stable compiler: the
# instrumentation is LLVM's own and needs no nightly flag. Corpora grow in fuzz/corpus; what breaks something lands in fuzz/artifacts.
# Arguments name the targets; none is all of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
CARGO=${CARGO:-cargo}
seconds=${FUZZ_SECONDS:-30}
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
export RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 $coverage"
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_PANIC=unwind
# With a target named, build scripts and macros are not instrumented.
"$CARGO" build --release --target "$host" --manifest-path fuzz/Cargo.toml --locked
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | grep -v '^sealyard-fuzz$')
failed=0
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  seeds=()
  [ -d "fuzz/seeds/$target" ] && seeds=("fuzz/seeds/$target")
  echo "== $target for $seconds s"
  if "$CARGO_TARGET_DIR/$host/release/$target" "fuzz/corpus/$target" "${seeds[@]}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1 >"fuzz/artifacts/$target/log" 2>&1; then
    grep -E 'stat::number_of_executed_units|^#.*(DONE)' "fuzz/artifacts/$target/log"
  else
    failed=1
    echo "FAILED: $target; what it found is in fuzz/artifacts/$target"
    tail -30 "fuzz/artifacts/$target/log"
  fi
done
exit $failed
