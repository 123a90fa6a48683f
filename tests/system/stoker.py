"""Starts the real binary for the system tests and talks to it."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("STOKER_BINARY", str(ROOT / "build/release/stoker"))
# Under a sanitizer everything takes longer; limits are for hangs, not speed.
# Caches and the like of the tests are theirs alone.
STATE = tempfile.TemporaryDirectory(prefix="stoker-state-")
os.environ["STOKER_STATE"] = STATE.name
SLOW = float(os.environ.get("STOKER_SLOW", "1"))


class Server:
    """`stoker serve` with the given arguments, on a port of its own."""

    def __init__(self, *args, wait=True, env=None, monitor=False, binary=BINARY, **popen):
        self.dir = tempfile.TemporaryDirectory(prefix="stoker-test-")
        self.log_path = pathlib.Path(self.dir.name) / "log"
        self.log = open(self.log_path, "wb")
        argv = [binary, "serve", *map(str, args), "--http-port", "0"]
        if not monitor:
            argv.append("--no-monitor")
        if "--lame-duck" not in args:
            argv += ["--lame-duck", "0"]
        popen.setdefault("stdout", subprocess.DEVNULL)
        self.process = subprocess.Popen(argv, stderr=self.log, env={**os.environ, **(env or {})}, **popen)
        self.port = None
        if wait:
            self.await_ready()

    def events(self):
        out = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            try:
                out.append(json.loads(line))
            except ValueError:
                pass
        return out

    def event(self, action):
        return [e for e in self.events() if e["event.action"] == action]

    def await_event(self, action, count=1, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            found = self.event(action)
            if len(found) >= count:
                return found
            time.sleep(0.005)
        raise AssertionError(f"no event {action} in:\n{self.log_path.read_text(errors='replace')}")

    def await_ready(self):
        end = time.monotonic() + max(600, 120 * SLOW)  # for a hang: hundreds of models take a while on a busy machine
        while time.monotonic() < end:
            ready = self.event("server.ready")
            if ready:
                self.port = int(ready[0]["message"].split()[0].rsplit(":", 1)[1])
                return
            if self.process.poll() is not None:
                raise AssertionError(f"stoker ended with {self.process.returncode}:\n"
                                     f"{self.log_path.read_text(errors='replace')}")
            time.sleep(0.005)
        raise AssertionError("stoker was not ready in time")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def serve_pid(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def request(self, method, path, body=None, headers=None, timeout=30):
        """(status, headers with lower-case names, body)."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOW)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
        finally:
            c.close()

    def metric(self, name, **labels):
        """The sum over the series of that name with these labels."""
        total = 0.0
        for line in self.request("GET", "/metrics")[2].decode().splitlines():
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] == name and all(f'{k}="{v}"' in series for k, v in labels.items()):
                total += float(value)
        return total

    def json(self, method, path, body=None, headers=None, status=200):
        got, _, raw = self.request(method, path, body, headers)
        assert got == status, (got, raw)
        return json.loads(raw)

    def raw(self, data, timeout=5, shut=False):
        """Bytes out, all bytes back until the server closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout * SLOW) as s:
            s.sendall(data)
            if shut:
                s.shutdown(socket.SHUT_WR)
            out = b""
            try:
                while True:
                    more = s.recv(65536)
                    if not more:
                        break
                    out += more
            except (socket.timeout, ConnectionResetError):
                pass
            return out

    def stop(self, seconds=40):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.log.close()
        text = self.log_path.read_text(errors="replace")
        self.dir.cleanup()
        report = "\n".join(line for line in text.splitlines() if not line.startswith("{"))
        assert "Sanitizer" not in report, report
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(*args, env=None, stdin=None, timeout=60):
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, timeout=timeout * SLOW,
                          env={**os.environ, **(env or {})}, input=stdin)
