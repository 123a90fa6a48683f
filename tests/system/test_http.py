"""HTTP/1.1 as RFC 9110 and 9112 have it, with raw bytes."""
import json
import socket
import time

import models
import pytest

from stoker import SLOW, Server

pytestmark = pytest.mark.sanitize
BODY = b"[[1,2,3]]"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(models.mlp(tmp_path_factory.mktemp("m") / "mlp.onnx"), "--max-body", "100K",
                "--header-timeout", "500ms", "--body-timeout", "500ms", "--idle-timeout", "2s",
                "--write-timeout", "1s") as s:
        yield s


def post(body=BODY, extra=b"", path=b"/predict"):
    return (b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: " + str(len(body)).encode() + b"\r\n"
            + extra + b"\r\n" + body)


def statuses(raw):
    return [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"


TE = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("request_bytes,want", [
    # Smuggling: every one of these is refused and the connection closed.
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BODY), 400),
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nContent-Length: 9\r\n\r\n" + BODY, 400),
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9, 9\r\n\r\n" + BODY, 400),
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length : 9\r\n\r\n" + BODY, 400),
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\nContent-Length: 9\r\n\r\n" + BODY, 400),
    (b"POST /predict HTTP/1.1\nHost: x\nContent-Length: 9\n\n" + BODY, 400),
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" + chunked(BODY), 501),
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400),
    (b"POST /predict HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BODY), 400),
    (TE + b"9\n" + BODY + b"\r\n0\r\n\r\n", 400),
    (TE + b"9;\x00\r\n" + BODY + b"\r\n0\r\n\r\n", 400),
    (TE + b"8\r\n" + BODY + b"\r\n0\r\n\r\n", 400),
    (TE + b"-9\r\n" + BODY + b"\r\n0\r\n\r\n", 400),
    (TE + b"ffffffffffffffff\r\n" + BODY + b"\r\n0\r\n\r\n", 400),
    (TE + b"fffffff\r\n" + BODY, 413),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 80 + b"\r\n", 431),
    (b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 9\r\n\r\n" + BODY, 417),
])
def test_what_must_be_refused_is(server, request_bytes, want):
    smuggled = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    got = statuses(server.raw(request_bytes + smuggled, timeout=3))
    if want == 400 and b"%00" in request_bytes or b"/../" in request_bytes or b"magic" in request_bytes:
        assert got[0] == want  # the framing was sound, the next request may be served
    else:
        assert got == [want]


def test_keep_alive_pipelining_and_close(server):
    raw = server.raw(post() * 5 + post(extra=b"Connection: close\r\n"))
    assert statuses(raw) == [200] * 6 and raw.count(b"predict_result") == 6
    assert raw.count(b"Connection: close") == 1
    assert statuses(server.raw(b"GET /livez HTTP/1.0\r\n\r\n")) == [200]


def test_pipelining_beyond_the_buffer(server):
    n = 2000
    raw = server.raw(post() * n + post(extra=b"Connection: close\r\n"), timeout=20)
    assert statuses(raw) == [200] * (n + 1)


def test_chunked_in_many_pieces_and_trailers(server):
    raw = server.raw(TE + b"1;a=b\r\n[\r\n" + b"7\r\n[1,2,3]\r\n1\r\n]\r\n0\r\nTrailer: x\r\n\r\n"
                     + post(extra=b"Connection: close\r\n"))
    assert statuses(raw) == [200, 200]


def test_any_split_of_a_request_gives_the_same(server):
    data = TE + chunked(BODY[:4], BODY[4:])
    for cut in range(1, len(data), 3):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5 * SLOW) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(data[:cut])
            time.sleep(0.001)
            s.sendall(data[cut:])
            assert s.recv(1000).startswith(b"HTTP/1.1 200")


def test_expect_continue_and_head(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5 * SLOW) as s:
        s.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(BODY)
        assert s.recv(1000).startswith(b"HTTP/1.1 200")
    # Too large: told before the body is sent.
    raw = server.raw(b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n")
    assert statuses(raw) == [413]
    raw = server.raw(b"HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert statuses(raw) == [200] and raw.endswith(b"\r\n\r\n") and b"Content-Length: 15" in raw


def test_absolute_form_and_query(server):
    assert statuses(server.raw(b"GET http://x/livez?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == [200]
    assert statuses(server.raw(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == [204]


def test_slow_clients_are_told_and_let_go(server):
    def trickle(first, rest, seconds):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10 * SLOW) as s:
            s.sendall(first)
            end, out = time.monotonic() + seconds * SLOW, b""
            s.settimeout(0.1)
            while time.monotonic() < end:
                try:
                    s.sendall(rest)
                except OSError:
                    pass
                try:
                    more = s.recv(1000)
                    if not more:
                        break
                    out += more
                except socket.timeout:
                    pass
                except ConnectionResetError:
                    break
            return out
    assert statuses(trickle(b"GET /livez HTT", b"", 5)) == [408]
    assert statuses(trickle(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: ", b"a", 5)) == [408]
    assert statuses(trickle(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b" ", 5)) == [408]
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10 * SLOW) as s:
        assert s.recv(10) == b""  # idle
    assert time.monotonic() - began < 8 * SLOW


def test_a_client_that_never_reads_is_let_go(server):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", server.port))
    s.settimeout(10 * SLOW)
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    try:
        for _ in range(400):
            s.sendall(request)
        time.sleep(5)
        s.sendall(request)
        s.sendall(request)
        ended = False
    except OSError:
        ended = True
    s.close()
    assert ended
    assert server.json("GET", "/livez")["status"] == "ok"


def test_large_body_against_the_limit_by_either_framing(server):
    status, _, raw = server.request("POST", "/predict", b"[" + b" " * 200_000 + b"]")
    assert status == 413 and b"--max-body" in raw
    raw = server.raw(TE + chunked(b" " * 65536, b" " * 65536))
    assert statuses(raw) == [413]
    assert server.json("POST", "/predict", json.loads(BODY))["predict_result"]


def test_ten_thousand_idle_connections(server):
    """They cost at most 4 kB each, and nobody else notices."""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(10_000, hard - 500)
    if n < 2000:
        pytest.skip(f"only {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))

    def rss():
        with open(f"/proc/{server.serve_pid()}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    before, idle = rss(), []
    with Server(models.mlp(__import__("pathlib").Path(server.dir.name) / "m.onnx"), "--idle-timeout", "60s") as s:
        pid_before = next(int(x.split()[1]) for x in open(f"/proc/{s.serve_pid()}/status") if x.startswith("VmRSS"))
        try:
            for _ in range(n):
                c = socket.create_connection(("127.0.0.1", s.port))
                c.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                idle.append(c)
            for c in idle:
                assert c.recv(100).startswith(b"HTTP/1.1 200")
            after = next(int(x.split()[1]) for x in open(f"/proc/{s.serve_pid()}/status") if x.startswith("VmRSS"))
            per = (after - pid_before) / n
            print(f"\n{n} idle connections: {per:.2f} kB each")
            if SLOW == 1:
                assert per <= 4
            assert s.json("POST", "/predict", json.loads(BODY))["predict_result"]
        finally:
            for c in idle:
                c.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert before
