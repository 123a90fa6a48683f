"""`stoker monitor` beside a real Prometheus: both scrape the same target, and
are asked the same things."""
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from stoker import BINARY, SLOW

sanitize = pytest.mark.sanitize


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Target:
    """A page of metrics that a test changes."""

    def __init__(self):
        self.text = ""
        self.status = 200
        self.content_type = "text/plain; version=0.0.4"
        self.requests = []
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                target.requests.append(self.headers)
                body = target.text.encode()
                self.send_response(target.status)
                self.send_header("Content-Type", target.content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Api:
    """Something with Prometheus' HTTP API."""

    def request(self, path, form=None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with urllib.request.urlopen(self.url + path, data, timeout=30 * SLOW) as r:
                return r.status, json.loads(r.read())
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read())

    def query(self, text, **form):
        status, answer = self.request("/api/v1/query", {"query": text, **form})
        assert status == 200, answer
        return answer["data"]["result"]

    def await_value(self, text, want, seconds=20):
        """Until the query's only value (None: no value) is this one."""
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            result = self.query(text)
            got = float(result[0]["value"][1]) if len(result) == 1 else None if not result else result
            if got == want:
                return
            time.sleep(0.05)
        raise AssertionError(f"{text}: {got}, not {want}")


class Monitor(Api):
    def __init__(self, *args, data=None, built_in=False, host=False, gpu=False):
        self.dir = tempfile.TemporaryDirectory(prefix="stoker-test-")
        self.log = pathlib.Path(self.dir.name) / "log"
        data = data or pathlib.Path(self.dir.name) / "data"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([BINARY, "monitor", "--port", "0", "--data", data, "--no-self",
                                             *([] if host else ["--no-host"]), *([] if gpu else ["--no-gpu"]),
                                             *([] if built_in else ["--no-built-in-rules"]), *args], stderr=log)
        end = time.monotonic() + 20 * SLOW
        while time.monotonic() < end:
            for line in self.log.read_text().splitlines():
                if "monitor.ready" in line:
                    self.url = json.loads(line)["message"].split()[0]
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(self.log.read_text())

    def events(self, action):
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event.action"] == action]

    def await_event(self, action, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if self.events(action):
                return
            time.sleep(0.05)
        raise AssertionError(f"no {action} in {self.log.read_text()}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.dir.cleanup()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20 * SLOW)
        text = self.log.read_text()
        self.dir.cleanup()
        assert status == 0 and "Sanitizer" not in text, (status, text)


class Prometheus(Api):
    def __init__(self, folder, address, rules=None):
        (folder / "p.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: app, static_configs: [{{targets: ['{address}']}}]}}]\n"
            + (f"rule_files: [{rules}]\n" if rules else ""))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        for _ in range(int(200 * SLOW)):
            try:
                urllib.request.urlopen(self.url + "/-/ready").read()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("Prometheus did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


PAGE = """# TYPE requests counter
requests_total{path="/"} 10
requests_total{path="/x",job="own"} 20
# TYPE temp gauge
temp{gpu="0"} 55.5
temp{gpu="1"} NaN
# TYPE lat histogram
lat_bucket{le="0.1"} 1
lat_bucket{le="+Inf"} 4
lat_sum 2
lat_count 4
"""


@pytest.fixture(scope="module")
def target():
    t = Target()
    t.text = PAGE
    yield t
    t.stop()


@pytest.fixture(scope="module")
def monitor(target):
    m = Monitor("--interval", "1s", f"app=http://{target.address}/metrics")
    m.await_value('up{job="app"}', 1)
    yield m
    m.stop()


@pytest.fixture(scope="module")
def prometheus(target, tmp_path_factory):
    p = Prometheus(tmp_path_factory.mktemp("prometheus"), target.address)
    p.await_value("up", 1)
    yield p
    p.stop()


def without_times(value):
    """An answer without what depends on the moment, which is also the order of series that are not sorted."""
    if isinstance(value, dict):
        return {k: [None, *v[1:]] if k == "value" else without_times(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        values = [without_times(v) for v in value]
        return sorted(values, key=json.dumps) if value and isinstance(value[0], dict) and "value" in value[0] else values
    return value


SAME = [
    ("query", {"query": "up"}),
    ("query", {"query": "sort(requests_total)"}),
    ("query", {"query": 'temp{gpu=~"0|1"}'}),
    ("query", {"query": "sum by (job) (requests_total) > 5"}),
    ("query", {"query": "histogram_quantile(0.9, lat_bucket)"}),
    ("query", {"query": "count_values('v', temp)"}),
    ("query", {"query": "scrape_samples_scraped"}),
    ("query", {"query": "scrape_series_added * 0"}),
    ("query", {"query": "temp * 1e22"}),
    ("query", {"query": "temp / 1e9"}),
    ("query", {"query": "nothing"}),
    ("query", {"query": "1 + 1", "time": "1700000000"}),
    ("query", {"query": "1", "time": "2026-11-25T06:00:00.5Z"}),
    ("query", {"query": "1", "time": "2026-11-25T06:00:00+02:00"}),
    ("query", {"query": '"text"', "time": "1700000000.25"}),
    ("query", {"query": "vector(Inf)", "time": "1700000000"}),
    ("query", {"query": "1", "time": "yesterday"}),
    ("query", {"query": "sum("}),
    ("query", {"query": "rate(up)"}),
    ("query", {"query": "up{"}),
    ("query", {"query": "foo{a='b'} + bar", "timeout": "soon"}),
    ("query_range", {"query": "vector(1)", "start": "100", "end": "160", "step": "30"}),
    ("query_range", {"query": "time()", "start": "100", "end": "160", "step": "30s"}),
    ("query_range", {"query": "1", "start": "100.5", "end": "102", "step": "0.5"}),
    ("query_range", {"query": "1", "start": "200", "end": "160", "step": "30"}),
    ("query_range", {"query": "1", "start": "100", "end": "160", "step": "0"}),
    ("query_range", {"query": "1", "start": "100", "end": "160"}),
    ("query_range", {"query": "1", "end": "160", "step": "1"}),
    ("query_range", {"query": "1", "start": "0", "end": "1000000", "step": "1"}),
    ("query_range", {"query": "up[5m]", "start": "100", "end": "160", "step": "30"}),
    ("labels", {}),
    ("labels", {"match[]": "temp"}),
    ("series", {"match[]": "requests_total"}),
    ("series", {}),
    ("series", {"match[]": "{}"}),
    ("series", {"match[]": "temp", "end": "100"}),
    ("query_exemplars", {"query": "test"}),
]


@pytest.mark.parametrize("path,form", SAME, ids=lambda v: v if isinstance(v, str) else v.get("query") or v.get("match[]"))
def test_answers_are_those_of_prometheus(monitor, prometheus, path, form):
    want = prometheus.request("/api/v1/" + path, form)
    got = monitor.request("/api/v1/" + path, form)
    if path != "query" or "time" not in form:
        want, got = without_times(want), without_times(got)
    assert got == want


LONG = ["requests_total", 'requests_total{path="/a/long/path/of/a/request",method=~"GET|POST"}']
LONG += [
    f"sum by (job, instance) (rate({LONG[1]}[5m])) / on (job) group_left (instance) sum(rate({LONG[1]}[10m]))",
    f"histogram_quantile(0.99, sum by (le, job) (rate(lat_bucket{{path='/a/rather/long/path/of/a/request'}}[5m]))) > 0.5",
    f"((({LONG[1]}))) and ({LONG[1]} unless ignoring (path) ({LONG[1]} offset 5m))",
    f"-{LONG[1]} * -(up + {LONG[1]} ^ 2)",
    f"topk(5, {LONG[1]}) or bottomk without (path) (3, {LONG[1]} @ end())",
    f"sum(sum(sum(sum({LONG[1]} > bool 1) by (path)) by (path, method)) without (method)) + 1",
    f"label_replace({LONG[1]}, 'a', '$1', 'path', '/(.*)/(.*)/(.*)/(.*)') == on () vector(1)",
    f"max_over_time((sum by (job) (rate({LONG[1]}[5m])) + sum by (job) (rate({LONG[1]}[5m])))[1h:5m] offset 1m)",
    "a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t + u + v + w + x + y + zz",
    f"time() - -1e6 + absent_over_time({LONG[1]}[1d]) * scalar(vector(3)) - 'a' != 2",
]


@pytest.mark.parametrize("query", LONG)
def test_queries_are_put_on_lines_as_prometheus_does(monitor, prometheus, query):
    def lines(api):
        status, answer = api.request("/api/v1/format_query", {"query": query})
        # The Prometheus in Debian has no space there, the present one has.
        return status, re.sub(r"\b(by|without|on|ignoring|group_left|group_right) \(", r"\1(", answer.get("data", answer.get("error"))).split("\n")
    assert lines(monitor) == lines(prometheus)


@sanitize
@pytest.mark.parametrize("path", ["query", "format_query"])
def test_a_query_that_is_long_is_no_danger(monitor, path):
    def ask(n):
        return monitor.request("/api/v1/" + path, {"query": "1" + "+1" * n})
    assert ask(1000)[0] == 200
    status, answer = ask(200_000)
    assert status == 400 and "more than 5000 operators" in answer["error"]


@sanitize
def test_queries_work_in_the_url_and_as_a_form(monitor):
    for query in ('sum(requests_total)', 'requests_total{path=~"/.*"} > 15'):
        in_url = monitor.request("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        as_form = monitor.request("/api/v1/query", {"query": query})
        assert without_times(in_url) == without_times(as_form)
        assert in_url[1]["data"]["resultType"] == "vector"


@sanitize
def test_label_values_and_limits(monitor):
    assert monitor.request("/api/v1/label/path/values")[1]["data"] == ["/", "/x"]
    assert monitor.request("/api/v1/label/path/values?limit=1")[1]["data"] == ["/"]
    assert monitor.request('/api/v1/label/path/values?match[]=temp')[1]["data"] == []
    assert "temp" in monitor.request("/api/v1/label/__name__/values")[1]["data"]
    assert monitor.request("/api/v1/series?match[]=temp&limit=-1")[0] == 400


@sanitize
def test_a_query_that_needs_too_much_is_refused(monitor):
    status, answer = monitor.request("/api/v1/query", {"query": "max_over_time(vector(1)[1y:1ms])"})
    assert status == 422 and answer["errorType"] == "execution" and "too many samples" in answer["error"]
    status, answer = monitor.request("/api/v1/query", {"query": "sum_over_time(vector(1)[4h:1ms])", "timeout": "1ms"})
    assert status == 503 and answer["errorType"] == "timeout"
    assert monitor.query("1")


@sanitize
def test_promtool_is_a_client(monitor):
    def promtool(*args):
        r = subprocess.run(["promtool", "query", *args], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stderr
        return r.stdout

    assert promtool("instant", monitor.url, 'temp{gpu="0"}').startswith('temp{gpu="0"')
    assert '{__name__="temp", gpu="1"' in promtool("series", "--match", "temp", monitor.url)
    assert promtool("labels", monitor.url, "gpu") == "0\n1\n"
    now = str(int(time.time()) + 1)  # not before the first sample
    assert "=>" in promtool("range", "--start", str(int(now) - 5), "--end", now, "--step", "1s", monitor.url, "up")


def test_what_the_target_is_asked_with(target, monitor, prometheus):
    mine = next(h for h in reversed(target.requests) if h["User-Agent"].startswith("stoker/"))
    assert "application/openmetrics-text;version=1.0.0" in mine["Accept"] and "gzip" in mine["Accept-Encoding"]
    assert mine["X-Prometheus-Scrape-Timeout-Seconds"] == "1", "no longer than the interval"
    theirs = next(h for h in reversed(target.requests) if h["User-Agent"].startswith("Prometheus/"))
    assert float(theirs["X-Prometheus-Scrape-Timeout-Seconds"]) > 0


def test_metrics_of_its_own_are_clean(monitor):
    with urllib.request.urlopen(monitor.url + "/metrics") as r:
        text = r.read()
    r = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
    assert r.returncode == 0 and b"stoker_tsdb_head_series" in text, r.stderr


@pytest.fixture()
def changing(tmp_path):
    """A target of this test's own, scraped by both."""
    t = Target()
    t.text = "a 1\nb 2\n"
    m = Monitor("--interval", "1s", f"app=http://{t.address}/metrics")
    p = Prometheus(tmp_path, t.address)
    yield t, (m, p)
    m.stop()
    p.stop()
    t.stop()


def test_series_end_as_they_do_in_prometheus(changing):
    target, both = changing
    for x in both:
        x.await_value("count({__name__=~'a|b'})", 2)
    target.text = "a 1\n"  # b is gone
    for x in both:
        x.await_value("count(b)", None)
        x.await_value("a", 1)
    target.status = 500  # the target is ill: its series end
    for x in both:
        x.await_value("up", 0)
        x.await_value("count(a)", None)
        x.await_value("scrape_samples_scraped", 0)
    target.status, target.text = 200, "a oops\n"
    time.sleep(1.5)
    for x in both:
        x.await_value("up", 0)
    target.text = "# TYPE a counter\na_total 3\n# EOF\n"
    target.content_type = "application/openmetrics-text; version=1.0.0"
    for x in both:
        x.await_value("up", 1)
        x.await_value("a_total", 3)
    answer = both[0].request("/api/v1/targets")[1]["data"]["activeTargets"]
    assert answer[0]["health"] == "up" and answer[0]["lastError"] == ""


@sanitize
def test_a_target_that_hangs_does_not_stop_the_others(target):
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen(50)
        port = hanging.getsockname()[1]
        m = Monitor("--interval", "1s", "--timeout", "900ms", f"hang=http://127.0.0.1:{port}/",
                    f"app=http://{target.address}/metrics")
        try:
            m.await_value('up{job="app"}', 1)
            m.await_value('up{job="hang"}', 0)
            m.await_value('count_over_time(up{job="app"}[1m]) > bool 2', 1)
            down = [t for t in m.request("/api/v1/targets")[1]["data"]["activeTargets"] if t["health"] == "down"]
            assert "did not answer within 900 ms" in down[0]["lastError"]
        finally:
            m.stop()


@sanitize
def test_it_ends_soon_in_the_middle_of_a_long_query(target):
    m = Monitor("--interval", "1s", f"app=http://{target.address}/metrics")
    form = {"query": "quantile_over_time(0.5, vector(time())[10m:10ms])", "start": 0, "end": 10000, "step": 1}
    answers = []
    asked = threading.Thread(target=lambda: answers.append(m.request("/api/v1/query_range", form)))
    asked.start()
    time.sleep(0.3)
    start = time.monotonic()
    m.stop()
    assert time.monotonic() - start < 15 * SLOW  # of a minute and more
    asked.join()
    assert answers[0][0] == 503 and answers[0][1]["errorType"] == "canceled"


def test_what_can_be_reached_from_outside_is_refused():
    r = subprocess.run([BINARY, "monitor", "--host", "0.0.0.0", "--port", "0"], capture_output=True, text=True,
                       env={**os.environ, "LC_ALL": "C"}, timeout=30 * SLOW)
    assert r.returncode == 3 and "--insecure" in r.stderr


def test_metadata_is_what_prometheus_says(target, tmp_path):
    target.content_type = "text/plain; version=0.0.4"
    target.text = ('# HELP requests_total Requests, with "quotes" and a \\\\ in it.\n# TYPE requests_total counter\n'
                   "requests_total 1\n# TYPE temp gauge\ntemp 2\n# HELP bare Only help.\nbare 3\n")
    p = Prometheus(tmp_path, target.address)
    m = Monitor("--interval", "1s", f"app=http://{target.address}/metrics")
    try:
        for x in (p, m):
            x.await_value("temp", 2)
        for path in ("/api/v1/metadata", "/api/v1/metadata?metric=temp", "/api/v1/metadata?metric=none"):
            assert m.request(path) == p.request(path), path
        assert len(m.request("/api/v1/metadata?limit=2")[1]["data"]) == 2
        target.text = "# TYPE req counter\n# UNIT req_seconds seconds\n# HELP req Open.\nreq_total 1\n# EOF\n"
        target.content_type = "application/openmetrics-text; version=1.0.0"
        for x in (p, m):
            x.await_value("req_total", 1)
        assert m.request("/api/v1/metadata?metric=req") == p.request("/api/v1/metadata?metric=req")
    finally:
        m.stop()
        p.stop()


def federated(api, *matches):
    url = api.url + "/federate?" + urllib.parse.urlencode([("match[]", m) for m in matches])
    text = urllib.request.urlopen(url).read().decode()
    return [" ".join(line.split(" ")[:-1]) if not line.startswith("#") else line for line in text.splitlines()]


def test_what_takes_the_room_and_which_targets_are_shown(target, tmp_path):
    target.content_type, target.text = "text/plain; version=0.0.4", PAGE
    m = Monitor("--interval", "1s", f"app=http://{target.address}/metrics")
    p = Prometheus(tmp_path, target.address)
    try:
        for api in (m, p):
            api.await_value("count(temp)", 2)
            api.await_value("count(scrape_series_added)", 1)
        tables = []
        for api in (m, p):
            data = api.request("/api/v1/status/tsdb")[1]["data"]
            tables.append({key: sorted((e["name"], e["value"]) for e in rows)
                           for key, rows in data.items() if key.endswith("Name")})
            assert data["headStats"]["numSeries"] == 13, data
            # Prometheus 2 counts the text of a value once, 3 for each of its series.
            assert tables[-1].pop("memoryInBytesByLabelName")[1:2] == [("exported_job", 3)]
        assert tables[0] == tables[1]
        one = m.request("/api/v1/status/tsdb?limit=1")[1]["data"]["seriesCountByLabelValuePair"]
        assert one == [{"name": "instance=" + target.address, "value": 13}], one
        for state in ("", "?state=any", "?state=active", "?state=dropped", "?state=Dropped", "?state=nope"):
            assert [len(api.request("/api/v1/targets" + state)[1]["data"]["activeTargets"]) for api in (m, p)] in ([1, 1], [0, 0]), state
        for query in ("(", "a{x=~'*'}"):
            errors = [api.request("/api/v1/query_exemplars?start=1&end=2&query=" + urllib.parse.quote(query)) for api in (m, p)]
            assert errors[0] == errors[1] and errors[0][0] == 400, errors
    finally:
        m.stop()
        p.stop()


@sanitize
def test_federation_is_what_prometheus_gives(target, tmp_path):
    target.content_type = "text/plain; version=0.0.4"
    target.text = PAGE + 'odd{a="x\\"y\\\\z"} 1e+09\n'
    p = Prometheus(tmp_path, target.address)
    m = Monitor("--interval", "1s", f"app=http://{target.address}/metrics")
    try:
        for x in (p, m):
            x.await_value("lat_sum", 2)
        for matches in (["temp"], ['{__name__=~"temp|lat.*|requests_total|odd"}', "temp"], ["none"], []):
            mine, theirs = federated(m, *matches), federated(p, *matches)
            assert sorted(mine) == sorted(theirs) and [x for x in mine if x[0] == "#"] == [x for x in theirs if x[0] == "#"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            federated(m, "sum(")
        assert refused.value.code == 400 and b"parse error" in refused.value.read()
    finally:
        m.stop()
        p.stop()
