"""`stoker top`: what the monitor knows, at a glance."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

from stoker import BINARY, SLOW
from test_gpu import FIXTURES, LIBRARY
from test_monitor import Monitor, free_port

sanitize = pytest.mark.sanitize

RULES = """groups:
  - name: g
    interval: 200ms
    rules:
      - {alert: Hot, expr: 'DCGM_FI_DEV_GPU_TEMP{gpu="3"} > 60', annotations: {summary: "GPU 3 is hot", summary_zh: "GPU 3 过热"}}
"""


@pytest.fixture
def monitor(tmp_path, monkeypatch):
    monkeypatch.setenv("STOKER_NVML", str(LIBRARY))
    monkeypatch.setenv("FAKE_NVML", str(FIXTURES / "eight.txt"))
    (tmp_path / "r.yml").write_text(RULES)
    m = Monitor("--interval", "200ms", "--rules", tmp_path / "r.yml", f"app=http://127.0.0.1:{free_port()}/metrics",
                gpu=True, host=True)
    m.await_value('count(ALERTS{alertname="Hot",alertstate="firing"})', 1)
    m.await_value("count(node_uname_info)", 1)
    yield m
    m.stop()


def top(*args, **env):
    return subprocess.run([BINARY, "top", *args], capture_output=True, text=True, timeout=60 * SLOW,
                          env={**os.environ, "LC_ALL": "C", **env})


@sanitize
def test_at_a_glance(monitor):
    r = top("--url", monitor.url)
    assert r.returncode == 0 and "\033" not in r.stdout, r
    lines = r.stdout.splitlines()
    assert "  ! Hot  GPU 3 is hot" in lines and "  targets down: 1" in lines and "  requests: -" in lines
    assert "  GPU 7    0 %  120000 / 143771 MiB   61 C   612 W  NVIDIA H200" in lines
    assert re.search(r"memory available: \d+\.\d GiB", r.stdout)
    r = top("--url", monitor.url, LC_ALL="zh_CN.UTF-8")
    assert "  ! Hot  GPU 3 过热" in r.stdout and "不可达目标: 1" in r.stdout


@sanitize
def test_as_json(monitor):
    view = json.loads(top("--url", monitor.url, "--json").stdout)
    assert view["targets_down"] == 1 and view["requests_per_second"] is None
    assert len(view["gpus"]) == 8 and view["alerts"][0]["labels"]["alertname"] == "Hot"
    assert {g["gpu"]: g["power_watts"] for g in view["gpus"]}["1"] == 300


@sanitize
def test_on_a_terminal_it_looks_again(monitor):
    leader, follower = pty.openpty()
    p = subprocess.Popen([BINARY, "top", "--url", monitor.url, "--interval", "200ms"], stdout=follower,
                         env={**os.environ, "LC_ALL": "C"})
    os.close(follower)
    text, end = b"", time.monotonic() + 20 * SLOW
    while text.count(b"stoker top") < 3 and time.monotonic() < end:
        if select.select([leader], [], [], 0.1)[0]:
            text += os.read(leader, 65536)
    p.send_signal(signal.SIGINT)
    assert p.wait(20 * SLOW) == 0
    assert text.count(b"stoker top") >= 3 and b"\033[H\033[2J" in text and b"\033[31m! Hot" in text
    os.close(leader)


def test_nobody_there():
    r = top("--url", f"http://127.0.0.1:{free_port()}")
    assert r.returncode == 11 and "127.0.0.1" in r.stderr
