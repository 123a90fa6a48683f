"""Prometheus' configuration file: what is scraped and how, beside a real Prometheus with the same file."""
import base64
import gzip
import http.server
import json
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import pytest

from peers import PrometheusPeer
from stoker import BINARY, SLOW
from test_alerts import RULES, Recorder, await_that
from test_monitor import Monitor, Target

sanitize = pytest.mark.sanitize
TLS = pathlib.Path(__file__).resolve().parents[1] / "fixtures/tls"

METRICS = """# TYPE reqs counter
reqs{code="200",path="/a"} 10
reqs{code="500",path="/b"} 1
# TYPE temp gauge
temp{job="theirs",gpu="0"} 50
temp{instance="x",gpu="1"} 60
go_gc 1
old 5 1000
"""


class Site:
    """Targets on one port: /metrics and others; knows who may ask, and what was asked."""

    def __init__(self, tls=False):
        self.asked = []
        self.pages = {}
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append((self.path, dict(self.headers)))
                path = self.path.split("?")[0]
                need = {"/basic": "Basic " + base64.b64encode(b"me:geheim").decode(), "/bearer": "Bearer t0ken"}.get(path)
                text = site.pages.get(path, METRICS)
                packs = "gzip" in self.headers.get("Accept-Encoding", "")
                body = gzip.compress(text.encode()) if packs else text.encode()
                status = 401 if need and self.headers.get("Authorization") != need else 200
                self.send_response(status)
                self.send_header("Content-Type", "application/json" if text[0] in "[{" else "text/plain; version=0.0.4")
                if packs:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-scrape-") as name:
        yield pathlib.Path(name)


@pytest.fixture
def site():
    s = Site()
    yield s
    s.stop()


CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {site: lab}}
alerting: {alertmanagers: [{path_prefix: /am, static_configs: [{targets: ['127.0.0.1:1']}]}]}
scrape_configs:
  - job_name: plain
    static_configs:
      - targets: ['ADDRESS']
        labels: {team: ops, empty: ''}
  - job_name: honored
    honor_labels: true
    honor_timestamps: false
    params: {which: [a b, c], other: ['&']}
    relabel_configs: [{regex: __param_other, action: labeldrop}]
    static_configs: [{targets: ['ADDRESS'], labels: {gpu: target}}]
  - job_name: changed
    metrics_path: /elsewhere
    relabel_configs:
      - {source_labels: [__address__], regex: '(.*):(.*)', target_label: host, replacement: '${1}!'}
      - {source_labels: [__address__, job], separator: '|', target_label: both}
      - {regex: '__meta_(.*)', action: labelmap, replacement: 'm_$1'}
      - {source_labels: [n], modulus: 7, target_label: shard, action: hashmod}
      - {source_labels: [name], action: lowercase, target_label: low}
      - {source_labels: [name], action: uppercase, target_label: up}
      - {source_labels: [skip], regex: 'yes', action: drop}
      - {source_labels: [n], target_label: want, action: keepequal}
      - {source_labels: [other], target_label: not, action: dropequal}
      - {regex: 'skip|want', action: labeldrop}
      - {target_label: __param_x, replacement: y z}
      - {source_labels: [path], regex: '(.+)', target_label: __metrics_path__}
      - {target_label: job, source_labels: [rename], regex: '(.+)'}
      - {source_labels: [name], regex: 'Mi(.*)', target_label: '${1}_is', replacement: x}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: 'go_.*', action: drop}
      - {source_labels: [code], regex: '(.).*', target_label: class, replacement: '${1}xx'}
      - {source_labels: [code, path], regex: '500;(.*)', target_label: path, replacement: ''}
      - {regex: gpu, action: labeldrop}
      - {source_labels: [__name__], regex: temp, target_label: __name__, replacement: temperature}
    static_configs:
      - {targets: ['ADDRESS'], labels: {n: '1', want: '1', name: MiXed, other: a, not: b, __meta_zone: z1}}
      - {targets: ['ADDRESS'], labels: {n: '2', want: '2', other: a, not: b, skip: 'yes'}}
      - {targets: ['ADDRESS'], labels: {n: '3', want: '1', other: a, not: b}}
      - {targets: ['ADDRESS'], labels: {n: '4', want: '4', other: a, not: a}}
      - {targets: ['ADDRESS'], labels: {n: '5', want: '5', other: a, not: b, path: own pagé, rename: renamed}}
  - job_name: files
    file_sd_configs: [{files: ['sd/*.json', 'sd/*.yml'], refresh_interval: 1s}]
  - job_name: served
    http_sd_configs: [{url: 'http://ADDRESS/sd', refresh_interval: 1s}]
  - job_name: few
    sample_limit: 3
    static_configs: [{targets: ['ADDRESS']}]
  - job_name: short
    label_value_length_limit: 30
    static_configs: [{targets: ['ADDRESS']}]
  - job_name: small
    body_size_limit: 20B
    static_configs: [{targets: ['ADDRESS']}]
  - job_name: basic
    metrics_path: /basic
    basic_auth: {username: me, password_file: password}
    static_configs: [{targets: ['ADDRESS']}]
  - job_name: bearer
    metrics_path: /bearer
    authorization: {credentials: t0ken}
    static_configs: [{targets: ['ADDRESS']}]
  - job_name: nobody
    metrics_path: /bearer
    static_configs: [{targets: ['ADDRESS']}]
"""


@pytest.fixture
def both(folder, site):
    """(monitor, Prometheus) with the same file."""
    (folder / "sd").mkdir()
    (folder / "password").write_text("geheim\n")
    (folder / "sd/a.json").write_text(json.dumps([{"targets": [site.address], "labels": {"from": "json"}}]))
    (folder / "sd/b.yml").write_text(f"- targets: ['{site.address}']\n  labels: {{from: yaml}}\n")
    site.pages["/sd"] = json.dumps([{"targets": [site.address], "labels": {"from": "server"}}])
    (folder / "p.yml").write_text(CONFIG.replace("ADDRESS", site.address))
    monitor, peer = Monitor("--config", folder / "p.yml"), PrometheusPeer(folder / "p.yml", folder / "data")
    yield monitor, peer
    monitor.stop()
    peer.stop()


def series(api, selector, drop=()):
    found = api.request("/api/v1/series?" + urllib.parse.urlencode({"match[]": selector}))[1]["data"]
    return sorted(json.dumps({k: v for k, v in s.items() if k not in drop}, sort_keys=True) for s in found)


def targets(api):
    """Of every target what it is, and how it is."""
    data = api.request("/api/v1/targets")[1]["data"]
    drop = ("lastScrape", "lastScrapeDuration", "globalUrl", "lastError", "discoveredLabels")
    active = [dict({k: v for k, v in t.items() if k not in drop}, discovered=visible(t)) for t in data["activeTargets"]]
    dropped = [t["discoveredLabels"].get("n") for t in data["droppedTargets"]]
    return sorted(json.dumps(t, sort_keys=True) for t in active), sorted(json.dumps(t, sort_keys=True) for t in dropped)


def visible(target):
    # Prometheus 2.42 relabels what it shows here in place, by mistake: half of it is as it was.
    return target["discoveredLabels"] if target["scrapePool"] not in ("changed", "honored") else None


ALL = '{job=~".+"}'


@sanitize
def test_targets_and_series_are_those_of_prometheus(both):
    monitor, peer = both
    for api in both:
        api.await_value("count(up)", 13)
        api.await_value("sum(up)", 10)
        api.await_value('count(temperature)', 4)
    assert series(monitor, ALL) == series(peer, ALL)
    mine, theirs = targets(monitor), targets(peer)
    assert len(mine[0]) == 13 and len(mine[1]) == 3
    assert mine[0] == theirs[0]
    assert mine[1] == theirs[1]
    for query in ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "up", "reqs", "temp"):
        got = [sorted((json.dumps(r["metric"], sort_keys=True), r["value"][1]) for r in api.query(query)) for api in both]
        # A scrape that was refused: how far it was read is nobody's business.
        got = [[r for r in side if not any(j in r[0] for j in ('"few"', '"small"', '"short"'))] for side in got]
        assert got[0] == got[1], query
    errors = {t["scrapePool"]: t["lastError"] for t in monitor.request("/api/v1/targets")[1]["data"]["activeTargets"]}
    assert errors["few"] == "sample limit exceeded" and errors["nobody"] == "server returned HTTP status 401"
    assert "label_value_length_limit exceeded" in errors["short"] or not errors["short"]
    assert "geheim" not in json.dumps(monitor.request("/api/v1/status/config")[1])
    pools = [sorted(api.request("/api/v1/scrape_pools")[1]["data"]["scrapePools"]) for api in both]
    assert pools[0] == pools[1]
    assert monitor.request("/api/v1/alertmanagers")[1] == peer.request("/api/v1/alertmanagers")[1]
    for path in ("runtimeinfo", "flags", "walreplay"):
        mine, theirs = (api.request("/api/v1/status/" + path)[1]["data"] for api in both)
        assert set(mine) <= set(theirs), path


@sanitize
def test_what_a_target_is_asked_with(both, site):
    for api in both:
        api.await_value("count(up)", 13)
    asked = {}
    for path, headers in site.asked:
        side = "mine" if headers.get("User-Agent", "").startswith("stoker") else "theirs"
        asked.setdefault(side, set()).add((urllib.parse.urlsplit(path).path,
                                           json.dumps(sorted(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))),
                                           *(headers.get(f"X-Prometheus-{h}-Seconds") for h in ("Scrape-Timeout", "Refresh-Interval"))))
    assert asked["mine"] == asked["theirs"]
    assert any("which" in q for _, q, *_ in asked["mine"])
    assert any(("/elsewhere", '[["x", "y z"]]') == a[:2] for a in asked["mine"])


@sanitize
def test_targets_come_and_go(both, site, folder):
    monitor, peer = both
    for api in both:
        api.await_value('count(up{job="files"})', 2)
        api.await_value('count(up{job="served"})', 1)
    (folder / "sd/a.json").write_text(json.dumps([{"targets": [site.address], "labels": {"from": "changed"}}]))
    (folder / "sd/b.yml").unlink()
    site.pages["/sd"] = json.dumps([])
    for api in both:
        api.await_value('count(up{job="files",from="changed"})', 1)
        api.await_value('count(up{job="files"})', 1)  # the others have ended
        api.await_value('count(up{job="served"})', None)
    (folder / "sd/a.json").write_text("[{")  # damaged: what was known stays
    site.pages["/sd"] = "[{"
    time.sleep(3)
    monitor.await_value('count(up{job="files",from="changed"})', 1)
    assert monitor.events("discovery.failed")


@sanitize
def test_a_reload_changes_targets_rules_and_nothing_else(folder, site):
    config = folder / "p.yml"
    text = (f"global: {{scrape_interval: 500ms, evaluation_interval: 300ms}}\nrule_files: [r.yml]\nscrape_configs:\n"
            f"  - {{job_name: a, static_configs: [{{targets: ['{site.address}']}}]}}\n")
    config.write_text(text)
    (folder / "r.yml").write_text("groups: [{name: g, rules: [{record: first, expr: vector(1)}]}]")
    (folder / "r2.yml").write_text("groups: [{name: g, rules: [{record: second, expr: vector(2)}]}]")
    m = Monitor("--config", config)
    try:
        m.await_value('up{job="a"}', 1)
        m.await_value("first", 1)
        config.write_text(text.replace("r.yml", "r2.yml") +
                          f"  - {{job_name: b, static_configs: [{{targets: ['{site.address}']}}]}}\n")
        reload = urllib.request.Request(m.url + "/-/reload", b"")
        assert urllib.request.urlopen(reload).status == 200
        m.await_value('up{job="b"}', 1)
        m.await_value("second", 2)
        m.await_value("absent(first)", 1)
        config.write_text(text.replace("targets", "tragets"))
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(reload)
        assert b'p.yml:4:37: there is no field "tragets" here' in e.value.read()
        m.await_value('sum(up{job="b"})', 1)
        config.write_text(text)
        assert urllib.request.urlopen(reload).status == 200
        m.await_value('count(up{job="b"})', None)
        m.await_value('min(count_over_time(up{job="a"}[1m])) > bool 3', 1)
    finally:
        m.stop()


@sanitize
def test_scrape_configs_of_other_files(folder, site):
    (folder / "p.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_config_files: ['jobs/*.yml', none.yml]\nscrape_configs:\n"
        f"  - {{job_name: a, static_configs: [{{targets: ['{site.address}']}}]}}\n")
    (folder / "jobs").mkdir()
    job = lambda name, more="": (folder / f"jobs/{name}.yml").write_text(
        f"scrape_configs: [{{job_name: {name}, file_sd_configs: [{{files: [{name}.json]}}]{more}}}]\n")
    for name in "bc":
        job(name)
        (folder / f"jobs/{name}.json").write_text(json.dumps([{"targets": [site.address]}]))
    m = Monitor("--config", folder / "p.yml")
    try:
        m.await_value("count(count by (job) (up{job=~'a|b|c'}))", 3)  # files are named from where theirs lies
        for more, says in ((", oops: 1", 'jobs/c.yml:1:70: there is no field "oops" here'), ("]", "jobs/c.yml:1:")):
            job("c", more)
            with pytest.raises(urllib.error.HTTPError) as e:
                urllib.request.urlopen(m.url + "/-/reload", b"")
            text = e.value.read().decode()
            assert says in text, text
        (folder / "jobs/c.yml").write_text("scrape_configs: [{job_name: a}]")
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(m.url + "/-/reload", b"")
        assert 'jobs/c.yml:1:18: found multiple scrape configs with job name "a"' in e.value.read().decode()
        m.await_value("sum(up{job='c'})", 1)
        (folder / "jobs/c.yml").unlink()
        assert urllib.request.urlopen(m.url + "/-/reload", b"").status == 200
        m.await_value("count(up{job='c'})", None)
    finally:
        m.stop()


def test_labels_of_alerts_change_as_they_are_told(folder):
    """alert_relabel_configs, of a real Prometheus and of ours with the same file."""
    target = Target()
    target.text = 'temp{gpu="0"} 90\ntemp{gpu="1"} 90\n'
    (folder / "rules.yml").write_text(RULES.replace("200ms", "1s"))
    got = []
    for number, start_one in enumerate((lambda: Monitor("--config", folder / "p.yml"), lambda: PrometheusPeer(folder / "p.yml", folder / "data"))):
        recorder = Recorder()
        (folder / "p.yml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {{site: lab, replica: a}}}}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ['{recorder.url[7:]}']}}]}}]
  alert_relabel_configs:
    - {{regex: replica, action: labeldrop}}
    - {{source_labels: [gpu], regex: "1", action: drop}}
    - {{source_labels: [site, gpu], separator: "-", target_label: card}}
scrape_configs: [{{job_name: app, static_configs: [{{targets: ['{target.address}']}}]}}]
""")
        m = start_one()
        try:
            await_that(lambda: recorder.posts)
            time.sleep(2 * SLOW if number else 2)  # whatever else there is to tell
            got.append({json.dumps(a["labels"], sort_keys=True) for _, _, body in recorder.posts for a in body})
            if not number:  # a reload takes other ones
                (folder / "p.yml").write_text((folder / "p.yml").read_text().replace("[site, gpu]", "[gpu]"))
                assert urllib.request.urlopen(m.url + "/-/reload", b"").status == 200
                target.text = 'temp{gpu="0"} 90\ntemp{gpu="2"} 90\n'
                await_that(lambda: [a for _, _, body in recorder.posts for a in body if a["labels"].get("card") == "2"])
                target.text = 'temp{gpu="0"} 90\ntemp{gpu="1"} 90\n'
        finally:
            m.stop()
            recorder.stop()
    target.stop()
    assert got[0] == got[1] and len(got[0]) == 1 and '"card": "lab-0"' in got[0].pop()


@sanitize
def test_tls(folder):
    site = Site(tls=True)
    (folder / "p.yml").write_text(f"""
global: {{scrape_interval: 5s, scrape_timeout: 5s}}
scrape_configs:
  - {{job_name: known, scheme: https, tls_config: {{ca_file: {TLS}/cert.pem}}, static_configs: [{{targets: ['{site.address}']}}]}}
  - {{job_name: any, scheme: https, tls_config: {{insecure_skip_verify: true}}, static_configs: [{{targets: ['{site.address}']}}]}}
  - {{job_name: stranger, scheme: https, static_configs: [{{targets: ['{site.address}']}}]}}
""")
    m = Monitor("--config", folder / "p.yml")
    try:
        m.await_value('up{job="known"}', 1)
        m.await_value('up{job="any"}', 1)
        m.await_value('up{job="stranger"}', 0)
        errors = {t["scrapePool"]: t["lastError"] for t in m.request("/api/v1/targets")[1]["data"]["activeTargets"]}
        assert "certificate" in errors["stranger"].lower()
    finally:
        m.stop()
        site.stop()


@sanitize
def test_what_the_file_says_for_all(folder, site):
    """Limits of global, storage.tsdb, rule_query_offset; and what means nothing here is taken."""
    now = int(time.time() * 1000)
    site.pages["/late"] = f"late 1 {now}\n"
    (folder / "r.yml").write_text("groups: [{name: g, interval: 200ms, rules: [{record: at, expr: time()}]},"
                                   "{name: h, interval: 200ms, query_offset: 0s, rules: [{record: now, expr: time()}]}]\n")
    (folder / "p.yml").write_text(f"""
global:
  scrape_interval: 300ms
  sample_limit: 3
  label_value_length_limit: 200
  body_size_limit: 10MB
  keep_dropped_targets: 5
  metric_name_validation_scheme: utf8
  rule_query_offset: 1m
  scrape_protocols: [PrometheusText0.0.4]
runtime: {{gogc: 75}}
storage: {{tsdb: {{out_of_order_time_window: 30m}}, exemplars: {{max_exemplars: 10}}}}
rule_files: [r.yml]
scrape_configs:
  - {{job_name: usual, static_configs: [{{targets: ['{site.address}']}}]}}
  - {{job_name: own, sample_limit: 100, always_scrape_classic_histograms: true, native_histogram_bucket_limit: 5, static_configs: [{{targets: ['{site.address}']}}]}}
  - {{job_name: late, metrics_path: /late, static_configs: [{{targets: ['{site.address}']}}]}}
""")
    m = Monitor("--config", folder / "p.yml")
    try:
        m.await_value('up{job="own"}', 1)
        m.await_value('up{job="usual"}', 0)
        m.await_value("count_over_time(late[1h])", 1)
        site.pages["/late"] = f"late 2 {now - 600000}\n"
        m.await_value("count_over_time(late[1h])", 2)
        errors = {t["scrapePool"]: t["lastError"] for t in m.request("/api/v1/targets")[1]["data"]["activeTargets"]}
        assert errors["usual"] == "sample limit exceeded"
        m.await_value("count(at)", 1)
        assert 50 < time.time() - float(m.query("at")[0]["value"][1]) < 60 + 60 * SLOW
        m.await_value("count(now)", 1)
        assert 40 < float(m.query("now - on() at")[0]["value"][1]) < 61
    finally:
        m.stop()


MISTAKES = [
    ("scrape_configs: [{job_name: ''}]", "1:18", "job_name is empty"),
    ("scrape_configs: [{job_name: a}, {job_name: a}]", "1:33", 'found multiple scrape configs with job name "a"'),
    ("scrape_configs: [{job_name: a, scrape_interval: 1x}]", "1:49", "not a valid duration string"),
    ("scrape_configs: [{job_name: a, scrape_interval: 1s, scrape_timeout: 2s}]", "1:18", "scrape timeout greater than"),
    ("scrape_configs: [{job_name: a, kubernetes_sd_configs: []}]", "1:32", 'no field "kubernetes_sd_configs"'),
    ("scrape_configs: [{job_name: a, static_configs: [{targets: ['http://x']}]}]", "1:49", "is not a valid hostname"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{action: x}]}]", "1:50", "unknown relabel action"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{regex: '('}]}]", "1:50", "requires 'target_label'"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{action: hashmod, target_label: x}]}]", "1:50", "requires 'modulus'"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{action: hashmod, target_label: $1, modulus: 2}]}]", "1:50", "is invalid 'target_label'"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{action: lowercase, target_label: x, replacement: y}]}]", "1:50",
     "'replacement' can not be set for lowercase action"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{action: keepequal, target_label: x, regex: y}]}]", "1:50",
     "'regex' can not be set for keepequal action"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{action: labeldrop, source_labels: [x], regex: y}]}]", "1:50",
     "'source_labels' can not be set for labeldrop action"),
    ("scrape_configs: [{job_name: a, relabel_configs: [{target_label: 1bad}]}]", "1:50", "is invalid 'target_label'"),
    ("remote_read: [{url: x}]", "1:14", '"remote_read" is not supported'),
    ("globl: {}", "1:1", 'there is no field "globl" here'),
]


@pytest.mark.parametrize("text,where,what", MISTAKES)
def test_mistakes(folder, text, where, what):
    (folder / "p.yml").write_text(text)
    r = subprocess.run([BINARY, "monitor", "--config", folder / "p.yml", "--port", "0", "--no-history"],
                       capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 2 and f"p.yml:{where}: " in r.stderr and what in r.stderr, r.stderr
