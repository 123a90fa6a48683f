"""Remote write 1.0, in both directions, with a real Prometheus at the other end."""
import json
import os
import pathlib
import random
import tempfile
import time
import urllib.error
import urllib.request

import pytest

from peers import PrometheusPeer
from people import Robot
from test_alerts import await_that
from test_monitor import Monitor, Target

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


def peer_with(folder, config, *args):
    (folder / "peer.yml").write_text(config)
    return PrometheusPeer(folder / "peer.yml", folder / "peer", *args)


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
    peer = peer_with(folder, "global: {}\n", "--web.enable-remote-write-receiver")
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
    peer = peer_with(folder, CONFIG.format(target=target.address, url=m.url))
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


@sanitize
def test_a_store_that_is_down_loses_nothing(folder, target):
    """Through a gate that is shut for a while, into another monitor of ours."""
    sink = Robot()
    sink.answers[None] = [(503, b"")]
    (folder / "own.yml").write_text(CONFIG.format(target=target.address, url=sink.url).replace("regex: big", "regex: x"))
    m = Monitor("--config", folder / "own.yml")
    other = Monitor("--remote-write-receiver")
    try:
        m.await_event("remote_write.failed")
        start = time.time()
        time.sleep(2)
        sink.answers[None] = [(204, b"")]
        m.await_event("remote_write.resumed")
        time.sleep(1.5)
        assert sink.taken[0][1]["Content-Encoding"] == "snappy"
        assert sink.taken[0][1]["Content-Type"] == "application/x-protobuf"
        for _, _, body in sink.taken:
            request = urllib.request.Request(other.url + "/api/v1/write", body, {
                "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"})
            assert urllib.request.urlopen(request).status == 204
        end = time.time() - 1.5
        mine, theirs = samples(m, '{job="app"}', start, end), samples(other, '{job="app"}', start, end)
        assert {json.dumps(dict(json.loads(k), site="lab"), sort_keys=True): v for k, v in mine.items()} == theirs
        assert len(theirs) == 9
    finally:
        sink.answers[None] = [(503, b"")]
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
    sink = Robot()
    sink.answers[None] = [(204, b"")]
    m = Monitor("--interval", "200ms", "--remote-write", sink.url, f"app=http://{target.address}/metrics")
    other = Monitor("--remote-write-receiver")
    try:
        good = await_that(lambda: sink.taken)[0][2]
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
