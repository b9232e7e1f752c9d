#!/usr/bin/env bash
# Runs every fuzz target for so many seconds (60) with 512 MB at most: fuzz/run.sh [SECONDS] [TARGET...]
# Needs a nightly toolchain and cargo-fuzz (cargo install cargo-fuzz). What is found stands in fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(cargo +nightly fuzz list)
fi
# Freed memory that the sanitizer keeps for its reports is not the program's.
export ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=5
# C libraries without it: librdkafka's configure cannot link one that has it.
export CFLAGS=-fno-sanitize=all CXXFLAGS=-fno-sanitize=all
for target in "${targets[@]}"; do
    printf '\n== %s\n' "$target"
    mkdir -p "fuzz/corpus/$target"
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -rss_limit_mb=512 -timeout=10 -print_final_stats=1
done
