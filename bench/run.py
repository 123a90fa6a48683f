#!/usr/bin/python3
"""Stoker against its peers on this machine, in one run: each case is measured
A B C ... A B C ..., the medians are printed with their ratios. The load
generator (wrk, one thread) shares the cores with the server.

    bench/run.py [--rounds 3] [--seconds 4] [CASE ...]
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests/system"))
import models  # noqa: E402
import numpy as np  # noqa: E402

STOKER = ROOT / "build/release/stoker"
PORTS = {"stoker": 18700, "stoker+log": 18701, "nginx": 18702, "fastify": 18703, "fastapi": 18704, "stoker-1": 18705}


def cnn(path):
    rng = np.random.default_rng(3)
    h, c = models.h, models.const
    return models.save(path, [
        h.make_node("Reshape", ["x", "shape"], ["i"]),
        h.make_node("Conv", ["i", "k1", "b1"], ["c1"], kernel_shape=[5, 5], pads=[2, 2, 2, 2]), h.make_node("Relu", ["c1"], ["r1"]),
        h.make_node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        h.make_node("Conv", ["p1", "k2", "b2"], ["c2"], kernel_shape=[5, 5], pads=[2, 2, 2, 2]), h.make_node("Relu", ["c2"], ["r2"]),
        h.make_node("MaxPool", ["r2"], ["p2"], kernel_shape=[3, 3], strides=[3, 3]),
        h.make_node("Flatten", ["p2"], ["f"], axis=1), h.make_node("Gemm", ["f", "w", "b"], ["y"])],
        [models.info("x", ["batch", 784])], [models.info("y", ["batch", 10])],
        [c("shape", [-1, 1, 28, 28], np.int64), c("k1", rng.normal(size=(8, 1, 5, 5)) / 5), c("b1", np.zeros(8)),
         c("k2", rng.normal(size=(16, 8, 5, 5)) / 14), c("b2", np.zeros(16)),
         c("w", rng.normal(size=(256, 10)) / 16), c("b", np.zeros(10))])


def squeezenet(path):
    """SqueezeNet 1.1 (Iandola 2016) with random weights: 1.2 M parameters."""
    rng = np.random.default_rng(4)
    nodes, weights = [], []

    def conv(x, name, cin, cout, k, **kw):
        weights.extend([models.const(name + "w", rng.normal(size=(cout, cin, k, k)) * (2 / (cin * k * k)) ** .5),
                        models.const(name + "b", np.zeros(cout))])
        nodes.append(models.h.make_node("Conv", [x, name + "w", name + "b"], [name + "c"], kernel_shape=[k, k], **kw))
        nodes.append(models.h.make_node("Relu", [name + "c"], [name]))
        return name

    def pool(x, name):
        nodes.append(models.h.make_node("MaxPool", [x], [name], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
        return name

    def fire(x, name, cin, squeeze, expand):
        s = conv(x, name + "s", cin, squeeze, 1)
        a, b = conv(s, name + "a", squeeze, expand, 1), conv(s, name + "e", squeeze, expand, 3, pads=[1] * 4)
        nodes.append(models.h.make_node("Concat", [a, b], [name], axis=1))
        return name

    x = pool(conv("x", "c1", 3, 64, 3, strides=[2, 2]), "p1")
    x = pool(fire(fire(x, "f2", 64, 16, 64), "f3", 128, 16, 64), "p3")
    x = pool(fire(fire(x, "f4", 128, 32, 128), "f5", 256, 32, 128), "p5")
    x = fire(fire(x, "f6", 256, 48, 192), "f7", 384, 48, 192)
    x = conv(fire(fire(x, "f8", 384, 64, 256), "f9", 512, 64, 256), "c10", 512, 1000, 1)
    nodes.append(models.h.make_node("GlobalAveragePool", [x], ["g"]))
    nodes.append(models.h.make_node("Flatten", ["g"], ["y"], axis=1))
    return models.save(path, nodes, [models.info("x", ["batch", 3, 224, 224])], [models.info("y", ["batch", 1000])], weights)


def in_process(model, processes, seconds):
    argv = ["node", str(HERE / "peers/inprocess.js"), str(model), "x", "3,224,224", str(seconds)]
    env = {**os.environ, "ORT_DISABLE_TELEMETRY": "1"}
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=HERE / "peers", env=env) for _ in range(processes)]
    return sum(float(p.communicate()[0]) for p in running)


def runtime_case(tmp, raw, args):
    """Runs per second of a model that costs some milliseconds: the server with
    1 and 2 threads against the bare runtime in 1 and 2 processes."""
    model = squeezenet(tmp / "squeezenet.onnx")
    url = f"http://127.0.0.1:{PORTS['stoker']}/v2/models/squeezenet/infer"
    print("\n### SqueezeNet 1.1, binary bodies, 8 connections\n\n| threads | in process | stoker | of in process |\n|---:|---:|---:|---:|")
    for threads in (1, 2):
        bare, served = [], []
        for _ in range(args.rounds):
            bare.append(in_process(model, threads, args.seconds))
            p = subprocess.Popen([STOKER, "serve", model, "--http-port", str(PORTS["stoker"]), "--no-monitor", "--log-level", "warn",
                                  "--threads", str(threads)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait(PORTS["stoker"], p)
                wrk(url, raw, 8, 1, "application/octet-stream", "Inference-Header-Content-Length: 0")
                served.append(wrk(url, raw, 8, args.seconds, "application/octet-stream", "Inference-Header-Content-Length: 0")[0])
            finally:
                p.terminate()
                p.wait()
        a, b = statistics.median(bare), statistics.median(served)
        print(f"| {threads} | {a:.1f} | {b:.1f} | {b / a * 100:.0f} % |")
    sys.stdout.flush()


def wait(port, process):
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"the server on port {port} did not start")
            time.sleep(0.05)
    raise SystemExit(f"the server on port {port} is not ready")


def start(name, model, kind, tmp):
    port, null = PORTS[name], subprocess.DEVNULL
    if name.startswith("stoker"):
        log = ["--access-log", str(tmp / "access.log")] if name == "stoker+log" else []
        one = ["--threads", "1"] if name == "stoker-1" else []
        argv = [STOKER, "serve", model, "--http-port", str(port), "--no-monitor", "--log-level", "warn", *log, *one]
    elif name == "nginx":
        conf = tmp / "nginx.conf"
        conf.write_text(f"worker_processes auto; pid {tmp}/nginx.pid; error_log {tmp}/nginx.err; daemon off;\n"
                        "events { worker_connections 1024; }\nhttp { access_log off; keepalive_requests 1000000000;\n"
                        f"server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json;"
                        " return 200 '{\"predict_result\":[[-1.1420012]]}'; } } }\n")
        argv = ["nginx", "-c", conf]
    elif name == "fastify":
        argv = ["node", HERE / "peers/fastify.js", model, str(port)]
    else:
        argv = ["/usr/bin/python3", "-m", "uvicorn", "fastapi_app:app", "--port", str(port)]
    env = {**os.environ, "BENCH_MODEL": kind, "ORT_DISABLE_TELEMETRY": "1"}
    p = subprocess.Popen(list(map(str, argv)), stdout=null, stderr=null, env=env, cwd=HERE / "peers")
    wait(port, p)
    return p


def wrk(url, body, connections, seconds, kind="application/json", header=""):
    env = {**os.environ, "BODY_FILE": str(body), "BODY_TYPE": kind, "HEADER": header}
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency",
                          "-s", HERE / "post.lua", url], capture_output=True, text=True, env=env).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url} answered with errors:\n{out}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    unit = {"us": 1, "ms": 1e3, "s": 1e6}
    p = {q: float(v) * unit[u] for q, v, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", out)}
    return rate, p.get("50", 0), p.get("99", 0)


def case(title, servers, body, connections, args, tmp, model, kind, urls=None):
    running = {n: start(n, model, kind, tmp) for n in servers}
    got = {n: [] for n in servers}
    got_urls = {n: f"http://127.0.0.1:{PORTS[n]}/predict" for n in servers}
    extra = urls or {}
    for n in extra:
        got[n] = []
    try:
        for round_ in range(args.rounds):
            for n in servers:
                got[n].append(wrk(got_urls[n], body, connections, args.seconds))
            for n, (url, b, t, hdr) in extra.items():
                got[n].append(wrk(url, b, connections, args.seconds, t, hdr))
    finally:
        for p in running.values():
            p.terminate()
            p.wait()
    rows = {n: [statistics.median(x[i] for x in v) for i in range(3)] for n, v in got.items()}
    base = rows[servers[0]][0]
    print(f"\n### {title}\n\n| server | requests/s | p50 us | p99 us | stoker is |\n|---|---:|---:|---:|---:|")
    for n, (rate, p50, p99) in rows.items():
        print(f"| {n} | {rate:,.0f} | {p50:,.0f} | {p99:,.0f} | {base / rate:.2f} x |")
    sys.stdout.flush()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--seconds", type=int, default=4)
    ap.add_argument("cases", nargs="*")
    args = ap.parse_args()
    want = lambda c: not args.cases or c in args.cases  # noqa: E731
    with tempfile.TemporaryDirectory() as d:
        tmp = pathlib.Path(d)
        rng = np.random.default_rng(0)
        mlp, net, mean = models.mlp(tmp / "mlp.onnx"), cnn(tmp / "cnn.onnx"), models.image_mean(tmp / "image.onnx")
        one, rows, digits, image, raw = (tmp / n for n in ("one", "rows", "digits", "image.json", "image.bin"))
        one.write_text("[[1.2,3.4,5.6]]")
        rows.write_text(json.dumps([[1.2, 3.4, 5.6]] * 32))
        digits.write_text(json.dumps([[round(float(v), 4) for v in rng.random(784)]]))
        pixels = rng.random((1, 3, 224, 224), dtype=np.float32)
        image.write_text(json.dumps([[[[float(f"{v:.8g}") for v in row] for row in ch] for ch in pixels[0]]]))
        raw.write_bytes(struct.pack(f"<{pixels.size}f", *pixels.flatten()))
        all_ = ["stoker", "nginx", "fastify", "fastapi"]
        if want("tiny"):
            live = f"http://127.0.0.1:{PORTS['stoker']}/v2/health/live"
            case("tiny MLP, 32 connections", ["stoker", "stoker+log", *all_[1:]], one, 32, args, tmp, mlp, "mlp")
            print(f"(constant body: {live}, measured by `wrk -t1 -c32`, GET)")
            p = start("stoker", mlp, "mlp", tmp)
            try:
                pairs = []
                for _ in range(args.rounds):
                    a = wrk(f"http://127.0.0.1:{PORTS['stoker']}/predict", one, 32, args.seconds)[0]
                    out = subprocess.run(["wrk", "-t1", "-c32", f"-d{args.seconds}s", live], capture_output=True, text=True).stdout
                    pairs.append(a / float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]))
                print(f"predict / constant body of our own: {statistics.median(pairs):.3f}")
            finally:
                p.terminate()
                p.wait()
        if want("single"):
            case("tiny MLP, 1 connection", all_[:3], one, 1, args, tmp, mlp, "mlp")
        if want("rows"):
            case("32 rows per request, 32 connections", ["stoker", "fastify", "fastapi"], rows, 32, args, tmp, mlp, "mlp")
        if want("cnn"):
            case("MNIST CNN, 784 floats as JSON, 32 connections", ["stoker", "stoker-1", "fastify", "fastapi"], digits, 32, args, tmp, net, "cnn")
        if want("image"):
            binary = {"stoker, binary": (f"http://127.0.0.1:{PORTS['stoker']}/v2/models/image/infer", raw,
                                         "application/octet-stream", "Inference-Header-Content-Length: 0")}
            case("1x3x224x224 image, 8 connections", ["stoker", "fastify", "fastapi"], image, 8, args, tmp, mean, "image", binary)
        if want("runtime"):
            runtime_case(tmp, raw, args)


main()
