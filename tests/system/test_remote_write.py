"""Remote write 1.0, in both directions, with a real Prometheus at the other end."""
import http.server
import json
import os
import pathlib
import random
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import pytest

from stoker import SLOW
from test_alerts import await_that
from test_monitor import Api, Monitor, Target, free_port

sanitize = pytest.mark.sanitize


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-remote-") as name:
        yield pathlib.Path(name)


@pytest.fixture
def target():
    t = Target()
    t.text = '# TYPE reqs counter\nreqs{code="200"} 10\ntemp{gpu="0"} 50.5\ntemp{gpu="1"} NaN\nbig 1e300\n'
    yield t
    t.stop()


class Peer(Api):
    def __init__(self, folder, config, *args):
        (folder / "peer.yml").write_text(config)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/peer.yml", f"--storage.tsdb.path={folder}/peer", "--log.level=error",
             f"--web.listen-address=127.0.0.1:{port}", *args])
        await_that(self.ready)

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready").status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()


def samples(api, selector, start, end):
    """Every sample of these series between two times, bit by bit."""
    result = api.query(f"{selector}[{int(end - start)}s]", time=end)
    return {json.dumps(r["metric"], sort_keys=True): [tuple(v) for v in r["values"]] for r in result}


CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, external_labels: {{site: lab}}}}
scrape_configs: [{{job_name: app, static_configs: [{{targets: ['{target}']}}]}}]
remote_write:
  - url: {url}/api/v1/write
    queue_config: {{batch_send_deadline: 300ms, max_samples_per_send: 50, capacity: 100000}}
    write_relabel_configs: [{{source_labels: [__name__], regex: big, action: drop}}]
"""


@sanitize
def test_into_prometheus(folder, target):
    peer = Peer(folder, "global: {}\n", "--web.enable-remote-write-receiver")
    (folder / "own.yml").write_text(CONFIG.format(target=target.address, url=peer.url))
    m = Monitor("--config", folder / "own.yml")
    try:
        peer.await_value('reqs{site="lab"}', 10)
        start = time.time()
        time.sleep(3)
        target.text = "temp{gpu=\"0\"} 51\n"  # the others end: stale markers go too
        peer.await_value('absent(reqs{site="lab"})', 1)
        end = time.time() - 0.5
        time.sleep(1.5)
        mine = samples(m, '{job="app"}', start, end)
        theirs = samples(peer, '{job="app"}', start, end)
        expected = {}
        for labels, values in mine.items():
            labels = json.loads(labels)
            if labels["__name__"] != "big":
                expected[json.dumps(dict(labels, site="lab"), sort_keys=True)] = values
        assert theirs == expected and len(theirs) == 8
        m.await_value("stoker_remote_write_failed_total", None)
    finally:
        m.stop()
        peer.stop()


@sanitize
def test_out_of_prometheus(folder, target):
    m = Monitor("--remote-write-receiver")
    peer = Peer(folder, CONFIG.format(target=target.address, url=m.url))
    try:
        m.await_value('reqs{site="lab"}', 10)
        start = time.time()
        time.sleep(4)
        end = time.time() - 2
        mine = samples(m, '{job="app",site="lab"}', start, end)
        theirs = samples(peer, '{job="app"}', start, end)
        expected = {json.dumps(dict(json.loads(labels), site="lab"), sort_keys=True): values
                    for labels, values in theirs.items() if json.loads(labels)["__name__"] != "big"}
        assert mine == expected and len(mine) == 8
        target.text = ""
        m.await_value('absent(reqs{site="lab"})', 1)
    finally:
        peer.stop()
        m.stop()


class Sink:
    """Takes requests or refuses them; counts."""

    def __init__(self):
        self.status, self.taken, self.seen = 204, [], 0
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.seen += 1
                if sink.status == 204:
                    sink.taken.append((dict(self.headers), body))
                self.send_response(sink.status)
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


@sanitize
def test_a_store_that_is_down_loses_nothing(folder, target):
    """Through a gate that is shut for a while, into another monitor of ours."""
    sink = Sink()
    sink.status = 503
    (folder / "own.yml").write_text(CONFIG.format(target=target.address, url=sink.url).replace("regex: big", "regex: x"))
    m = Monitor("--config", folder / "own.yml")
    other = Monitor("--remote-write-receiver")
    try:
        m.await_event("remote_write.failed")
        start = time.time()
        time.sleep(2)
        sink.status = 204
        m.await_event("remote_write.resumed")
        time.sleep(1.5)
        assert sink.taken[0][0]["Content-Encoding"] == "snappy"
        assert sink.taken[0][0]["Content-Type"] == "application/x-protobuf"
        for headers, body in sink.taken:
            request = urllib.request.Request(other.url + "/api/v1/write", body, {
                "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"})
            assert urllib.request.urlopen(request).status == 204
        end = time.time() - 1.5
        mine, theirs = samples(m, '{job="app"}', start, end), samples(other, '{job="app"}', start, end)
        assert {json.dumps(dict(json.loads(k), site="lab"), sort_keys=True): v for k, v in mine.items()} == theirs
        assert len(theirs) == 9
    finally:
        sink.status = 503
        m.stop()  # although what waits cannot be sent
        other.stop()
        sink.stop()


def post(url, body, **headers):
    request = urllib.request.Request(url + "/api/v1/write", body, {"Content-Type": "application/x-protobuf",
                                                                   "Content-Encoding": "snappy", **headers})
    try:
        return urllib.request.urlopen(request, timeout=20).status
    except urllib.error.HTTPError as e:
        return e.code


@sanitize
def test_bytes_that_are_no_request(folder, target):
    sink = Sink()
    m = Monitor("--interval", "200ms", "--remote-write", sink.url, f"app=http://{target.address}/metrics")
    other = Monitor("--remote-write-receiver")
    try:
        good = await_that(lambda: sink.taken)[0][1]
        assert post(m.url, good) == 404  # it must be asked for
        assert post(other.url, good) == 204
        rng = random.Random(4)
        for i in range(300):
            bad = bytearray(good[:rng.randrange(1, len(good))] if i % 2 else good)
            for _ in range(rng.randrange(1, 4)):
                bad[rng.randrange(len(bad))] = rng.randrange(256)
            assert post(other.url, bytes(bad)) in (204, 400, 413, 422)
        for body in (b"", b"\xff" * 100, os.urandom(5000), b"\xff\xff\xff\xff\x0f" + b"\0" * 10):
            assert post(other.url, body) in (204, 400, 413)
        assert other.query("1")
    finally:
        m.stop()
        other.stop()
        sink.stop()
