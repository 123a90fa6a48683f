"""The commands, as a person and as a script would use them."""
import json
import os
import pathlib
import pty
import re
import subprocess

import models
import pytest

from stoker import BINARY, ROOT, Server, run

pytestmark = pytest.mark.sanitize
IRIS = ROOT / "examples/iris.onnx"


@pytest.fixture(scope="module")
def mlp(tmp_path_factory):
    return models.mlp(tmp_path_factory.mktemp("m") / "mlp.onnx")


def test_version_and_help_in_both_languages():
    assert run("version").stdout.startswith(b"stoker 0.1.0\nonnxruntime 1.")
    assert json.loads(run("version", "--json").stdout)["version"] == "0.1.0"
    for words, lang in (("serve models over HTTP", "C"), ("通过 HTTP 提供模型服务", "zh_CN.UTF-8")):
        r = run("help", env={"LC_ALL": lang})
        assert r.returncode == 0 and words in r.stdout.decode()
    out = run("serve", "--help").stdout.decode()
    for flag in ("--host", "--http-port", "--monitor-port", "--no-monitor", "--device", "--max-batch", "--max-delay",
                 "--queue", "--timeout", "--log-level"):
        assert flag in out
    assert run().returncode == 2
    r = run("sevre")
    assert r.returncode == 2 and b"did you mean 'serve'?" in r.stderr
    r = run("serve", "--htp-port", "1")
    assert r.returncode == 2 and b"did you mean '--http-port'?" in r.stderr


def test_inspect_tells_what_is_inside(mlp):
    j = json.loads(run("inspect", IRIS, "--json").stdout)
    assert j["inputs"] == [{"name": "measurements", "datatype": "FP32", "shape": [-1, 4], "optional": False,
                            "dimensions": ["batch", ""]}]
    assert j["batchable"] is True and j["parameters"] == 131 and j["opsets"] == [{"domain": "ai.onnx", "version": 13}]
    assert {o["type"]: o["count"] for o in j["operators"]} == {"Gemm": 2, "Relu": 1, "Softmax": 1}
    import hashlib
    assert j["sha256"] == hashlib.sha256(IRIS.read_bytes()).hexdigest() and j["size"] == IRIS.stat().st_size
    text = run("inspect", mlp).stdout.decode()
    assert "x  FP32 [batch,3]" in text and "\033" not in text
    r = run("inspect", "/nowhere.onnx")
    assert r.returncode == 4 and b"/nowhere.onnx" in r.stderr


def test_predict_on_a_file_and_on_a_server(mlp, tmp_path):
    r = run("predict", IRIS, "-d", "[[5.1,3.5,1.4,0.2]]")
    assert r.returncode == 0 and json.loads(r.stdout)["predict_result"][0][0] > 0.9
    assert run("predict", IRIS, "-d", "[[5.1]]").returncode == 2
    assert b"expected FP32 [batch,4], got [1,1]" in run("predict", IRIS, "-d", "[[5.1]]").stderr
    assert run("predict", IRIS).returncode == 0  # an example of its own
    body = tmp_path / "b.json"
    body.write_text("[[1,2,3]]")
    with Server(mlp) as s:
        for argv in (["-f", body], ["-d", f"@{body}"], ["-d", "[[1,2,3]]"]):
            r = run("predict", s.url, *argv)
            assert r.returncode == 0 and b"predict_result" in r.stdout, r.stderr
        assert run("predict", s.url + "/predict", "-f", "-", stdin=b"[[1,2,3]]").returncode == 0
        assert run("predict", s.url + "/models/no/predict", "-d", "[]").returncode == 4
    assert run("predict", s.url, "-d", "[]").returncode == 11


def test_bench_prints_a_table_and_json(mlp):
    with Server(mlp) as s:
        r = run("bench", s.url, "-c", "1,4", "-t", "200ms")
        lines = r.stdout.decode().splitlines()
        assert r.returncode == 0 and len(lines) == 4 and lines[0].split()[0] == "concurrency", (r.stdout, r.stderr)
        j = json.loads(run("bench", s.url + "/predict", "-c", "2", "-t", "200ms", "--json", "-d", "[[1,2,3]]").stdout)
        level = j["levels"][0]
        assert level["concurrency"] == 2 and level["errors"] == 0 and level["requests"] > 10
        assert 0 < level["p50_ms"] <= level["p99_ms"] <= level["max_ms"] * 1.02
        assert run("bench", s.url, "-d", "[[1]]", "-t", "100ms").returncode == 2
    assert run("bench", mlp, "-c", "1", "-t", "100ms").returncode == 0


def test_completion_and_man_page_are_understood():
    script = run("completion", "bash").stdout.decode() + \
        '\nCOMP_WORDS=(stoker serve --max-b); COMP_CWORD=2; _stoker; echo "${COMPREPLY[*]}"'
    r = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True)
    assert r.stdout.split() == ["--max-batch", "--max-body"], r.stderr
    for line, wanted in (("doctor --only driver.ve", "driver.versions"), ("setup nvid", "nvidia-container"), ("alert fi", "fire"), ("export graf", "grafana")):
        words = ["stoker", *line.split()]
        script = run("completion", "bash").stdout.decode() + \
            f'\nCOMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _stoker; echo "${{COMPREPLY[*]}}"'
        r = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, cwd="/")
        assert r.stdout.split() == [wanted], (line, r)
    assert "-a 'base storage" in run("completion", "fish").stdout.decode()
    assert "complete -c stoker" in run("completion", "fish").stdout.decode()
    page = run("man").stdout.decode()
    assert page.startswith(".TH STOKER 1") and ".B \\-\\-max\\-batch" in page


def test_on_a_terminal_it_speaks_to_a_person(mlp):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(BINARY, ["stoker", "serve", str(mlp), "--http-port", "0", "--no-monitor", "--lame-duck", "0"])
    text = b""
    while b"server.ready" not in text or b"\n" not in text.split(b"server.ready")[1]:
        text += os.read(fd, 4096)
    port = int(re.search(rb"http://127.0.0.1:(\d+)", text)[1])
    subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/predict", "-d", "[[1,2,3]]"], capture_output=True)
    while b"POST /predict" not in text:
        text += os.read(fd, 4096)
    os.write(fd, b"\x03")
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"\033[32m200\033[0m POST /predict" in text and b'{"@timestamp"' not in text


def test_process_names(mlp):
    with Server(mlp) as s:
        args = [pathlib.Path(f"/proc/{p}/cmdline").read_bytes().split(b"\0")[0] for p in (s.process.pid, s.serve_pid())]
        assert args == [b"stoker: master", b"stoker: serve"]
