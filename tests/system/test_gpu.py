"""GPUs from the driver's library to an alert, with our own NVML in place of NVIDIA's (tests/nvml)."""
import pathlib
import socket
import time
import urllib.request

import pytest

from stoker import BINARY
from test_monitor import Monitor, Prometheus

sanitize = pytest.mark.sanitize

LIBRARY = pathlib.Path(BINARY).parent / "libnvidia-ml.so.1"
FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures" / "nvml"


@pytest.fixture
def play(tmp_path, monkeypatch):
    """play(text): what the GPUs do from now on."""
    path = tmp_path / "scenario"
    monkeypatch.setenv("STOKER_NVML", str(LIBRARY))
    monkeypatch.setenv("FAKE_NVML", str(path))

    def change(text):
        draft = tmp_path / "draft"
        draft.write_text(text)
        time.sleep(0.02)
        draft.rename(path)

    return change


def exporter_of(monitor):
    monitor.await_event("exporter.ready")
    return monitor.events("exporter.ready")[0]["message"]


def read(url):
    with urllib.request.urlopen(url, timeout=10) as reply:
        return reply.headers, reply.read().decode()


# Every query of dashboard 12239, its variables put in.
DASHBOARD = [
    'DCGM_FI_DEV_GPU_TEMP{instance=~"INSTANCE", gpu=~"0|1|2|3|4|5|6|7"}',
    'avg(DCGM_FI_DEV_GPU_TEMP{instance=~"INSTANCE", gpu=~".*"})',
    'DCGM_FI_DEV_POWER_USAGE{instance=~"INSTANCE", gpu=~".*"}',
    'sum(DCGM_FI_DEV_POWER_USAGE{instance=~"INSTANCE", gpu=~".*"})',
    'DCGM_FI_DEV_SM_CLOCK{instance=~"INSTANCE", gpu=~".*"} * 1000000',
    'DCGM_FI_DEV_GPU_UTIL{instance=~"INSTANCE", gpu=~".*"}',
    'DCGM_FI_DEV_FB_USED{instance=~"INSTANCE", gpu=~".*"}',
    'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{instance=~"INSTANCE", gpu=~".*"}',
]


@sanitize
def test_what_dashboards_and_rules_ask_for(play):
    play((FIXTURES / "eight.txt").read_text())
    m = Monitor("--interval", "200ms", gpu=True)
    try:
        m.await_value("count(DCGM_FI_PROF_PIPE_TENSOR_ACTIVE)", 8)
        instance = socket.gethostname()
        for query in DASHBOARD:
            result = m.query(query.replace("INSTANCE", instance))
            assert len(result) == (1 if query.startswith(("avg", "sum")) else 8), query
        for label, want in (("instance", [instance]), ("gpu", [str(i) for i in range(8)])):
            reply = m.request(f"/api/v1/label/{label}/values?match[]=DCGM_FI_DEV_GPU_TEMP")
            assert reply[1]["data"] == want
        m.await_value("sum(DCGM_FI_DEV_POWER_USAGE)", 7 * 612.345 + 300)
        assert len(m.query("nvidia_gpu_utilization > 85")) == 7
        assert len(m.query("nvidia_gpu_memory_used_bytes / nvidia_gpu_memory_total_bytes > 0.8")) == 8
        labels = m.query('DCGM_FI_DEV_GPU_UTIL{gpu="3"}')[0]["metric"]
        assert {k: labels[k] for k in ("UUID", "device", "modelName", "Hostname", "DCGM_FI_DRIVER_VERSION")} == {
            "UUID": "GPU-00000000-0000-0000-0000-000000000003", "device": "nvidia3", "modelName": "NVIDIA H200",
            "Hostname": instance, "DCGM_FI_DRIVER_VERSION": "580.82.07"}
    finally:
        m.stop()


RULES = """
groups:
  - name: gpu
    interval: 200ms
    rules:
      - alert: Lost
        expr: gpu_up == 0
      - alert: Xid
        expr: DCGM_FI_DEV_XID_ERRORS == 74
"""

FOUR = "gpus 4\ngpu * util 50\ngpu * temp 40\ngpu * power 100000\n"


@sanitize
def test_a_gpu_that_is_lost_or_hangs_is_an_alert_and_not_a_hang(play, tmp_path):
    rules = tmp_path / "gpu.rules.yml"
    rules.write_text(RULES)
    play(FOUR)
    m = Monitor("--interval", "200ms", "--rules", str(rules), gpu=True)
    firing = 'count(ALERTS{alertname="Lost",alertstate="firing",gpu="%d"})'
    try:
        m.await_value("count(gpu_up == 1)", 4)
        play(FOUR + "gpu 2 fail * 15\n")
        m.await_value(firing % 2, 1)
        assert len(m.query("DCGM_FI_DEV_GPU_TEMP")) == 3
        play(FOUR)
        m.await_value("count(gpu_up == 1)", 4)
        play(FOUR + "gpu 0 hang nvmlDeviceGetTemperature\ngpu 3 xid 74 1\n")
        m.await_value(firing % 0, 1, seconds=30)
        m.await_value('ALERTS{alertname="Xid",gpu="3"}', 1)
        m.await_value("count(DCGM_FI_DEV_GPU_TEMP)", 3)
        m.await_value("sum(gpu_xid_errors_total)", 1)
        assert m.events("gpu.lost") and m.events("gpu.back") and m.events("gpu.xid")
    finally:
        m.stop()  # a call still hangs


@sanitize
def test_an_exporter_in_place_of_dcgm(play, tmp_path):
    play((FIXTURES / "eight.txt").read_text())
    m = Monitor("--interval", "200ms", "--exporter", "--exporter-port", "0", "--no-history", gpu=True)
    try:
        url = exporter_of(m)
        m.await_value("count(DCGM_FI_PROF_PIPE_TENSOR_ACTIVE)", 8)
        headers, text = read(url)
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert 'DCGM_FI_DEV_GPU_UTIL{gpu="7",UUID="GPU-' in text and "node_" not in text
        assert read(url.replace("/metrics", "/health"))[1] == "OK\n"
        prometheus = Prometheus(tmp_path, url.split("/")[2])
        try:
            prometheus.await_value("count(DCGM_FI_DEV_GPU_TEMP)", 8)
        finally:
            prometheus.stop()
    finally:
        m.stop()


def test_without_a_driver_there_is_no_gpu(monkeypatch, tmp_path):
    monkeypatch.delenv("STOKER_NVML", raising=False)
    m = Monitor(gpu=True)
    try:
        if m.query('up{job="gpu"}'):
            pytest.skip("this machine has a driver")
        assert not m.events("gpu.no_driver")
    finally:
        m.stop()
    monkeypatch.setenv("STOKER_NVML", str(tmp_path / "libnvidia-ml.so.1"))
    with pytest.raises(AssertionError, match="cannot open NVML.*Check STOKER_NVML"):
        Monitor("--exporter", gpu=True)


def test_a_driver_that_comes_later(play):
    play(FOUR + "fail nvmlInit_v2 9\n")
    m = Monitor("--interval", "200ms", gpu=True)
    try:
        m.await_value("gpu_driver_up", 0)
        m.await_event("gpu.no_driver")
        play(FOUR)
        m.await_value("count(gpu_up == 1)", 4, seconds=30)
        m.await_value("gpu_driver_up", 1)
    finally:
        m.stop()
