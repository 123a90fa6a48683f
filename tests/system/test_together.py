"""`stoker serve` with its monitor: two processes beside each other, and from a slow answer to a message."""
import json
import os
import signal
import tempfile
import threading
import pathlib
import urllib.parse
import urllib.request

import pytest

import models
from people import Robot, browse
from stoker import Server, run
from test_alerts import await_that
from test_life import slow_body
from test_monitor import Api, free_port

sanitize = pytest.mark.sanitize
BODY = [[1.0, 2.0, 3.0]]


class Both(Server, Api):
    def __init__(self, model, folder, *args, **more):
        self.watch = f"http://127.0.0.1:{free_port()}"
        super().__init__(model, "--monitor-port", self.watch.rsplit(":", 1)[1], "--monitor-interval", "200ms",
                         "--history", folder / "metrics", *args, monitor=True, **more)

    def request(self, *args, **more):
        if args[0].startswith("/"):  # the monitor's
            data = None if len(args) == 1 else urllib.parse.urlencode(args[1]).encode()
            with urllib.request.urlopen(self.watch + args[0], data, timeout=20) as reply:
                return reply.status, json.loads(reply.read())
        return super().request(*args, **more)

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {pathlib.Path(f"/proc/{pid}/comm").read_text().strip(): int(pid) for pid in children}

    def metrics(self):
        return urllib.request.urlopen(self.watch + "/metrics", timeout=20).read().decode()


@pytest.fixture(scope="module")
def mlp(tmp_path_factory):
    return models.mlp(tmp_path_factory.mktemp("m") / "mlp.onnx")


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    return models.slow(tmp_path_factory.mktemp("s") / "slow.onnx")


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-both-") as name:
        yield pathlib.Path(name)


@sanitize
def test_the_monitor_comes_with_the_service(mlp, folder):
    with Both(mlp, folder) as s:
        s.await_value('up{job="stoker"}', 1)
        s.await_value('up{job="monitor"}', 1)
        s.await_value("count(node_uname_info)", 1)
        assert set(s.pids()) == {"stoker: serve", "stoker: monitor"}
        assert s.request("POST", "/predict", BODY)[0] == 200
        s.await_value('sum(http_requests_total{handler="/predict"})', 1)
        # Who scraped this port for the service's metrics still finds them, and each family once.
        text = s.metrics()
        assert "nv_inference_count{" in text and "stoker_tsdb_head_series" in text
        types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
        assert len(types) == len(set(types)), sorted(t for t in types if types.count(t) > 1)
        samples = [line.rsplit(" ", 1)[0] for line in text.splitlines() if line and line[0] != "#"]
        assert len(samples) == len(set(samples))


@sanitize
def test_each_outlives_the_other(mlp, folder):
    with Both(mlp, folder) as s:
        s.await_value('up{job="stoker"}', 1)
        os.kill(s.pids()["stoker: monitor"], signal.SIGKILL)
        assert s.request("POST", "/predict", BODY)[0] == 200
        s.await_event("monitor.restarted")
        s.await_value('min(count_over_time(up{job="stoker"}[1m])) > bool 0', 1)  # and it has its history
        watching = s.pids()["stoker: monitor"]
        os.kill(s.pids()["stoker: serve"], signal.SIGKILL)
        s.await_event("serve.restarted")
        assert s.pids()["stoker: monitor"] == watching
        assert "Signal 9" in s.event("serve.died")[0]["message"] or "signal 9" in s.event("serve.died")[0]["message"]
        s.await_value('up{job="stoker"}', 1)
        os.kill(s.pids()["stoker: serve"], signal.SIGSTOP)  # it hangs: an alert, and not a silence
        try:
            s.await_value('up{job="stoker"}', 0)
            assert "stoker_tsdb_head_series" in s.metrics()
        finally:
            os.kill(s.pids()["stoker: serve"], signal.SIGCONT)
        pids = s.pids()
    for pid in pids.values():
        assert not pathlib.Path(f"/proc/{pid}").exists()


@sanitize
def test_two_services_and_one_history(mlp, folder):
    with Both(mlp, folder) as first, Both(mlp, folder) as second:
        second.await_event("monitor.no_history")
        first.await_value('up{job="stoker"}', 1)
        second.await_value('up{job="stoker"}', 1)


def test_mistakes_of_the_monitor_are_told_at_the_start(mlp, folder):
    (folder / "r.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]")
    r = run("serve", mlp, "--http-port", "0", "--monitor-port", str(free_port()), "--rules", folder / "r.yml", "--history",
            folder / "metrics")
    assert r.returncode == 2 and b"r.yml:1:" in r.stderr and b"unclosed left parenthesis" in r.stderr, r


RULES = """groups:
  - name: service
    interval: 200ms
    rules:
      - alert: Slow
        expr: |
          rate(http_request_duration_seconds_sum{handler="/predict"}[2s])
            / rate(http_request_duration_seconds_count{handler="/predict"}[2s]) > 0.01
        for: 400ms
        labels: {severity: warning}
        annotations: {summary: "A request takes {{ $value | humanizeDuration }}"}
"""

NOTIFY = """
route: {receiver: phone, group_by: [alertname], group_wait: 0s, group_interval: 500ms}
receivers: [{name: phone, dingtalk_configs: [{url: "URL/send?access_token=t", secret: SECx}]}]
"""


@sanitize
def test_from_a_slow_model_to_a_message_and_back(slow, folder):
    robot = Robot()
    robot.answers[None] = [(200, b'{"errcode":0,"errmsg":"ok"}')]
    (folder / "r.yml").write_text(RULES)
    (folder / "n.yml").write_text(NOTIFY.replace("URL", robot.url))
    stop, body = threading.Event(), slow_body()
    try:
        with Both(slow, folder, "--rules", folder / "r.yml", "--notify", folder / "n.yml") as s:
            def ask():
                while not stop.is_set():
                    s.request("POST", "/predict", body)

            users = [threading.Thread(target=ask) for _ in range(2)]
            for u in users:
                u.start()
            try:
                s.await_value('count(ALERTS{alertname="Slow",alertstate="firing"})', 1)
                text = await_that(lambda: robot.bodies("/send"))[0]["markdown"]["text"]
                assert "[FIRING:1] Slow" in text and "A request takes " in text
                shown = json.loads(urllib.request.urlopen(s.watch + "/api/v2/alerts").read())
                assert [a["labels"]["alertname"] for a in shown if a["labels"]["alertname"] == "Slow"] == ["Slow"]
                seen = browse("console-look.mjs", s.watch, "warning")[0]
                assert any("Slow" in a and "A request takes" in a for a in seen["alerts"]), seen
            finally:
                stop.set()
                for u in users:
                    u.join()
            await_that(lambda: any("[RESOLVED] Slow" in b["markdown"]["text"] for b in robot.bodies("/send")), seconds=40)
            assert browse("console-look.mjs", s.watch, "good")[0]["alerts"] == []
    finally:
        robot.stop()


@sanitize
def test_lines_of_the_log_are_counted(mlp, folder):
    with Both(mlp, folder) as s:
        s.await_value('count(stoker_log_lines_total{job="stoker"})', 4)
        written = len([e for e in s.events() if e["process.name"] == "stoker: serve" and e["log.level"] == "info"])
        s.await_value('stoker_log_lines_total{job="stoker",level="info"}', written)
        s.await_value('stoker_log_lines_total{job="stoker",level="error"}', 0)
        os.kill(s.pids()["stoker: serve"], signal.SIGKILL)
        s.await_event("serve.restarted")  # the master's error is the master's
        s.await_value('count(stoker_log_lines_total{job="monitor"})', 4)
