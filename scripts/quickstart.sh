#!/usr/bin/env bash
# From a bare Debian or Ubuntu machine to a model that answers: installs what is
# missing, builds, serves examples/iris.onnx and calls it. Safe to run again.
#
#   ./scripts/quickstart.sh [--once] [PORT]     --once: stop after the answer
set -euo pipefail
. "$(dirname "$0")/lib.sh"

once=
[ "${1:-}" = --once ] && { once=1; shift; }
port=${1:-8000}

need_build_tools
need_onnxruntime
say "building"
build release

say "starting: build/release/stoker serve examples/iris.onnx --http-port $port"
build/release/stoker serve examples/iris.onnx --http-port "$port" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
url=http://127.0.0.1:$port
for _ in $(seq 200); do
    kill -0 $server 2>/dev/null || die "the server did not start; see its message above"
    curl -fsS "$url/readyz" >/dev/null 2>&1 && break
    sleep 0.05
done

body='[[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]'
echo
echo "The model answers at $url/predict (try it in a browser: $url/docs)."
echo "Two flowers, measured in cm; the probabilities of setosa, versicolor, virginica:"
echo
echo "    curl -s $url/predict -d '$body'"
echo
echo "    $(curl -fsS "$url/predict" -d "$body")"
echo
echo "Is everything fine? The console: http://127.0.0.1:8002"
[ -n "$once" ] && exit 0
echo "Serving; Ctrl-C ends it."
wait $server
