"""The monitor's history: what is there after a restart, a kill, damage, a full disk."""
import pathlib
import random
import resource
import subprocess
import tempfile
import time

import pytest

from stoker import BINARY, SLOW
from test_monitor import Monitor, Target

sanitize = pytest.mark.sanitize


@pytest.fixture
def target():
    t = Target()
    t.text = "requests_total 1\ntemp{gpu=\"0\"} 55.5\n"
    yield t
    t.stop()


@pytest.fixture
def data():
    with tempfile.TemporaryDirectory(prefix="stoker-data-") as name:
        yield pathlib.Path(name)


def start(target, data, *args):
    return Monitor("--interval", "100ms", *args, f"app=http://{target.address}/metrics", data=data)


def samples(monitor):
    """Time and value of every sample of the counter, which counts scrapes."""
    result = monitor.query("requests_total[1h]")
    return [(float(t), float(v)) for t, v in result[0]["values"]] if result else []


def await_samples(monitor, n):
    end = time.monotonic() + 30 * SLOW
    while time.monotonic() < end:
        if len(samples(monitor)) >= n:
            return
        time.sleep(0.05)
    raise AssertionError(f"{len(samples(monitor))} samples, not {n}")


@sanitize
def test_history_is_there_after_a_restart(target, data):
    m = start(target, data)
    await_samples(m, 5)
    m.stop()
    target.stop()  # what comes now was there before
    m = start(target, data)
    assert len(samples(m)) >= 5
    assert m.events("tsdb.recovered")
    m.stop()


@sanitize
def test_a_killed_monitor_loses_a_second_at_most(target, data):
    had = []
    for _ in range(8):
        m = start(target, data)
        there = samples(m)
        assert all(s in there for s in had)
        await_samples(m, len(there) + 15)
        time.sleep(random.random() * 0.3)
        had = samples(m)
        at = time.time()
        m.kill()
        had = [s for s in had if s[0] < at - 1.2 * SLOW]
    assert had


@sanitize
def test_what_is_damaged_is_set_aside(target, data):
    m = start(target, data)
    await_samples(m, 20)
    m.stop()
    logs = list(data.glob("wal-*"))
    assert len(logs) == 1
    content = bytearray(logs[0].read_bytes())
    content[len(content) * 2 // 3] ^= 1
    logs[0].write_bytes(content)
    m = start(target, data)
    m.await_event("tsdb.damaged")
    m.await_event("tsdb.set_aside")
    assert len(samples(m)) > 3
    assert (data / (logs[0].name + ".damaged")).read_bytes() == content
    m.stop()


@sanitize
def test_a_full_disk_is_told_and_waited_for(target, data):
    m = start(target, data)
    await_samples(m, 2)
    unlimited = resource.prlimit(m.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(m.process.pid, resource.RLIMIT_FSIZE, (1024, unlimited[1]))
    m.await_event("tsdb.write_failed")
    n = len(samples(m))
    await_samples(m, n + 5)  # queries go on, and so does the memory
    resource.prlimit(m.process.pid, resource.RLIMIT_FSIZE, unlimited)
    m.await_event("tsdb.write_resumed")
    had = samples(m)
    m.stop()
    m = start(target, data)
    there = samples(m)
    assert all(s in there for s in had)
    m.stop()


def test_a_directory_has_one_monitor(target, data):
    m = start(target, data)
    r = subprocess.run([BINARY, "monitor", "--port", "0", "--data", data], capture_output=True, text=True,
                       timeout=30 * SLOW)
    assert r.returncode == 5 and "in use by another process" in r.stderr
    m.stop()


def test_no_history_leaves_nothing(target, data):
    m = start(target, data, "--no-history")
    await_samples(m, 3)
    m.stop()
    assert list(data.iterdir()) == []
