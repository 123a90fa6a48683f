#!/usr/bin/env bash
# Every fuzz target for FUZZ_SECONDS (60), from the corpus in the tree. Needs
# clang with its runtime; findings are left in build/fuzz/findings.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need_build_tools
need_packages clang libclang-rt-dev
build fuzz
mkdir -p build/fuzz/findings
for corpus in tests/fuzz/corpus/*/; do
    target=$(basename "$corpus")
    work=build/fuzz/corpus-$target
    mkdir -p "$work"
    [ $target = source ] && tar -xf tests/fixtures/torch/open.tar.xz -C "$work" --wildcards '*.py'
    case $target in hdf5 | import) longest=65536 ;; *) longest=4096 ;; esac
    case $target in source) slowest=40 ;; *) slowest=10 ;; esac
    say "fuzzing $target for ${FUZZ_SECONDS:-60} s"
    build/fuzz/fuzz_$target -max_total_time="${FUZZ_SECONDS:-60}" -max_len="$longest" -timeout="$slowest" -rss_limit_mb=4096 \
        -print_final_stats=1 -artifact_prefix=build/fuzz/findings/$target- "$work" "$corpus" 2>&1 |
        grep -E 'stat::(number_of_executed|new_units)|ERROR|SUMMARY|DONE' || exit 1
done
ls build/fuzz/findings | grep . && die "findings are in build/fuzz/findings"
say "no findings"
