#!/usr/bin/env bash
# Builds Stoker, installs its peers and measures all of them in turn: the service
# beside FastAPI + torch, fastify + onnxruntime-node and nginx; the monitor
# beside Prometheus, VictoriaMetrics and Netdata. About 1 GiB is installed, and it
# takes half an hour. Arguments go to bench/run.py, and that alone is run.
set -euo pipefail
. "$(dirname "$0")/../scripts/lib.sh"

need_build_tools
need_onnxruntime
need_packages wrk nginx-light python3-fastapi python3-uvicorn python3-torch python3-numpy python3-onnx
need_command node nodejs
need_command npm npm
[ -d bench/peers/node_modules/fastify ] || (cd bench/peers && npm ci --silent --ignore-scripts --no-audit --no-fund)
build release
cmake --build build/release --target bench_json_floats bench_push >/dev/null
[ $# -eq 0 ] || exec /usr/bin/python3 bench/run.py "$@"
build/release/bench_json_floats
/usr/bin/python3 bench/run.py
need_packages prometheus victoria-metrics netdata-core
/usr/bin/python3 bench/monitor.py --scrapes 200 --rounds 5
/usr/bin/python3 bench/history.py --hours 24 --rest 30
/usr/bin/python3 bench/history.py --hours 1 --rest 30
/usr/bin/python3 bench/rest.py --rounds 3
