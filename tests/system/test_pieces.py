"""Answers of many megabytes: sent while they are written, whole in every form, and no matter what the client does."""
import gzip
import http.client
import json
import socket
import time
import urllib.parse
import zlib

import pytest

from stoker import SLOW
from test_monitor import Monitor

pytestmark = pytest.mark.sanitize

SERIES, POINTS = (20 if SLOW == 1 else 5), 11000
QUERY = " or ".join(f'label_replace(vector(time() / 3), "i", "{i}", "", "")' for i in range(SERIES))
PATH = "/api/v1/query_range?" + urllib.parse.urlencode({"query": QUERY, "start": 0, "end": POINTS - 1, "step": 1})


@pytest.fixture(scope="module")
def monitor():
    m = Monitor()
    yield m
    m.stop()


def connect(monitor):
    return http.client.HTTPConnection(monitor.url.split("//")[1], timeout=60 * SLOW)


def get(connection, headers=None):
    connection.request("GET", PATH, headers=headers or {})
    r = connection.getresponse()
    return r, r.read()


def raw(monitor, request):
    host, port = monitor.url.split("//")[1].split(":")
    s = socket.create_connection((host, int(port)), timeout=60 * SLOW)
    s.sendall(request.encode())
    return s


def read_all(s):
    out = b""
    while more := s.recv(1 << 20):
        out += more
    return out


@pytest.fixture(scope="module")
def whole(monitor):
    """The answer in one, as HTTP/1.0 has it."""
    with raw(monitor, f"GET {PATH} HTTP/1.0\r\n\r\n") as s:
        head, _, body = read_all(s).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head and len(body) > 200e3 * SERIES
    result = json.loads(body)["data"]["result"]
    assert len(result) == SERIES
    for series in result:
        assert [(t, float(v)) for t, v in series["values"]] == [(t, t / 3) for t in range(POINTS)]
    return body


@pytest.mark.parametrize("coding, unpack", [(None, bytes), ("gzip", gzip.decompress), ("deflate", zlib.decompress)])
def test_the_pieces_are_the_whole_and_the_connection_goes_on(monitor, whole, coding, unpack):
    connection = connect(monitor)
    for _ in range(2):
        r, body = get(connection, {"Accept-Encoding": coding} if coding else {})
        assert r.status == 200 and r.headers["Transfer-Encoding"] == "chunked" and "Content-Length" not in r.headers
        assert r.headers["Content-Encoding"] == coding and r.headers["Content-Type"] == "application/json"
        assert unpack(body) == whole
    connection.close()


def test_one_request_behind_the_other(monitor, whole):
    with raw(monitor, f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\nGET {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as s:
        heads, bodies, at, text = [], [], 0, read_all(s)
    while at < len(text):
        end = text.index(b"\r\n\r\n", at) + 4
        heads.append(text[at:end])
        at, body = end, b""
        while True:
            line = text.index(b"\r\n", at)
            size, at = int(text[at:line], 16), line + 2
            body += text[at:at + size]
            at += size + 2
            if not size:
                break
        bodies.append(body)
    assert bodies == [whole, whole] and b"Connection: close" in heads[1] and b"Connection" not in heads[0]


def test_a_head_has_no_body(monitor):
    with raw(monitor, f"HEAD {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as s:
        assert read_all(s).endswith(b"\r\n\r\n")


def test_who_reads_slowly_gets_it_and_keeps_nobody_waiting(monitor, whole):
    slow = [raw(monitor, f"GET {PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") for _ in range(8)]
    time.sleep(0.5)
    assert monitor.query("1")[1] == "1"
    for s in slow[1:]:
        s.close()
    body = read_all(slow[0])
    slow[0].close()
    assert body.endswith(b"\r\n0\r\n\r\n") and len(body) > len(whole)


def test_who_leaves_takes_his_answer_with_him(monitor):
    for n in range(10):
        with raw(monitor, f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n") as s:
            if n % 2:
                s.shutdown(socket.SHUT_WR)
            assert s.recv(1 + 5000 * n)
    r, _ = get(connect(monitor))
    assert r.status == 200
