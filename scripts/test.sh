#!/usr/bin/env bash
# Installs what the tests need and runs all of them. Safe to run again.
#
# Ends with one line: N passed, N failed, N skipped. Every skip was printed with
# its reason above it.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
set -e

need_build_tools
need_packages libcmocka-dev python3 python3-pytest python3-numpy python3-onnx python3-h5py python3-requests \
    libonnx-testdata chromium prometheus prometheus-alertmanager wrk universal-ctags binutils procps strace tzdata libarchive-tools mtree-netbsd
need_command node nodejs
need_command npm npm
need_onnxruntime
need_tree
[ -d tests/npm/node_modules/axe-core ] || (cd tests/npm && npm ci --silent --ignore-scripts --no-audit --no-fund)

LONG="setup backup torch_models console" # first: nobody is to wait for them at the end
AT_ONCE=6 # files of system tests

passed=0 failed=0 skipped=0
count() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); }

# together COMMAND...: the stages side by side. What they say comes one after
# the other, in their order.
together() {
    local stage folder pids=() i=0 p f s
    folder=$(mktemp -d)
    for stage in "$@"; do
        (
            passed=0 failed=0 skipped=0
            set +e
            $stage
            echo "$passed $failed $skipped" >"$folder/$i.count"
        ) >"$folder/$i.log" 2>&1 &
        pids+=($!) i=$((i + 1))
    done
    for i in "${!pids[@]}"; do
        wait "${pids[$i]}" || true
        cat "$folder/$i.log"
        read -r p f s <"$folder/$i.count" || { p=0 f=1 s=0; }
        count "$p" "$f" "$s"
    done
    rm -r "$folder"
}

tree_checks() {
    local c
    say "tree checks"
    for c in layers.py size.py registry.py headers.sh globals.sh; do
        check "tools/check-$c"
    done
}

# unit PRESET: every unit test program.
unit() {
    local program log
    say "unit tests ($1)"
    for program in build/"$1"/test_*; do
        log=$(mktemp)
        LSAN_OPTIONS=suppressions=$ROOT/tests/suppressions-lsan.txt \
        TSAN_OPTIONS=suppressions=$ROOT/tests/suppressions-tsan.txt \
            "$program" >"$log" 2>&1 && ended=0 || ended=$?
        ok=$(grep -c '^\[       OK \]' "$log" || true)
        bad=$(grep -c '^\[  FAILED  \] [a-z]' "$log" || true)
        skip=$(grep -c '^\[  SKIPPED \]' "$log" || true)
        bad=$((bad / 2 + bad % 2))
        [ "$ended" != 0 ] && [ "$bad" = 0 ] && bad=1
        [ "$bad" != 0 ] && { echo "--- $program"; grep -v 'RUN  \|  OK \]' "$log"; }
        count "$ok" "$bad" "$skip"
        rm -f "$log"
    done
}

# promql PRESET: scripts in Prometheus' test language.
promql() {
    local log
    say "PromQL scripts ($1)"
    log=$(mktemp)
    build/"$1"/promqltest --verbose tests/cases/promql/*.test >"$log" 2>&1 || true
    read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" || echo 0 1 0)
    [ "${f:-1}" = 0 ] || cat "$log"
    count "${p:-0}" "${f:-1}" "${s:-0}"
    build/"$1"/promqltest tests/promql/fails.test >"$log" || true
    check grep -qx "0 passed, 4 failed, 3 skipped" "$log"
    rm -f "$log"
}

# fuzz_corpus PRESET HALF: every other fuzz target over its corpus.
fuzz_corpus() {
    local program i=0
    say "fuzz corpora ($1, half $2)"
    for program in build/"$1"/fuzz_*; do
        i=$((i + 1))
        [ $((i % 2)) != $(($2 % 2)) ] || check "$program" "tests/fuzz/corpus/${program##*fuzz_}"
    done
}

# system PRESET FILE: a file of system tests against that build. One line when
# all is well, else all that was said. Sanitizers get the tests marked for them.
system() {
    local preset=$1 file=$2 folder marked=() ended=0
    folder=$(mktemp -d)
    [ "$preset" = release ] || export STOKER_SLOW=6
    [ "$preset" != dev ] || marked=(-m sanitize)
    [ "$preset" != tsan ] || marked=(-m "sanitize and not one_thread")
    STOKER_BINARY=build/$preset/stoker /usr/bin/python3 -m pytest -q -p no:cacheprovider -rs -s --tb=short \
        --junit-xml="$folder/report" "${marked[@]}" "$file" >"$folder/log" 2>&1 || ended=$?
    times >"$folder/times"
    /usr/bin/python3 - "$folder" "$ended" "$preset ${file##*/}" <<'PY'
import pathlib, re, sys, xml.etree.ElementTree as x
folder, ended, name = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
busy = sum(60 * int(m) + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", (folder / "times").read_text()))
try:
    s = x.parse(folder / "report").getroot().find("testsuite").attrib
    f, k = int(s["failures"]) + int(s["errors"]), int(s["skipped"])
    p, took = int(s["tests"]) - f - k, float(s["time"])
except Exception:
    p, f, k, took = 0, 0, 0, 0
f = f or ended not in ((0,) if name.startswith("release ") else (0, 5))  # 5: none is marked
(folder / "said").write_text((folder / "log").read_text(errors="replace") if f or k else "")
with open(folder / "said", "a") as out:
    print(f"{name}: {p} passed, {f:d} failed, {k} skipped in {took:.0f} s, {busy:.0f} s of them at work", file=out)
(folder / "count").write_text(f"{p} {f:d} {k}\n")
PY
    (
        flock 9
        cat "$folder/said"
        cat "$folder/count" >&9
    ) 9>>"$COUNTS"
    rm -r "$folder"
}

# system_tests: each file against the release, and against the builds with
# address and undefined behaviour (dev) and threads (tsan) what is marked for
# them. They wait more than they compute: more at once than there are processors.
system_tests() {
    local file files=() jobs p f s
    for file in $LONG; do files+=("tests/system/test_$file.py"); done
    for file in tests/system/test_*.py; do
        [[ " ${files[*]} " == *" $file "* ]] || files+=("$file")
    done
    COUNTS=$(mktemp)
    export COUNTS
    export -f system
    jobs=$(mktemp)
    for file in "${files[@]}"; do
        echo "release $file"
        grep -q sanitize "$file" || continue
        echo "dev $file"
        grep -q "^pytestmark.*one_thread" "$file" || echo "tsan $file"
    done >"$jobs"
    xargs -P "$AT_ONCE" -n 2 bash -c 'system "$@"' - <"$jobs" || say "a file of system tests did not come to its end"
    # One that was killed has said nothing: it has failed.
    count 0 $(($(wc -l <"$jobs") - $(wc -l <"$COUNTS"))) 0
    while read -r p f s; do count "$p" "$f" "$s"; done <"$COUNTS"
    rm -f "$COUNTS" "$jobs"
}

check() {
    if "$@"; then count 1 0 0; else count 0 1 0; fi
}

say "building"
build dev
build tsan
build release

together tree_checks "unit dev" "unit tsan"
promql dev
together "fuzz_corpus dev 1" "fuzz_corpus dev 2"
say "system tests"
export ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$ROOT/tests/suppressions-lsan.txt
export TSAN_OPTIONS=suppressions=$ROOT/tests/suppressions-tsan.txt
system_tests

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
