#!/usr/bin/env bash
# The long checks: a million requests without growth, and a longer fuzzing run.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need_build_tools
need_packages wrk
need_onnxruntime
build release
build/release/stoker serve examples/iris.onnx --http-port 18990 --no-monitor --lame-duck 0 --log-level warn &
master=$!
trap 'kill $master 2>/dev/null || true' EXIT
sleep 1
child=$(cat /proc/$master/task/$master/children)
child=${child%% *}
resident() { awk '/VmRSS/ { print $2 }' "/proc/$child/status"; }
BODY_FILE=$(mktemp)
export BODY_FILE
echo '[[5.1, 3.5, 1.4, 0.2]]' >"$BODY_FILE"
wrk -t1 -c32 -d2s -s bench/post.lua http://127.0.0.1:18990/predict >/dev/null
before=$(resident)
for _ in 1 2 3; do
    wrk -t1 -c32 -d10s -s bench/post.lua http://127.0.0.1:18990/predict | grep 'requests in'
done
after=$(resident)
say "resident: $before kB before, $after kB after"
[ $((after - before)) -le 1024 ] || die "it grew"
FUZZ_SECONDS=${FUZZ_SECONDS:-600} ./scripts/fuzz.sh
