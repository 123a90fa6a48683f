"""Rules and alerts: of `stoker monitor`, held against promtool, Prometheus and Alertmanager."""
import http.server
import json
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.request

import pytest

from stoker import BINARY, SLOW
from test_monitor import Monitor, Prometheus, Target, free_port

sanitize = pytest.mark.sanitize
CASES = pathlib.Path(__file__).resolve().parents[1] / "cases/alert"

RULES = """groups:
  - name: gpu
    interval: 200ms
    rules:
      - record: gpu:temp:max
        expr: max(temp)
        labels: {team: ops}
      - alert: GpuHot
        expr: temp > 85
        for: 1s
        labels: {severity: page}
        annotations: {summary: "GPU {{ $labels.gpu }} has {{ $value }} degrees"}
"""


@pytest.fixture
def target():
    t = Target()
    t.text = 'temp{gpu="0"} 50\ntemp{gpu="1"} 50\n'
    yield t
    t.stop()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-rules-") as name:
        (pathlib.Path(name) / "rules.yml").write_text(RULES)
        yield pathlib.Path(name)


def start(target, folder, *args):
    return Monitor("--interval", "200ms", "--rules", folder / "rules.yml", *args,
                   f"app=http://{target.address}/metrics", data=folder / "data")


def alerts(api):
    return api.request("/api/v1/alerts")[1]["data"]["alerts"]


def await_that(condition, seconds=20):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come about")


class Recorder:
    """An HTTP server that keeps what is posted to it."""

    def __init__(self):
        self.posts = []
        self.status = 200
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.posts.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(recorder.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Alertmanager:
    def __init__(self, folder):
        (folder / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={folder}/am.yml", f"--storage.path={folder}/am",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"])
        await_that(self.ready)

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready").status == 200
        except OSError:
            return False

    def alerts(self):
        return json.loads(urllib.request.urlopen(self.url + "/api/v2/alerts").read())

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.mark.parametrize("name", sorted(p.name for p in CASES.glob("*.test.yml")))
def test_unit_tests_of_rules_as_promtool_runs_them(name):
    """The same files pass in both, so that what we expect is what Prometheus does."""
    peer = subprocess.run(["promtool", "test", "rules", CASES / name], capture_output=True, text=True)
    assert peer.returncode == 0, peer.stdout + peer.stderr
    own = subprocess.run([BINARY, "alert", "test", CASES / name], capture_output=True, text=True, timeout=60 * SLOW)
    assert own.returncode == 0 and " 0 failed" in own.stdout, own.stdout + own.stderr


def test_a_unit_test_that_fails_says_what_it_got(folder):
    text = (CASES / "states.test.yml").read_text().replace("states.rules.yml", str(CASES / "states.rules.yml"))
    (folder / "t.yml").write_text(text.replace("GPU 0 has 90", "GPU 0 has 91"))
    r = subprocess.run([BINARY, "alert", "test", folder / "t.yml"], capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 5 and " 1 failed" in r.stdout
    assert "Now at 1m" in r.stdout and "GPU 0 has 90" in r.stdout and "GPU 0 has 91" in r.stdout


MISTAKES = [  # (what stands in the rule, where, what is said)
    ("expr: sum(", "5:15", "unclosed left parenthesis"),
    ("expr: up\n        for: 5x", "6:14", "not a valid duration"),
    ("expr: up\n        four: 5m", "6:9", "no field \"four\""),
    ("expr: up\n        annotations: {a: '{{ $lable.x }}'}", "6:26", "1:4: undefined variable"),
    ("expr: up\n        annotations: {a: '{{ humanise $value }}'}", "6:26", "\"humanise\" not defined"),
    ("expr: up\n        annotations: {a: '{{ .Labels.x'}", "6:26", "unclosed action"),
    ("expr: up\n        annotations: {a: '{{ if $value }}x'}", "6:26", "no {{end}}"),
    ("expr: up\n        annotations: {a: '{{ end }}'}", "6:26", "unexpected {{end}}"),
    ("expr: up\n        annotations: {a: '{{ define \"x\" }}{{ end }}'}", "6:26", "not supported"),
    ("expr: up\n        annotations: {a: '{{ printf }}'}", "6:26", "wrong number of args"),
    ("expr: up\n        labels: {'a b': x}", "6:18", "invalid label name"),
    ("for: 5m", "4:9", "field 'expr' must be set"),
    ("expr: up\n        expr: up", "6:9", "there already, in line 5"),
]


@pytest.mark.parametrize("rule, where, says", MISTAKES, ids=[m[2] for m in MISTAKES])
def test_a_mistake_is_found_before_it_matters(folder, rule, where, says):
    path = folder / "r.yml"
    path.write_text(f"groups:\n  - name: g\n    rules:\n      - alert: A\n        {rule}\n")
    r = subprocess.run([BINARY, "alert", "check", path], capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 2 and f"{path}:{where}: " in r.stdout and says in r.stdout, r.stdout + r.stderr
    m = subprocess.run([BINARY, "monitor", "--port", "0", "--no-history", "--rules", path], capture_output=True,
                       text=True, timeout=60 * SLOW)
    assert m.returncode == 2 and f"{path}:{where}" in m.stderr


DOUBTS = [
    ("a_duration_seconds_sum / a_duration_seconds_count > 1", "average since the process began"),
    ("sum(a_sum) by (x) / sum(a_count) by (x) > 1", "average since the process began"),
    ("rate(a_duration_seconds_sum[5m]) / rate(a_duration_seconds_count[5m]) > 500", "seconds are long"),
    ("histogram_quantile(0.9, sum by (le) (rate(a_duration_seconds_bucket[5m]))) > 500", "seconds are long"),
    ("errors_total > 5", "only rises"),
    ("DCGM_FI_DEV_GPU_UTIL > 0.85", "0 to 100"),
    ("disk_used_ratio > 85", "ratio from 0 to 1"),
    ("nvidia_gpu_memory_used_bytes / nvidia_gpu_memory_total_bytes > 90", "was 0.9 meant"),
    ("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 90", "was 0.9 meant"),
    ("100 - node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 > 0.9", "was 90 meant"),
    ("(avg by (instance) (rate(node_cpu_seconds_total{mode='idle'}[5m]))) * 100 < 0.1", "was 10 meant"),
    ("avg(rate(node_cpu_seconds_total{mode='idle'}[5m])) < 10", "was 0.1 meant"),
    ('rate(requests_total{status=~"5.."}[1m]) / rate(requests_total[1m]) > 5', "was 0.05 meant"),
    ("1000 * rate(a_seconds_sum[5m]) / rate(a_seconds_count[5m]) > 0.5", None),
    ("rate(a_seconds_sum[5m]) / rate(a_seconds_count[5m]) * 1000 > 0.5", "were seconds meant? Then write 500"),
    ("nvidia_gpu_memory_used_bytes > 80", "bytes are little"),
    ("DCGM_FI_DEV_FB_USED > 80000000000", "were bytes meant"),
    ("DCGM_FI_DEV_GPU_TEMP > 358", "Celsius"),
    ("avg_over_time(DCGM_FI_DEV_GPU_UTIL[5m]) > 120", "never above 120"),
    ("histogram_quantile(0.95, a_bucket) > 1", "counts since the process began"),
    ("histogram_quantile(95, rate(a_bucket[5m])) > 1", "was 0.95 meant"),
    ("histogram_quantile(0.95, sum by (job) (rate(a_bucket[5m]))) > 1", "le is aggregated away"),
    ("histogram_quantile(0.95, sum without (le) (rate(a_bucket[5m]))) > 1", "le is aggregated away"),
    ("rate(DCGM_FI_DEV_GPU_UTIL[5m]) > 5", "is a gauge"),
    ("rate(errors_total[10s]) > 5", "needs two samples"),
    ("up", "be it 0 or 1"),
    ("up == bool 0", "fires for both"),
    ("histogram_quantile(0.95, sum without (instance) (rate(a_bucket[5m]))) > 1", None),
    ("up == 0", None),
    ("node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < 10", None),
    ("avg(rate(node_cpu_seconds_total{mode='idle'}[5m])) * 100 < 10", None),
    ("1 - avg(rate(node_cpu_seconds_total{mode='idle'}[5m])) > 0.9", None),
    ("time() - process_start_time_seconds < 300", None),
    ("rate(a_bytes_total[1m]) > 100", None),
    ("a_seconds > 200", None),
    ("sum(DCGM_FI_DEV_GPU_UTIL) > 400", None),
    ("a_latency_seconds / (a_latency_seconds offset 1d) > 5", None),
    ("rate(a_duration_seconds_sum[5m]) / rate(a_duration_seconds_count[5m]) > 0.5", None),
    ("DCGM_FI_DEV_GPU_UTIL > 85", None),
    ("rate(errors_total[5m]) > 5", None),
    ("increase(errors_total[5m]) > 5", None),
    ("time() - backup_last_success_timestamp_seconds > 86400", None),
    ("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1", None),
]


@pytest.mark.parametrize("expr, says", DOUBTS, ids=[d[0] for d in DOUBTS])
def test_what_is_suspicious_is_told(folder, expr, says):
    path = folder / "r.yml"
    path.write_text(f"groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: {expr}\n")
    r = subprocess.run([BINARY, "alert", "check", path], capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 0
    assert says in r.stdout if says else "suspicious" not in r.stdout, r.stdout


@sanitize
def test_a_metric_that_nobody_exposes_is_told(target, folder):
    m = start(target, folder)
    m.await_value("count(temp)", 2)
    (folder / "r.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: temp > 1 or tempp > 2}]}]\n")
    r = subprocess.run([BINARY, "alert", "check", "--url", m.url, folder / "r.yml"], capture_output=True, text=True,
                       timeout=60 * SLOW)
    assert "no target exposes tempp" in r.stdout and r.stdout.count("no target exposes") == 1
    m.stop()


@sanitize
def test_an_alert_lives_and_is_told(target, folder):
    recorder = Recorder()
    m = start(target, folder, "--alertmanager", recorder.url, "--external-labels", "site=lab",
              "--external-url", "http://stoker.example/")
    try:
        m.await_value("gpu:temp:max{team='ops'}", 50)
        assert alerts(m) == []
        target.text = 'temp{gpu="0"} 91.5\ntemp{gpu="1"} 50\n'
        await_that(lambda: [a["state"] for a in alerts(m)] == ["pending"])
        assert recorder.posts == []
        await_that(lambda: [a["state"] for a in alerts(m)] == ["firing"])
        alert = alerts(m)[0]
        assert alert["labels"] == {"alertname": "GpuHot", "gpu": "0", "instance": target.address, "job": "app",
                                   "severity": "page"}
        assert alert["annotations"] == {"summary": "GPU 0 has 91.5 degrees"} and alert["value"] == "9.15e+01"
        m.await_value('ALERTS{alertname="GpuHot",alertstate="firing"}', 1)
        m.await_value('count(ALERTS{alertstate="pending"})', None)
        path, headers, body = await_that(lambda: recorder.posts and recorder.posts[0])
        assert path == "/api/v2/alerts" and headers["Content-Type"] == "application/json"
        assert body[0]["labels"] == {**alert["labels"], "site": "lab"}
        assert body[0]["annotations"] == alert["annotations"]
        assert body[0]["generatorURL"] == "http://stoker.example/graph?g0.expr=temp+%3E+85&g0.tab=1"
        assert body[0]["startsAt"] < body[0]["endsAt"]
        target.text = 'temp{gpu="0"} 50\ntemp{gpu="1"} 50\n'
        await_that(lambda: alerts(m) == [])
        ended = await_that(lambda: len(recorder.posts) > 1 and recorder.posts[-1][2][0])
        assert ended["startsAt"] == body[0]["startsAt"] and ended["endsAt"] < body[0]["endsAt"]
        m.await_value("count(ALERTS)", None)
    finally:
        m.stop()
        recorder.stop()


@sanitize
def test_states_survive_a_restart(target, folder):
    target.text = 'temp{gpu="0"} 90\n'
    m = start(target, folder)
    await_that(lambda: [a["state"] for a in alerts(m)] == ["firing"])
    before = alerts(m)[0]
    # What an evaluation found is on the disk when the next one has begun.
    evaluated = lambda: m.request("/api/v1/rules")[1]["data"]["groups"][0]["lastEvaluation"]
    last = evaluated()
    await_that(lambda: evaluated() != last)
    m.kill()
    m = start(target, folder)
    await_that(lambda: alerts(m))
    assert alerts(m)[0]["state"] == "firing" and alerts(m)[0]["activeAt"] == before["activeAt"]
    m.stop()


@sanitize
def test_rules_are_read_anew(target, folder):
    target.text = 'temp{gpu="0"} 90\n'
    m = start(target, folder)
    await_that(lambda: [a["state"] for a in alerts(m)] == ["firing"])
    since = alerts(m)[0]["activeAt"]
    (folder / "rules.yml").write_text(RULES + "      - alert: Wrong\n        expr: sum(\n")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(m.url + "/-/reload", b"")
    assert refused.value.code == 500 and b"unclosed left parenthesis" in refused.value.read()
    (folder / "rules.yml").write_text(RULES + "      - alert: Cold\n        expr: temp < 95\n")
    assert urllib.request.urlopen(m.url + "/-/reload", b"").status == 200
    await_that(lambda: len(alerts(m)) == 2)
    assert [a["activeAt"] for a in alerts(m) if a["labels"]["alertname"] == "GpuHot"] == [since]
    m.stop()


@sanitize
def test_a_backup_that_is_too_old_is_told(target, folder):
    old, fresh = folder / "old", folder / "fresh"
    for d in (old / "model_backup_20240229", fresh / "model_backup_20240229"):
        d.mkdir(parents=True)
    (fresh / "model_backup").write_text("of today")
    m = Monitor("--interval", "200ms", "--evaluation-interval", "200ms", "--backups", f"{old},{fresh},{folder / 'none'}",
                f"app=http://{target.address}/metrics", built_in=True)
    try:
        told = lambda: {a["labels"]["directory"]: a for a in alerts(m) if a["labels"]["alertname"] == "BackupTooOld"}
        await_that(lambda: len(told()) == 2)
        assert str(fresh) not in told() and told()[str(old)]["annotations"]["summary"].startswith(f"The newest backup in {old} on ")
        assert told()[str(folder / "none")]["annotations"]["summary"].startswith("There is no backup to be seen in ")
        (old / "model_backup_again").mkdir()
        await_that(lambda: list(told()) == [str(folder / "none")])
        up = m.request("/api/v1/query?query=up{job='backups'}")[1]["data"]["result"]
        assert [r["value"][1] for r in up] == ["1"]
    finally:
        m.stop()


def shape(value, key=""):
    """What an answer looks like: times and durations are any."""
    if isinstance(value, dict):
        return {k: shape(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(v) for v in value]
    if key in ("evaluationTime", "lastEvaluation", "activeAt", "file"):
        return type(value).__name__.replace("int", "float")
    return value


def test_rules_and_alerts_look_as_those_of_prometheus(target, folder):
    target.text = 'temp{gpu="0"} 90\n'
    rules = RULES.replace("200ms", "1s").replace("for: 1s", "for: 2s")
    (folder / "rules.yml").write_text(rules)
    (folder / "prometheus").mkdir()
    p = Prometheus(folder / "prometheus", target.address, rules=folder / "rules.yml")
    m = start(target, folder)
    try:
        for x in (p, m):
            await_that(lambda: [a["state"] for a in alerts(x)] == ["firing"])
        drop = lambda g: json.loads(re.sub(r'"keepFiringFor": 0, ', "", json.dumps(shape(g))))
        mine, theirs = (drop(x.request("/api/v1/rules")[1]["data"]) for x in (m, p))
        assert mine == theirs
        assert shape(m.request("/api/v1/alerts")[1]) == shape(p.request("/api/v1/alerts")[1])
        assert len(m.request("/api/v1/rules?type=alert")[1]["data"]["groups"][0]["rules"]) == 1
    finally:
        m.stop()
        p.stop()


def test_a_real_alertmanager_takes_them(target, folder):
    am = Alertmanager(folder)
    target.text = 'temp{gpu="0"} 90\n'
    m = start(target, folder, "--alertmanager", am.url)
    try:
        got = await_that(lambda: [a for a in am.alerts() if a["labels"]["alertname"] == "GpuHot"])
        assert got[0]["annotations"]["summary"] == "GPU 0 has 90 degrees" and got[0]["status"]["state"] == "active"
        target.text = 'temp{gpu="0"} 50\n'
        await_that(lambda: not am.alerts())
    finally:
        m.stop()
        am.stop()
