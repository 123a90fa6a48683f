"""This machine's metrics, under node_exporter's names, against what the system itself says."""
import os
import pathlib
import re
import shutil

import pytest

from test_monitor import Monitor

sanitize = pytest.mark.sanitize


@pytest.fixture(scope="module")
def monitor():
    m = Monitor("--interval", "500ms", host=True)
    m.await_value('up{job="host"}', 1)
    yield m
    m.stop()


def value(monitor, query):
    result = monitor.query(query)
    assert len(result) == 1, (query, result)
    return float(result[0]["value"][1])


@sanitize
def test_every_collector_works_or_has_a_reason(monitor):
    failed = {r["metric"]["collector"] for r in monitor.query("node_scrape_collector_success == 0")}
    reasons = {"pressure": not os.path.exists("/proc/pressure/cpu"), "diskstats": not os.path.exists("/proc/diskstats")}
    assert all(reasons.get(name) for name in failed), failed
    assert value(monitor, "count(node_scrape_collector_success)") == 13


@sanitize
def test_memory_and_processors(monitor):
    info = dict(re.findall(r"^(\w+):\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M))
    assert value(monitor, "node_memory_MemTotal_bytes") == int(info["MemTotal"]) * 1024
    assert value(monitor, "node_memory_Active_anon_bytes") > 0
    cpus = len(re.findall(r"^cpu\d", pathlib.Path("/proc/stat").read_text(), re.M))
    assert value(monitor, 'count(node_cpu_seconds_total{mode="idle"})') == cpus
    assert value(monitor, 'count(count by (mode) (node_cpu_seconds_total))') == 8
    assert value(monitor, "node_boot_time_seconds") < value(monitor, "node_time_seconds")
    assert value(monitor, "node_load1") >= 0 and value(monitor, "node_filefd_maximum") > 0


@sanitize
def test_file_systems(monitor):
    size, _, free = shutil.disk_usage("/")
    assert value(monitor, 'max(node_filesystem_size_bytes{mountpoint="/"})') == size
    assert abs(value(monitor, 'max(node_filesystem_avail_bytes{mountpoint="/"})') - free) < 2 ** 31
    assert monitor.query('node_filesystem_size_bytes{mountpoint=~"/proc.*|/sys.*"}') == []


@sanitize
def test_network_and_name(monitor):
    devices = {line.split(":")[0].strip() for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]}
    got = {r["metric"]["device"] for r in monitor.query("node_network_receive_bytes_total")}
    assert got == devices
    labels = monitor.query("node_uname_info")[0]["metric"]
    u = os.uname()
    assert (labels["nodename"], labels["release"], labels["machine"], labels["sysname"]) == (u.nodename, u.release,
                                                                                            u.machine, u.sysname)
    assert labels["job"] == "host" and labels["instance"] == u.nodename


def test_the_doctor_comes_by():
    """Its findings are metrics; the series stay between its visits."""
    m = Monitor("--interval", "500ms", "--doctor-interval", "2s", host=True)
    try:
        m.await_value('count(stoker_doctor_check{job="doctor"}) > bool 100', 1)
        m.await_value('up{job="doctor"}', 1)
        checks = {v["metric"]["check"]: float(v["value"][1]) for v in m.query("stoker_doctor_check")}
        assert checks["storage.space"] in (0, 1, 2, 3) and set(checks.values()) <= {0, 1, 2, 3}
    finally:
        m.stop()
    m = Monitor("--interval", "500ms", "--doctor-interval", "0s", host=True)
    try:
        m.await_value('up{job="host"}', 1)
        assert not m.query('up{job="doctor"}')
    finally:
        m.stop()
