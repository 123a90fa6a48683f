"""Clients that nobody here wrote: curl, Node's fetch, wrk, promtool, a real
Prometheus, an OpenAPI validator, Chromium."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

import models
import pytest

from stoker import ROOT, Server

NPM = ROOT / "tests/npm"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    d = tmp_path_factory.mktemp("m")
    with Server(models.mlp(d / "mlp.onnx"), models.zipmap(d / "zipmap.onnx"), models.add_sub(d / "simple.onnx"),
                "iris=" + str(ROOT / "examples/iris.onnx")) as s:
        s.json("POST", "/models/mlp/predict", [[1, 2, 3]])
        yield s


def test_curl_sends_large_bodies_with_expect(server, tmp_path):
    body = tmp_path / "body.json"
    body.write_text(json.dumps([[1.5, 2.5, 3.5]] * 60000))
    r = subprocess.run(["curl", "-sS", "--fail", "--data-binary", f"@{body}", server.url + "/models/mlp/predict"],
                       capture_output=True, timeout=60)
    assert r.returncode == 0, r.stderr
    assert len(json.loads(r.stdout)["predict_result"]) == 60000
    r = subprocess.run(["curl", "-sS", "--compressed", server.url + "/metrics"], capture_output=True, timeout=30)
    assert b"nv_inference_count" in r.stdout


def test_node_fetch(server):
    script = f"""
      const r = await fetch('{server.url}/v2/models/mlp/infer', {{method: 'POST', body: JSON.stringify(
        {{inputs: [{{name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3]}}]}})}});
      const j = await r.json();
      if (r.status !== 200 || j.outputs[0].data.length !== 1) process.exit(1);"""
    subprocess.run(["node", "--input-type=module", "-e", script], check=True, timeout=30)


def test_wrk_gets_no_errors(server, tmp_path):
    lua = tmp_path / "post.lua"
    lua.write_text('wrk.method="POST"; wrk.body="[[1,2,3]]"; wrk.headers["Content-Type"]="application/json"')
    r = subprocess.run(["wrk", "-t1", "-c64", "-d2s", "-s", lua, server.url + "/models/mlp/predict"],
                       capture_output=True, timeout=60, text=True)
    assert "Requests/sec" in r.stdout and "Non-2xx" not in r.stdout and "Socket errors" not in r.stdout, r.stdout


def test_promtool_reads_both_formats(server):
    text = server.request("GET", "/metrics")[2]
    r = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
    # The nv_ and stoker_ counters that keep a peer's name lack _total; that is
    # the peer's choice. Nothing else may be reported.
    complaints = [line for line in (r.stdout + r.stderr).decode().splitlines()
                  if line and not line.startswith(("nv_", "http_request_duration_highr"))]
    assert complaints == [], complaints
    assert r.returncode in (0, 3)


def test_a_real_prometheus_scrapes_it(server, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "p.yml").write_text(f"""
scrape_configs:
  - job_name: stoker
    scrape_interval: 500ms
    scrape_timeout: 500ms
    static_configs: [{{targets: ["127.0.0.1:{server.port}"]}}]
""")
    with open(tmp_path / "log", "wb") as log:
        p = subprocess.Popen(["prometheus", f"--config.file={tmp_path}/p.yml", f"--storage.tsdb.path={tmp_path}/data",
                              f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        query = f"http://127.0.0.1:{port}/api/v1/query?query="
        end, found = time.monotonic() + 40, {}
        while time.monotonic() < end and not all(found.get(q) for q in ("up==1", 'nv_inference_count{model="mlp"}>0')):
            time.sleep(0.5)
            for q in ("up==1", 'nv_inference_count{model="mlp"}>0'):
                try:
                    url = query + urllib.request.quote(q)
                    found[q] = json.load(urllib.request.urlopen(url, timeout=5))["data"]["result"]
                except OSError:
                    pass
        assert all(found.values()) and found, (found, (tmp_path / "log").read_text()[-2000:])
    finally:
        p.terminate()
        p.wait(20)


def test_openapi_is_valid_and_its_examples_work(server):
    raw = server.request("GET", "/openapi.json")[2]
    r = subprocess.run(["node", "openapi.mjs"], cwd=NPM, input=raw, capture_output=True, timeout=60)
    assert r.returncode == 0, r.stdout.decode()[:2000] + r.stderr.decode()[:2000]
    tried = 0
    for path, item in json.loads(raw)["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            assert server.request("POST", path, json.dumps(content["example"]))[0] == 200, path
            tried += 1
    assert tried == 12


def test_docs_page_in_chromium(server, tmp_path):
    pictures = pathlib.Path(os.environ.get("STOKER_PICTURES", tmp_path))
    r = subprocess.run(["node", "docs.mjs", server.url, pictures / "docs.png"], cwd=NPM, capture_output=True,
                       timeout=120, text=True)
    assert r.returncode == 0, r.stdout + r.stderr
    views = [json.loads(line) for line in r.stdout.splitlines()]
    assert len(views) == 2
    for v in views:
        assert v["status"].startswith("200") and "predict_result" in v["answer"], v
        line = v["curl"].replace("\\\n", " ")
        again = subprocess.run(["sh", "-c", line], capture_output=True, timeout=30)
        assert json.loads(again.stdout) == json.loads(v["answer"])
    assert shutil.which("chromium")
