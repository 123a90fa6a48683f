"""The console in a real Chromium: every page, in both languages, and what a person does there."""
import http.client
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import pytest

import models
from people import browse
from stoker import SLOW
from test_gpu import FIXTURES, play  # noqa: F401 - a fixture
from test_together import Both
from test_alerts import await_that

sanitize = pytest.mark.sanitize
PAGES = ["overview", "service", "gpu", "host", "alerts", "explore", "targets", "rules", "logs"]
RULES = """
groups:
  - name: test
    interval: 1s
    rules:
      - alert: OnFire
        expr: vector(42) > 0
        labels: {severity: critical}
        annotations: {summary: 'The test <b>burns</b> at {{ $value }}', runbook: 'Put it out.', summary_zh: '测试在燃烧'}
"""


def ask(server, path, method="GET", headers={}):
    """(status, body) of the monitor."""
    request = urllib.request.Request(server.watch + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30 * SLOW) as reply:
            return reply.status, json.loads(reply.read() or "null")
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


@pytest.fixture
def both(play):  # noqa: F811
    play((FIXTURES / "eight.txt").read_text())
    with tempfile.TemporaryDirectory(prefix="stoker-console-") as name:
        folder = pathlib.Path(name)
        (folder / "rules.yml").write_text(RULES)
        server = Both(models.mlp(folder / "mlp.onnx"), folder, "--rules", folder / "rules.yml", "--access-log", folder / "access.log")
        server.folder = folder
        ended = threading.Event()

        def load():
            n = 0
            while not ended.wait(0.05):
                n += 1
                try:
                    server.request("POST", "/predict", {"inputs": [[1.0, 2.0, 3.0]]}, headers={"X-Request-Id": f"request-{n}"})
                except (OSError, http.client.HTTPException):
                    pass  # a test has ended it

        thread = threading.Thread(target=load)
        thread.start()
        try:
            server.await_value('count(DCGM_FI_DEV_GPU_UTIL)', 8)
            server.await_value('count(ALERTS{alertname="OnFire",alertstate="firing"})', 1)
            server.await_value('sum(rate(http_requests_total{handler="/predict"}[10s])) > bool 0', 1)
            yield server
        finally:
            ended.set()
            thread.join()
            server.stop()


def test_every_page_in_both_languages(both):
    pictures = both.folder / "pictures"
    pictures.mkdir()
    seen = browse("console-pages.mjs", both.watch, pictures)
    assert [(s["look"], s["page"]) for s in seen] == [(look, page) for look in ("en", "zh", "phone") for page in PAGES]
    for s in seen:
        assert s["axe"] == [], s
        assert s["wide"] <= 0, s  # nothing sticks out to the side, on a phone either
        assert s["charts"] >= {"service": 9, "gpu": 11, "host": 7, "explore": 1}.get(s["page"], 0), s
        assert (pictures / f"{s['page']}-{s['look']}.png").stat().st_size > 10000
    titles = {s["page"]: s["title"] for s in seen if s["look"] == "zh"}
    assert titles == dict(zip(PAGES, ["总览", "服务", "GPU", "主机", "告警", "查询", "目标", "规则", "日志"]))
    paints = sorted(s["paint"] for s in seen)
    print(f"first paint: median {paints[len(paints) // 2]:.0f} ms, longest {paints[-1]:.0f} ms", end=" ")


def test_what_a_person_does(both):
    pictures = both.folder / "pictures"
    pictures.mkdir()
    did = {s.pop("what"): s for s in browse("console-actions.mjs", both.watch, pictures, "request-3")}
    assert "1 alert is firing" in did["wrong"]["state"]
    assert "The test <b>burns</b> at 42" in did["wrong"]["alert"]  # a text, not a page
    assert "Put it out." in did["wrong"]["alert"] and "OnFire" in did["wrong"]["alert"]
    assert "Everything is fine" in did["silenced"]["state"]
    assert 'alertname="OnFire"' in did["silences"]["rows"][0] and "console" in did["silences"]["rows"][0]
    assert "OnFire" in did["expired"]["alerts"]
    assert did["kept"] == {"lang": "zh-CN", "theme": "dark"}
    assert did["metrics"]["choices"] == ["scrape_samples_scraped"]
    assert "job" in did["labels"]["choices"]
    assert did["values"]["choices"] == ["stoker", "host"]  # what begins so comes first
    query = 'sum by (job) (scrape_samples_scraped{job="stoker"})'
    assert did["graph"]["query"] == did["kept query"]["query"] == query
    assert did["graph"]["legend"][0].startswith('{job="stoker"}')
    assert did["table"]["rows"][0].startswith('{job="stoker"}')
    assert "unclosed left parenthesis" in did["mistake"]["error"]
    assert did["live"]["models"][0].startswith("mlp")
    assert len(did["request"]["lines"]) == 1 and "POST /predict" in did["request"]["lines"][0]
    assert "request-3" in did["request"]["lines"][0] and "stoker.model=mlp" in did["request"]["lines"][0]
    assert did["rules"]["all"] > 15 and "OnFire" in did["rules"]["firing"]
    assert set(did["targets"]["states"]) == {"up"}
    assert did["link"]["query"] == "sum(up) > 0" and did["link"]["address"].startswith("/#/explore?q=sum"), did["link"]
    assert "does not answer" in did["offline"]["words"] and "online" in did
    silences = both.request("/api/v2/silences")[1]
    assert [s["status"]["state"] for s in silences] == ["expired"]


class Stream:
    """Server-sent events, as they come."""

    def __init__(self, url):
        self.process = subprocess.Popen(["curl", "-sNg", "-H", "Accept: text/event-stream", url], stdout=subprocess.PIPE, text=True)

    def next(self):
        kind = data = None
        for line in self.process.stdout:
            if line.startswith("event: "):
                kind = line[7:].strip()
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "\n":
                return kind, data
        return None, None

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


@sanitize
def test_streams(both):
    s = Stream(both.watch + "/api/v1/live?interval=1s&query=up&query=vector(1)/0&query=rate(up[1m])%20and%20nothing")
    try:
        times = []
        both.await_value("count(up)", 5)
        for _ in range(3):
            kind, data = s.next()
            assert kind == "samples"
            assert [r["resultType"] for r in data["results"]] == ["vector"] * 3
            assert len(data["results"][0]["result"]) == 5 and data["results"][1]["result"][0]["value"][1] == "+Inf"
            times.append(data["time"])
        assert times[0] + 0.5 < times[1] and times[1] + 0.5 < times[2]
    finally:
        s.close()
    for query, status in (("query=up(", 400), ("query=up&interval=1ms", 400), ("interval=2h", 400), ("&".join(["query=up"] * 65), 400)):
        code, body = ask(both, f"/api/v1/live?{query}")
        assert code == status and body["status"] == "error", (query, body)
    # Those who leave leave nothing behind; those who do not read are dropped.
    many = [Stream(both.watch + f"/api/v1/live?interval=1s&query=up&n={i}") for i in range(100)]
    try:
        assert all(m.next()[0] == "samples" for m in many)
        code, body = ask(both, "/api/v1/live?query=up")
        assert code == 503 and "100 is the limit" in body["error"]
    finally:
        for m in many:
            m.close()
    await_that(lambda: ask(both, "/api/v1/live?query=up", "HEAD")[0] == 200)


@sanitize
def test_a_stream_outlives_nothing(both):
    """The monitor ends while streams are open, and while one asks for something that takes long."""
    slow = "sum_over_time(sum(rate(node_cpu_seconds_total[1m]))[1h:10ms])"
    streams = [Stream(both.watch + f"/api/v1/live?interval=1s&query={q}") for q in ("up", slow, "up")]
    try:
        assert streams[0].next()[0] == "samples"
        began = time.monotonic()
        both.process.terminate()
        assert both.process.wait(60 * SLOW) == 0
        assert time.monotonic() - began < 20 * SLOW
        rest = streams[0].next()
        while rest[0]:
            rest = streams[0].next()
    finally:
        for s in streams:
            s.close()


@sanitize
def test_lines_of_all_processes(both):
    def lines(query=""):
        code, body = ask(both, f"/api/v1/logs?{query}")
        assert code == 200, body
        return body["data"]["lines"]

    assert {x.get("process.name") for x in lines()} >= {"stoker: master", "stoker: serve", "stoker: monitor"}
    assert any(x["event.action"] == "model.loaded" for x in lines("contains=model.loaded"))
    await_that(lambda: len(lines("request_id=request-2")) == 1)
    assert {x["stoker.model"] for x in lines("model=mlp") if "stoker.model" in x} == {"mlp"}
    assert lines("level=error") == [] and lines("model=other") == []
    assert len(lines("limit=5")) == 5
    for bad in ("level=loud", "limit=100000", "limit=x"):
        assert ask(both, f"/api/v1/logs?{bad}")[0] == 400
    s = Stream(both.watch + "/api/v1/logs?limit=1&contains=/predict")
    try:
        first, later = s.next(), s.next()
        assert first[0] == later[0] == "lines" and len(first[1]["lines"]) == 1
        assert all(x["url.path"] == "/predict" for x in later[1]["lines"])
        assert first[1]["lines"][0]["http.request.id"] != later[1]["lines"][0]["http.request.id"]
    finally:
        s.close()


@sanitize
def test_pages_of_other_sites_change_nothing(both):
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 404), ("none", 404)):
        got, _ = ask(both, "/api/v2/silence/00000000-0000-0000-0000-000000000000", "DELETE", {"Sec-Fetch-Site": site})
        assert got == status, site
        assert ask(both, "/api/v2/silences", headers={"Sec-Fetch-Site": site})[0] == 200
