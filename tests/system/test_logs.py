"""Logs at the monitor: files that are followed, and lines on their way to an Elasticsearch or a Loki. Neither is in
Debian: those here check what they are sent as their documentation has it."""
import json
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.request

import pytest

from people import Robot
from stoker import BINARY
from test_alerts import await_that
from test_monitor import Monitor

sanitize = pytest.mark.sanitize


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-logs-") as name:
        yield pathlib.Path(name)


def line(n, **more):
    return json.dumps({"@timestamp": f"2026-11-25T12:00:{n % 60:02}.{n % 1000:03}Z", "log.level": "info", "message": f"line {n}", **more})


class Elasticsearch(Robot):
    """Takes each document once, by its _id, and answers for each as told: verdict(document) is a status."""

    def __init__(self):
        super().__init__()
        self.documents, self.texts = {}, []
        self.verdict = lambda document: 201
        self.down = None  # (status, body) for everything
        self.answers[None] = self.answer
        self.lock = threading.Lock()

    def answer(self, body):
        with self.lock:
            return self.down or self.take(body)

    def take(self, body):
        rows = body.decode().split("\n")
        assert rows.pop() == ""  # it ends in an end of line
        items = []
        for action, document in zip(rows[::2], rows[1::2]):
            key = json.loads(action)["create"]["_id"]
            self.texts.append(document)
            document = json.loads(document)
            status = 409 if key in self.documents else self.verdict(document)
            if status == 201:
                self.documents[key] = document
            items.append({"create": {"_id": key, "status": status, **({} if status == 201 else {"error": {"reason": f"because {status}"}})}})
        bad = any(i["create"]["status"] != 201 for i in items)
        return 200, json.dumps({"took": 1, "errors": bad, "items": items}).encode()

    def pairs(self, message):
        """The names in the document with that message, each as often as it is there."""
        text = [t for t in self.texts if json.loads(t).get("message") == message][0]
        return [k for k, _ in json.loads(text, object_pairs_hook=list)]

    def messages(self):
        return [d.get("message") for d in self.documents.values()]


def metric(monitor, name):
    text = urllib.request.urlopen(monitor.url + "/metrics").read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


@sanitize
def test_a_file_is_followed_and_sent_to_elasticsearch(folder, monkeypatch):
    monkeypatch.setenv("STOKER_LOGS_AUTHORIZATION", "ApiKey c2VjcmV0")
    log, far = folder / "app.log", Elasticsearch()
    log.write_text("an old line\n")
    m = Monitor("--logs", log, "--logs-to", far.url + "/logs-stoker/_bulk")
    try:
        await_that(lambda: "monitor.ready" in [d.get("event.action") for d in far.documents.values()])  # its own
        with log.open("a") as f:
            f.write(line(1) + "\n" + line(2, **{"host.name": "other"}) + "\nno json at all\n{\n")
        await_that(lambda: "no json at all" in far.messages() and "{" in far.messages())
        mine = {d["message"]: d for d in far.documents.values()}
        assert "an old line" not in mine
        assert mine["line 2"]["host.name"] == "other" and far.pairs("line 2").count("host.name") == 1
        assert mine["line 1"]["@timestamp"] == "2026-11-25T12:00:01.001Z" and mine["line 1"]["host.name"]
        assert re.match(r"\d{4}-\d\d-\d\dT", mine["no json at all"]["@timestamp"])
        path, headers, _ = far.posts[0]
        assert path == "/logs-stoker/_bulk" and headers["Content-Type"] == "application/x-ndjson"
        assert headers["Authorization"] == "ApiKey c2VjcmV0"
        # Rotation, as logrotate does it.
        log.rename(folder / "app.log.1")
        log.write_text(line(3) + "\n")
        await_that(lambda: "line 3" in far.messages())
        assert len(m.request("/api/v1/logs?contains=line%203")[1]["data"]["lines"]) == 1
        assert m.request("/api/v1/logs?contains=no%20json")[1]["data"]["lines"] == [{"raw": "no json at all"}]
        assert metric(m, "stoker_logs_sent_total") == len(far.documents)
        assert "c2VjcmV0" not in m.log.read_text()
    finally:
        m.stop()
        far.stop()


@sanitize
def test_nothing_is_lost_while_it_is_down_nor_by_a_kill(folder):
    log, far = folder / "app.log", Elasticsearch()
    log.touch()
    far.down = 503, b'{"error":"not now"}'
    m = Monitor("--logs", log, "--logs-to", far.url + "/_bulk", data=folder / "data")
    try:
        with log.open("a") as f:
            for n in range(500):
                f.write(line(n) + "\n")
        await_that(lambda: metric(m, "stoker_logs_queue_bytes") > 500 * 80)
        await_that(lambda: m.events("logs.unsent"))
        assert "503" in m.events("logs.unsent")[0]["message"]
    finally:
        m.kill()
    far.down = None
    m = Monitor("--logs", log, "--logs-to", far.url + "/_bulk", data=folder / "data")
    try:
        await_that(lambda: set(far.messages()) >= {f"line {n}" for n in range(500)})
        assert sorted(x for x in far.messages() if x.startswith("line ")) == sorted(f"line {n}" for n in range(500))
        await_that(lambda: metric(m, "stoker_logs_queue_bytes") == 0)
        assert metric(m, "stoker_logs_dropped_total") == 0
    finally:
        m.stop()
        far.stop()


@sanitize
def test_each_line_has_its_own_answer(folder):
    log, far = folder / "app.log", Elasticsearch()
    log.touch()
    busy = {f"line {n}" for n in range(0, 50, 5)}
    times = {}

    def verdict(document):
        message = document["message"]
        times[message] = times.get(message, 0) + 1
        if message in busy and times[message] == 1:
            return 429
        return 400 if message == "line 7" else 201

    far.verdict = verdict
    m = Monitor("--logs", log, "--logs-to", far.url + "/_bulk")
    try:
        with log.open("a") as f:
            for n in range(50):
                f.write(line(n) + "\n")
        await_that(lambda: set(far.messages()) >= {f"line {n}" for n in range(50) if n != 7})
        assert all(times[x] == 2 for x in busy) and times["line 7"] == 1 and times["line 1"] == 1
        await_that(lambda: metric(m, "stoker_logs_refused_total") == 1)
        assert "because 400" in m.events("logs.refused")[0]["message"]
    finally:
        m.stop()
        far.stop()


@sanitize
def test_loki(folder):
    log, far = folder / "app.log", Robot()
    log.touch()
    far.answers[None] = [(500, b"later"), (204, b"")]
    m = Monitor("--logs", log, "--logs-to", far.url + "/loki/api/v1/push")
    try:
        with log.open("a") as f:
            f.write(line(1) + "\n" + line(2, **{"log.level": "error"}) + "\nplain\n")

        def taken():
            return [s for _, _, body in far.taken for s in json.loads(body)["streams"]]

        def values(level):
            return [v for s in taken() if s["stream"]["level"] == level for v in s["values"]]

        await_that(lambda: any("plain" in v for v in values("info")) and values("error"))
        assert far.posts[0][0] == "/loki/api/v1/push" and far.posts[0][1]["Content-Type"] == "application/json"
        assert all(set(s["stream"]) == {"host", "level", "service_name"} for s in taken())
        stamp = int(values("error")[0][0])
        assert stamp == 1795608002002000000 and json.loads(values("error")[0][1])["message"] == "line 2"
        plain = [v for v in values("info") if v[1] == "plain"][0]
        assert abs(int(plain[0]) / 1e9 - time.time()) < 120
        assert json.loads([v for v in values("info") if "line 1" in v[1]][0][1])["message"] == "line 1"
    finally:
        m.stop()
        far.stop()


def test_what_it_says_of_an_address_that_is_none(folder):
    for args, words in ((["--logs-to", "http://127.0.0.1:9/"], "/_bulk"),
                        (["--logs-to", "http://127.0.0.1:9/_bulk", "--no-history"], "a queue on disk")):
        r = subprocess.run([BINARY, "monitor", "--port", "0", "--data", folder / "data", *args], capture_output=True, text=True, timeout=60)
        assert r.returncode == 2 and words in r.stderr, r.stderr
