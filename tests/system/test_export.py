"""What `stoker export` writes: taken by the tools it is for, and every query of the dashboards has an answer."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import pytest

from peers import PrometheusPeer
from stoker import BINARY, ROOT, SLOW
from test_gpu import FIXTURES, LIBRARY
from test_monitor import Monitor
from test_together import Both, mlp  # noqa: F401: a fixture

sanitize = pytest.mark.sanitize


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-export-") as name:
        yield pathlib.Path(name)


def export(folder, what, *args, **env):
    r = subprocess.run([BINARY, "export", what, "-o", folder / what, *args], capture_output=True, text=True,
                       timeout=30 * SLOW, env={**os.environ, **env})
    assert r.returncode == 0, r.stderr
    files = [pathlib.Path(line) for line in r.stdout.splitlines()]
    assert files and all(f.is_file() for f in files)
    return files


def queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "5s")
            yield panel["title"], re.sub(r"\$\w+", ".*", text)


# What this machine, or a model that runs inline and is not refused anything, has not.
MAY_BE_EMPTY = {"Turned away", "Pressure", "Alerts", "XIDs", "Disk traffic", "Disk space used", "Where the time goes"}


@sanitize
def test_every_query_of_the_dashboards_has_an_answer(mlp, folder, monkeypatch):  # noqa: F811
    monkeypatch.setenv("STOKER_NVML", str(LIBRARY))
    monkeypatch.setenv("FAKE_NVML", str(FIXTURES / "eight.txt"))
    files = export(folder, "grafana")
    dashboards = [json.loads(f.read_text()) for f in files if f.suffix == ".json"]
    assert [d["uid"] for d in dashboards] == ["stoker-service", "stoker-gpu", "stoker-host"]
    with Both(mlp, folder) as s:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            s.request("POST", "/predict", [[1.0, 2.0, 3.0]])
        s.await_value("count(DCGM_FI_PROF_PIPE_TENSOR_ACTIVE)", 8)
        asked = 0
        for dashboard in dashboards:
            for title, query in queries(dashboard):
                result = s.query(query)
                assert result or title in MAY_BE_EMPTY, (title, query)
                asked += 1
            for variable in dashboard["templating"]["list"]:
                metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
                values = s.request(f"/api/v1/label/{label}/values?match[]={metric}")[1]["data"]
                assert values, variable["query"]
        assert asked > 40


def test_dashboards_in_chinese(folder):
    files = export(folder, "grafana", LC_ALL="zh_CN.UTF-8")
    titles = [p["title"] for f in files if f.suffix == ".json" for p in json.loads(f.read_text())["panels"]]
    assert "显存使用" in titles and not any(re.fullmatch(r"[A-Za-z ]{6,}", t) for t in titles)
    # Words of legends too; names that the field has are the same in all languages.
    for file in folder.glob("**/*.json"):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                words = re.sub(r"\{\{\w+\}\}|\b(GPU|SM|XID|p\d\d)\b", "", target["legendFormat"])
                assert not re.search("[a-z]", words), (panel["title"], target["legendFormat"])


def test_a_prometheus_takes_over(mlp, folder):  # noqa: F811
    with Both(mlp, folder) as s:
        s.await_value("count(node_uname_info)", 1)
        export(folder, "prometheus", "--monitor", s.watch.split("//")[1], "--target", f"127.0.0.1:{s.port}")
        config = folder / "prometheus/prometheus.yml"
        config.write_text(config.read_text().replace("15s", "1s"))
        assert subprocess.run(["promtool", "check", "config", config], capture_output=True).returncode == 0
        p = PrometheusPeer(config, folder / "d")
        try:
            p.await_value('up{job="stoker"}', 1)
            p.await_value('count(node_uname_info{job="host"})', 1)
            p.await_value('up{job="host"}', 1)
            groups = p.request("/api/v1/rules")[1]["data"]["groups"]
            shipped = (ROOT / "rules/stoker.rules.yml").read_text().count("- alert: ")
            assert sum(len(g["rules"]) for g in groups) == shipped > 15
        finally:
            p.stop()
    # And the same file the other way round.
    m = Monitor("--config", config)
    m.stop()


def test_an_alertmanager_and_our_monitor_take_the_same_file(folder):
    path, = export(folder, "alertmanager")
    assert subprocess.run(["amtool", "check-config", path], capture_output=True).returncode == 0
    assert subprocess.run([BINARY, "alert", "check", path], capture_output=True).returncode == 0
    route = subprocess.run(["amtool", "config", "routes", "test", f"--config.file={path}", "severity=critical"],
                           capture_output=True, text=True)
    assert route.stdout.strip() == "on-call"


def test_filebeat(folder):
    path, = export(folder, "filebeat", "--log", "/srv/log/a.log")
    text = path.read_text()
    assert "- /srv/log/a.log" in text and "ndjson:" in text and "@" not in re.sub(r"#.*", "", text)


def test_a_tool_that_we_do_not_know(folder):
    r = subprocess.run([BINARY, "export", "nagios"], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    assert r.returncode == 2 and "'export nagios': say alertmanager, filebeat, grafana or prometheus" in r.stderr
