#!/usr/bin/env bash
# Builds Stoker, installs its peers (FastAPI + torch from the distribution,
# fastify + onnxruntime-node from npm, nginx), measures all of them in turn.
# About 1 GiB is installed. Arguments go to bench/run.py.
set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"

need_build_tools
need_onnxruntime
need_packages wrk nginx-light python3-fastapi python3-uvicorn python3-torch python3-numpy python3-onnx
need_command node nodejs
need_command npm npm
[ -d bench/peers/node_modules/fastify ] || (cd bench/peers && npm ci --silent --ignore-scripts --no-audit --no-fund)
build release
cmake --build build/release --target bench_json_floats >/dev/null
if [ $# -eq 0 ]; then build/release/bench_json_floats; fi
exec /usr/bin/python3 bench/run.py "$@"
