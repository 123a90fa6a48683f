"""`stoker up`: what stoker.yaml says runs, goes on running, is replaced without a lost request, and ends with all that came from it."""
import gzip
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

import pytest

from stoker import BINARY, ROOT, SLOW

pytestmark = pytest.mark.one_thread
IRIS = ROOT / "examples/iris.onnx"
MONITOR = "monitor: {port: 0, no_gpu: true, doctor_interval: 0}\n"  # the least that runs


class Up:
    """A Stoker of its own state, from that text."""

    def __init__(self, folder, text):
        self.folder, self.file = folder, folder / "stoker.yaml"
        self.env = {**os.environ, "STOKER_STATE": str(folder / "state"), "LC_ALL": "C.UTF-8",
                    "STOKER_ORT": str(ROOT / "deps/onnxruntime/libonnxruntime.so.1")}
        self.write(text)

    def write(self, text):
        self.file.write_text(text)

    def stoker(self, *args, binary=BINARY, timeout=300):
        return subprocess.run([os.path.abspath(binary), *map(str, args)], capture_output=True, text=True, timeout=timeout, env=self.env, cwd=self.folder)

    def up(self, want=0):
        r = self.stoker("up", "-d", "-c", self.file)
        assert r.returncode == want, r.stderr + self.log("stoker")
        return self

    def status(self):
        r = self.stoker("status", "--json")
        assert r.returncode in (0, 21), r.stderr
        return json.loads(r.stdout)

    def unit(self, name):
        return next(u for u in self.status()["units"] if u["name"] == name)

    def await_unit(self, name, look, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            u = self.unit(name)
            if look(u):
                return u
            time.sleep(0.05)
        raise AssertionError(f"{u}\n{self.log('stoker')}\n{self.log(name)}")

    def log(self, name):
        path = self.folder / f"state/logs/{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def await_log(self, name, text, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while text not in self.log(name):
            assert time.monotonic() < end, f"no {text!r} in {self.log(name)!r}\n{self.log('stoker')}"
            time.sleep(0.02)

    def events(self, action):
        return [e for e in map(json.loads, self.log("stoker").splitlines()) if e["event.action"] == action]

    def down(self):
        r = self.stoker("down")
        assert r.returncode in (0, 11), r.stderr
        for name in ("stoker", *[p.stem for p in (self.folder / "state/logs").glob("*.log")]):
            assert "Sanitizer" not in self.log(name)


@pytest.fixture
def up(tmp_path):
    made = []

    def make(text):
        made.append(Up(tmp_path, text))
        return made[-1]
    yield make
    for u in made:
        u.down()
    left = [p for p in processes() if str(tmp_path) in p[1]]
    assert not left, left


def processes():
    """Pid and environment of everything that runs."""
    out = []
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            out.append((int(p.name), (p / "environ").read_bytes().decode(errors="replace")))
        except OSError:
            pass
    return out


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def command(text):
    return json.dumps(["sh", "-c", text])


# ---- the life of a service --------------------------------------------------------


@pytest.mark.sanitize
def test_up_status_down(up):
    u = up(MONITOR + f"services:\n  a: {{command: {command('echo $GREETING; echo oops >&2; pwd; exec sleep 1000')}, environment: {{GREETING: 'hi, there'}}}}\n").up()
    a = u.unit("a")
    assert a["state"] == "ready" and a["restarts"] == 0 and alive(a["pid"])
    u.await_log("a", str(u.folder))
    assert u.log("a").splitlines()[:2] == ["hi, there", "oops"]
    shown = u.stoker("status").stdout
    assert re.search(r"(?m)^a +ready +\d+ ", shown) and re.search(r"(?m)^monitor +ready", shown)
    again = u.stoker("up", "-d", "-c", u.file)
    assert again.returncode == 5 and "runs already" in again.stderr
    r = u.stoker("down", "a")
    assert r.returncode == 0 and not alive(a["pid"]) and u.unit("a")["state"] == "stopped"
    r = u.stoker("restart", "a")
    assert r.returncode == 0 and u.unit("a")["state"] == "ready"
    pid = u.unit("a")["pid"]
    assert u.stoker("down", "nobody").returncode == 4
    master = u.status()["pid"]
    assert u.stoker("down").returncode == 0
    assert not alive(pid) and not alive(master)
    assert u.stoker("status").returncode == 11


def test_exits_by_policy(up):
    u = up(MONITOR + "services:\n"
           f"  once: {{command: 'true', restart: on-failure}}\n"
           f"  never: {{command: {command('exit 3')}, restart: never}}\n"
           f"  fine: {{command: {command('exit 3')}, restart: on-failure, success_status: '2,3'}}\n"
           f"  again: {{command: {command('echo run; exit 3')}, restart: on-failure, restart_delay: 10ms, restart_delay_max: 20ms}}\n"
           f"  tired: {{command: {command('exit 1')}, restart_delay: 1ms, restart_limit: 3}}\n"
           f"  nothing: {{command: /no/such/program, restart: never}}\n").up(want=20)
    u.await_unit("again", lambda x: x["restarts"] >= 5)
    states = {x["name"]: x["state"] for x in u.status()["units"]}
    assert (states["once"], states["never"], states["fine"], states["tired"], states["nothing"]) == ("done", "failed", "done", "failed", "failed")
    assert u.unit("tired")["restarts"] == 3 and u.events("service.failed")
    assert u.stoker("status").returncode == 21
    why = {n: u.stoker("why", n).stdout for n in ("never", "again", "nothing")}
    assert "it exited by itself with status 3." in why["never"]
    assert why["again"].rstrip().endswith("run")
    assert "could not be started" in why["nothing"] and "No such file or directory" in why["nothing"]


@pytest.mark.sanitize
def test_why_tells_signals_and_the_last_lines(up):
    u = up(MONITOR + "services:\n"
           f"  segv: {{command: {command('echo before; kill -SEGV $$')}, restart: never}}\n"
           f"  disk: {{command: {command('echo write: No space left on device; exit 1')}, restart: never}}\n").up(want=20)
    said = u.stoker("why", "segv").stdout
    assert "signal SIGSEGV ended it, a mistake in the program" in said and "    before\n" in said
    assert "speak of a full disk" in u.stoker("why", "disk").stdout
    got = json.loads(u.stoker("why", "segv", "--json").stdout)
    assert got["signal"] == 11 and got["lines"] == ["before"] and got["cause"] == "itself"
    assert "被信号 SIGSEGV 终止" in subprocess.run([os.path.abspath(BINARY), "why", "segv"], capture_output=True, text=True, env={**u.env, "LC_ALL": "zh_CN.UTF-8"}).stdout
    assert u.stoker("why", "monitor").returncode == 4


def test_why_knows_what_the_kernel_said_of_the_process(up, tmp_path):
    u = up(MONITOR + f"services:\n  gpu: {{command: {command('exit 1')}, restart: never}}\n  big: {{command: {command('kill -9 $$')}, restart: never}}\n").up(want=20)
    pid = {n: json.loads(u.stoker("why", n, "--json").stdout)["pid"] for n in ("gpu", "big")}
    other = tmp_path / "machine"
    (other / "var/log").mkdir(parents=True)
    (other / "var/log/kern.log").write_text(f"kernel: NVRM: Xid (PCI:0000:1b:00): 31, pid={pid['gpu']}, name=python, Ch 00000008\n"
                                            f"kernel: Out of memory: Killed process {pid['big']} (sh) total-vm:1kB\n")
    assert "XID 31" in u.stoker("why", "gpu", "--root", other).stdout
    assert "the machine had no memory left" in u.stoker("why", "big", "--root", other).stdout


@pytest.mark.sanitize
def test_the_whole_tree_is_ended(up, tmp_path):
    """Children that ignore SIGTERM, and those that went away into a session of their own."""
    pids = tmp_path / "pids"
    script = tmp_path / "tree.sh"
    script.write_text(f"trap '' TERM\nsetsid sh -c 'trap \"\" TERM; echo $$ >> {pids}; sleep 1000; true' &\nsleep 1000 & echo $! >> {pids}\necho $$ >> {pids}\n"
                      "echo up\nwait\nwait\nsleep 1000\n")
    u = up(MONITOR + f"services: {{t: {{command: sh {script}, stop_timeout: 300ms}}}}\n").up()
    u.await_log("t", "up")
    time.sleep(0.3)
    tree = list(map(int, pids.read_text().split()))
    assert len(tree) == 3 and all(map(alive, tree))
    assert u.stoker("restart", "t").returncode == 0
    assert not any(map(alive, tree))
    u.await_log("t", "signal 9 (SIGKILL)")


def test_it_starts_in_the_order_of_readiness(up, tmp_path):
    """By a file, a port, an answer, sd_notify; and ends the other way round."""
    server = tmp_path / "server.py"
    server.write_text("import http.server, sys, time\ntime.sleep(0.3)\nprint('listens', flush=True)\n"
                      "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()\n")
    notify = tmp_path / "notify.py"
    notify.write_text("import os, socket, time\ntime.sleep(0.3)\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\na = os.environ['NOTIFY_SOCKET']\n"
                      "s.sendto(b'STATUS=nearly\\nREADY=1\\n', '\\0' + a[1:])\ntime.sleep(1000)\n")
    port, other = free_port(), free_port()
    u = up(MONITOR + "services:\n"
           f"  last: {{command: sleep 1000, after: [told]}}\n"
           f"  told: {{command: /usr/bin/python3 {notify}, ready_notify: true, after: [http, tcp]}}\n"
           f"  http: {{command: /usr/bin/python3 -u {server} {port}, ready_http: 'http://127.0.0.1:{port}/', after: file}}\n"
           f"  tcp: {{command: /usr/bin/python3 -u {server} {other}, ready_tcp: '127.0.0.1:{other}', after: file}}\n"
           f"  file: {{command: {command('sleep 0.3; touch here; exec sleep 1000')}, ready_file: here}}\n").up()
    order = [e["message"].split()[0][8:] for e in u.events("service.ready")]
    assert order[0] == "file" and set(order[1:3]) == {"http", "tcp"} and order[3:] == ["told", "last"]
    started = {e["message"].split()[0][8:]: e["@timestamp"] for e in u.events("service.started")}
    ready = {e["message"].split()[0][8:]: e["@timestamp"] for e in u.events("service.ready")}
    for a, b in [("file", "http"), ("file", "tcp"), ("http", "told"), ("tcp", "told"), ("told", "last")]:
        assert ready[a] <= started[b]
    assert u.unit("told")["status"] == "nearly"
    u.down()
    ended = [e["message"].split()[0][8:] for e in u.events("service.stopped")]
    assert ended[:2] == ["last", "told"] and ended[-1] == "file"


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_one_that_is_not_ready_in_time_or_answers_no_more_is_restarted(up, tmp_path):
    port = free_port()
    server = tmp_path / "server.py"
    server.write_text("import http.server, sys\nclass H(http.server.BaseHTTPRequestHandler):\n  n = 0\n  def do_GET(self):\n    H.n += 1\n"
                      "    self.send_response(200 if H.n < 4 else 500)\n    self.end_headers()\n"
                      f"http.server.HTTPServer(('127.0.0.1', {port}), H).serve_forever()\n")
    u = up(MONITOR + "services:\n"
           f"  slow: {{command: sleep 1000, ready_tcp: '127.0.0.1:1', ready_timeout: 300ms, restart_delay: 10ms, restart_delay_max: 10ms}}\n"
           f"  sick: {{command: /usr/bin/python3 {server}, ready_http: 'http://127.0.0.1:{port}/', health_http: 'http://127.0.0.1:{port}/', health_every: 100ms, health_failures: 2}}\n")
    u.up(want=20)
    assert u.await_unit("slow", lambda x: x["restarts"] >= 2)["last_death"]["cause"] == "not-ready"
    assert "not ready in time" in u.stoker("why", "slow").stdout
    assert u.await_unit("sick", lambda x: x["restarts"] >= 1)["last_death"]["cause"] == "unhealthy"
    assert "did not answer its health check" in u.stoker("why", "sick").stdout


def test_environment_user_and_directory(up, tmp_path):
    there = pathlib.Path(tempfile.mkdtemp(prefix="stoker-there-"))
    there.chmod(0o755)
    (tmp_path / "secrets").write_text("# a comment\nTOKEN=\"s3 cret\"\nEMPTY=\nOTHER='x'\n")
    if os.geteuid() != 0:
        pytest.skip("another user needs root")
    u = up(MONITOR + "services:\n"
           f"  a: {{command: {command('echo $TOKEN/$EMPTY/$OTHER; id -un; pwd; echo $HOME; cat; exec sleep 1000')}, environment_file: secrets, user: nobody, directory: {there}}}\n").up()
    u.await_log("a", "nonexistent")
    u.stoker("down", "a")
    assert u.log("a").splitlines()[:4] == ["s3 cret//x", "nobody", str(there), "/nonexistent"]
    there.rmdir()
    assert "s3 cret" not in u.stoker("config", "show", "-c", u.file).stdout


def test_a_thousand_restarts_leave_nothing_behind(up):
    u = up(MONITOR + "services: {a: {command: 'true', restart_delay: 0}}\n")
    u.stoker("up", "-d", "-c", u.file)
    master = u.status()["pid"]
    u.await_unit("a", lambda x: x["restarts"] > 20)

    def count():
        return len(os.listdir(f"/proc/{master}/fd")), [p for p in pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split() if not alive(int(p))]
    before = count()[0]
    u.await_unit("a", lambda x: x["restarts"] > 1000, seconds=120)
    fds, zombies = count()
    assert abs(fds - before) <= 3 and len(zombies) <= 1


# ---- the death of the master --------------------------------------------------------


@pytest.mark.sanitize
def test_when_the_master_is_killed_services_end_or_are_taken_over(up):
    u = up(MONITOR + "services:\n"
           f"  ends: {{command: {command('(trap : TERM; while :; do sleep 1; done) & while :; do sleep 1; done')}}}\n"
           f"  stays: {{command: {command('i=0; while :; do echo line $i; i=$((i+1)); sleep 0.1; done')}, outlives: true}}\n").up()
    u.await_log("stays", "line 3")
    ends, stays, master = u.unit("ends")["pid"], u.unit("stays")["pid"], u.status()["pid"]
    monitor = u.unit("monitor")["pid"]
    os.kill(master, signal.SIGKILL)
    end = time.monotonic() + 20 * SLOW
    while (alive(ends) or alive(monitor)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(ends) and alive(stays)
    assert u.stoker("status").returncode == 11
    u.up()
    assert u.unit("stays")["pid"] == stays and u.unit("ends")["pid"] != ends
    assert len([p for p, env in processes() if f"/ends\0" in env + "\0" and str(u.folder) in env]) <= 4
    n = int(re.findall(r"line (\d+)", u.log("stays"))[-1])
    u.await_log("stays", f"line {n + 3}")
    lines = list(map(int, re.findall(r"line (\d+)", u.log("stays"))))
    assert lines == list(range(len(lines)))  # nothing of its output was lost
    os.kill(stays, signal.SIGKILL)
    u.await_unit("stays", lambda x: x["state"] == "ready" and x["pid"] != stays)


@pytest.mark.parametrize("round_", range(4))
def test_killed_at_any_time_the_next_one_is_right(up, round_):
    """The master dies while it starts, restarts and ends things; the next one has one process of each, and no other."""
    u = up(MONITOR + "services:\n" + "".join(f"  s{i}: {{command: {command(f'sleep 1000 & echo $$; wait; sleep 1000')}, outlives: {'true' if i % 2 else 'false'}}}\n" for i in range(4)))
    for moment in (0.03, 0.1, 0.2, 0.35):
        starter = subprocess.Popen([os.path.abspath(BINARY), "up", "-d", "-c", u.file], env=u.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment * (1 + round_ / 3) * SLOW)
        if moment > 0.3:
            subprocess.Popen([os.path.abspath(BINARY), "restart"], env=u.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(60 * SLOW) if round_ % 2 else u.stoker("down", "s1", "s2")
        for pid, env in processes():
            if str(u.folder) in env and "STOKER_UNIT" not in env and b"stoker: master" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        starter.wait(60)
    u.up()
    time.sleep(0.5)
    for i in range(4):
        unit = u.unit(f"s{i}")
        assert unit["state"] == "ready"
        mine = [p for p, env in processes() if f"/s{i}\0" in env and str(u.folder) in env and alive(p)]
        assert unit["pid"] in mine and len(mine) == 2, (i, mine, u.log("stoker"))


# ---- replaced without a lost request ---------------------------------------------------


def load(port, seconds, folder):
    """A load generator that counts what went wrong."""
    script = folder / "post.lua"
    script.write_text("wrk.method='POST'; wrk.body='[[5.1,3.5,1.4,0.2]]'; wrk.headers['Content-Type']='application/json'\n")
    return subprocess.Popen(["wrk", "-t1", "-c16", f"-d{seconds}", "--timeout", "30", "-s", script, f"http://127.0.0.1:{port}/predict"], stdout=subprocess.PIPE, text=True)


def test_reload_restart_and_upgrade_lose_no_request(up, tmp_path):
    text = MONITOR + f"models: {{iris: {IRIS}}}\nserve: {{http_port: 0, max_batch: %d}}\nservices: {{s: sleep 1000}}\n"
    u = up(text % 10).up()
    port, serve, s = u.status()["port"], u.unit("serve")["pid"], u.unit("s")["pid"]
    copy = tmp_path / "stoker-new"
    copy.write_bytes(pathlib.Path(BINARY).read_bytes())
    copy.chmod(0o755)
    generator = load(port, 15, tmp_path)
    seen = {serve}
    for i in range(3):
        u.write(text % (20 + i))
        r = u.stoker("reload")
        assert r.returncode == 0 and "in force" in r.stdout, r.stderr
        seen.add(u.unit("serve")["pid"])
    assert u.stoker("restart", "serve").returncode == 0
    seen.add(u.unit("serve")["pid"])
    master = u.status()["pid"]
    r = u.stoker("upgrade", copy)
    assert r.returncode == 0, r.stderr
    seen.add(u.unit("serve")["pid"])
    assert len(seen) == 6
    now = u.status()
    assert now["pid"] == master and now["generation"] == 1 and os.readlink(f"/proc/{master}/exe") == str(copy)
    assert u.unit("s")["pid"] == s  # services stay
    said = generator.communicate(timeout=120)[0]
    assert int(re.search(r"(\d+) requests in", said)[1]) > 1000 and "Socket errors" not in said and "Non-2xx" not in said, said
    # One that cannot serve: the process from before goes on.
    pid = u.unit("serve")["pid"]
    u.write((text % 22).replace("http_port: 0", "http_port: 0, ort: /dev/null"))
    r = u.stoker("upgrade", copy)
    assert r.returncode == 21 and u.unit("serve")["pid"] == pid, r.stderr
    # What is no Stoker is not run.
    r = u.stoker("upgrade", "/bin/true")
    assert r.returncode == 2 and "nothing was changed" in r.stderr
    assert u.unit("s")["pid"] == s


@pytest.mark.sanitize
def test_a_bad_file_is_refused_and_the_old_one_stays(up):
    text = MONITOR + f"models: {{iris: {IRIS}}}\nserve: {{http_port: 0}}\nservices: {{s: sleep 1000}}\n"
    u = up(text).up()
    port, serve, s = u.status()["port"], u.unit("serve")["pid"], u.unit("s")["pid"]
    u.write(text + "servces: {}\n")
    r = u.stoker("reload")
    assert r.returncode == 2 and "did you mean 'services'" in r.stderr and "stay in force" in r.stderr
    # A file that can be read, whose model cannot be served.
    bad = u.folder / "bad.onnx"
    bad.write_bytes(b"no model")
    u.write(text.replace(str(IRIS), str(bad)).replace("sleep 1000", "sleep 999"))
    r = u.stoker("reload")
    assert r.returncode == 2 and "bad.onnx" in r.stderr
    assert (u.unit("serve")["pid"], u.unit("s")["pid"]) == (serve, s)
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready").status == 200
    assert "refused" in u.stoker("status").stdout
    # SIGHUP is the same.
    u.write(text.replace("sleep 1000", "sleep 998"))
    os.kill(u.status()["pid"], signal.SIGHUP)
    u.await_unit("s", lambda x: x["state"] == "ready" and x["pid"] != s)
    assert u.unit("serve")["pid"] == serve
    # What only a restart can change is named; services come and go.
    u.write(text.replace("http_port: 0", "http_port: 1").replace("s: sleep 1000", "t: sleep 1000"))
    r = u.stoker("reload")
    assert r.returncode == 20 and "serve.http_port" in r.stderr
    u.await_unit("t", lambda x: x["state"] == "ready")
    end = time.monotonic() + 20 * SLOW
    while any(x["name"] == "s" for x in u.status()["units"]):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_changed_service_is_asked_to_end_before_the_next_one_starts(up):
    script = "trap 'echo bye; sleep 0.3; echo gone; exit 0' TERM; echo up NUMBER; while :; do sleep 0.05; done"
    text = MONITOR + f"services: {{a: {{command: {command(script)}}}}}\n"
    u = up(text.replace("NUMBER", "1")).up()
    u.await_log("a", "up 1")
    u.write(text.replace("NUMBER", "2"))
    assert u.stoker("reload").returncode == 0
    u.await_log("a", "up 2")
    assert re.search(r"up 1\nbye\ngone\nstoker: a \(pid \d+\) ended: exit status 0\nup 2", u.log("a")), u.log("a")


# ---- logs ------------------------------------------------------------------------------


def test_every_line_once_through_rotation_with_a_reader(up, tmp_path):
    """200,000 lines as fast as they come, in files of 100 KiB, compressed, while they are followed."""
    n = 200000
    u = up(MONITOR + "logs: {rotate_size: 100K, keep: 1000}\n"
           f"services: {{flood: {{command: {command(f'sleep 1; seq -f %.0f-of-the-flood 1 {n}; echo the-end; exec sleep 1000')}}}}}\n").up()
    got = open(tmp_path / "got", "w+")
    reader = subprocess.Popen([os.path.abspath(BINARY), "logs", "-f", "-c", u.file, "flood"], stdout=got, env=u.env)
    end = time.monotonic() + 60 * SLOW
    while "the-end" not in (tmp_path / "got").read_text()[-200:]:
        assert time.monotonic() < end
        time.sleep(0.1)
    reader.terminate()
    reader.wait()
    want = [f"{i}-of-the-flood" for i in range(1, n + 1)]
    assert (tmp_path / "got").read_text().split("\n")[:n] == want
    logs = u.folder / "state/logs"
    end = time.monotonic() + 30 * SLOW
    while list(logs.glob("flood-*.log")):
        assert time.monotonic() < end, "what was put aside is compressed"
        time.sleep(0.1)
    aside = sorted(logs.glob("flood-*.log.gz"), key=lambda p: p.name[-13:])
    assert len(aside) > 20
    text = b"".join(gzip.decompress(p.read_bytes()) for p in aside).decode() + u.log("flood")
    assert text.split("\n")[:n] == want
    assert all(gzip.decompress(p.read_bytes()).endswith(b"\n") for p in aside)
    assert u.stoker("logs", "flood", "--lines", "2", "-c", u.file).stdout == f"{n}-of-the-flood\nthe-end\n"


def test_logs_are_filtered_and_only_so_many_are_kept(up):
    line = '{"@timestamp":"%s","log.level":"%s","message":"m","labels":{"model":"iris"}}'
    lines = [line % ("2026-01-01T00:00:00.000Z", "info"), line % ("2026-01-02T00:00:00.000Z", "error"), "no JSON"]
    u = up(MONITOR + "logs: {rotate_size: 4K, keep: 3, no_compress: true}\n"
           f"services:\n  a: {{command: {json.dumps(['printf', '%s' + chr(92) + 'n', *lines])}, restart: never}}\n"
           f"  b: {{command: {command('seq 1 20000; exec sleep 1000')}}}\n").up()
    u.await_log("b", "20000")
    assert u.stoker("logs", "a", "--level", "error").stdout == lines[1] + "\n"
    assert lines[0] not in u.stoker("logs", "a", "--since", "2026-01-01T12:00:00Z").stdout
    assert u.stoker("logs", "a", "--contains", "JSON").stdout == "no JSON\n"
    got = [json.loads(x) for x in u.stoker("logs", "a", "--json").stdout.splitlines()]
    assert got[0]["line"]["log.level"] == "info" and got[2] == {"service": "a", "line": "no JSON"}
    assert "b | 20000" in u.stoker("logs").stdout
    end = time.monotonic() + 20 * SLOW
    while len(list((u.folder / "state/logs").glob("b-*"))) > 3:
        assert time.monotonic() < end
        time.sleep(0.1)
    r = u.stoker("logs", "../etc")
    assert r.returncode == 4


@pytest.mark.sanitize
def test_a_log_that_is_killed_is_written_on(up):
    """The processes that write the logs are killed, also the one of Stoker's own; nothing stops, and the next lines arrive."""
    u = up(MONITOR + f"services: {{a: {{command: {command('i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done')}}}}}\n").up()
    u.await_log("a", "line 3")
    loggers = [p for p, env in processes() if str(u.folder) in env and pathlib.Path(f"/proc/{p}/comm").read_text().startswith("stoker: log")]
    assert len(loggers) == 2
    for p in loggers:
        os.kill(p, signal.SIGKILL)
    n = int(re.findall(r"line (\d+)", u.log("a"))[-1])
    u.await_log("a", f"line {n + 20}")
    assert u.stoker("restart", "a").returncode == 0
    u.await_log("stoker", '"service.stopped"')


def test_limits_are_set_or_said(up):
    """Where groups can be made the service is in one of its own; a limit that cannot be is an error."""
    u = up(MONITOR + "services:\n  a: {command: sleep 1000}\n  b: {command: sleep 1000, memory: 64M, restart: never}\n")
    r = u.stoker("up", "-d", "-c", u.file)
    a, b = u.unit("a"), u.unit("b")
    groups = pathlib.Path(f"/proc/{a['pid']}/cgroup").read_text()
    if r.returncode == 0:
        limits = [p for p in pathlib.Path("/sys/fs/cgroup").rglob("stoker-*-b/memory.max") if p.read_text() == f"{64 << 20}\n"]
        assert b["state"] == "ready" and limits
    else:
        assert b["state"] == "failed" and "limits need cgroup v2" in u.stoker("why", "b").stdout
    if re.search(r"(?m)^0::.*/stoker-[0-9a-f]+-a$", groups):
        name = re.search(r"stoker-[0-9a-f]+-a$", groups, re.M)[0]
        u.down()
        assert not list(pathlib.Path("/sys/fs/cgroup").rglob(name)), "the group is gone with the service"


# ---- as the first process --------------------------------------------------------------


def test_as_the_first_process_of_a_container(tmp_path):
    """It reaps what others left, passes signals on, and prints the output of services."""
    if subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode:
        pytest.skip("there may be no process spaces here")
    file = tmp_path / "stoker.yaml"
    file.write_text(MONITOR + f"services: {{a: {{command: {command('(sleep 0.2 &) ; (sleep 0.3 &); echo hello; exec sleep 1000')}}}}}\n")
    p = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", os.path.abspath(BINARY), "up", "-c", str(file)], stderr=subprocess.PIPE, text=True,
                         env={**os.environ, "STOKER_STATE": str(tmp_path / "state")})
    children = pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children")
    end = time.monotonic() + 30 * SLOW
    while "hello" not in ((tmp_path / "state/logs/a.log").read_text() if (tmp_path / "state/logs/a.log").exists() else ""):
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(1)
    first = int(children.read_text().split()[0])
    under = pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()
    assert all(alive(int(x)) for x in under), "it has reaped what it was given"
    os.kill(first, signal.SIGTERM)
    said = p.communicate(timeout=60 * SLOW)[1]
    assert "a | hello" in said and p.returncode == 0


# ---- the manual --------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["config", "services"])
def test_the_examples_of_the_manual(up, tmp_path, page):
    """One after the other, as a reader would."""
    u = up(MONITOR)
    u.file.unlink()
    (tmp_path / "iris.onnx").write_bytes(IRIS.read_bytes())
    os.symlink(os.path.abspath(BINARY), tmp_path / "stoker")
    blocks = re.findall(r"```sh\n(.*?)```\n\n```text\n(.*?)```", (ROOT / f"docs/manual/{page}.md").read_text(), re.S)
    assert len(blocks) >= 2
    for text, want in blocks:
        r = subprocess.run(["sh", "-ec", text], cwd=tmp_path, capture_output=True, text=True, env={**u.env, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, timeout=300)
        pattern = re.escape(want.strip()).replace(re.escape("..."), ".*")
        said = "\n".join(line.rstrip() for line in r.stdout.strip().splitlines())
        assert r.returncode == 0 and re.fullmatch(pattern, said, re.S), (text, r.stdout, r.stderr)
