"""Who is told of alerts, and how: held against a real Alertmanager, amtool, and servers that stand for people."""
import base64
import datetime
import hashlib
import hmac
import json
import subprocess
import tempfile
import pathlib
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from peers import AlertmanagerPeer
from people import MailServer, Robot
from stoker import BINARY, SLOW
from test_alerts import await_that
from test_monitor import Monitor

sanitize = pytest.mark.sanitize


class AlertmanagerApi:
    """Alertmanager's API, version 2, of whoever has it."""

    def call(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v2" + path, data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text.strip() else None
        except urllib.error.HTTPError as e:
            text = e.read()
            return e.code, json.loads(text) if text.strip() else None

    def alert(self, labels, ends=None, starts="2026-11-25T06:00:00Z", **annotations):
        a = {"labels": labels, "annotations": annotations, "startsAt": starts, "generatorURL": "http://x/graph?a=1&b=2"}
        if ends:
            a["endsAt"] = ends
        assert self.call("/alerts", [a])[0] == 200


class Own(AlertmanagerApi):
    def __init__(self, config, *args, data=None, **more):
        self.monitor = Monitor("--notify", config, "--external-url", "http://watch.example", *args, data=data, **more)
        self.url = self.monitor.url

    def stop(self):
        self.monitor.stop()


class Theirs(AlertmanagerApi):
    def __init__(self, config, folder):
        self.peer = AlertmanagerPeer(config, folder, "--web.external-url=http://watch.example", "--web.route-prefix=/")
        self.url = self.peer.url

    def stop(self):
        self.peer.stop()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-notify-") as name:
        yield pathlib.Path(name)


@pytest.fixture
def robot():
    r = Robot()
    yield r
    r.stop()


def write(folder, text, name="am.yml"):
    (folder / name).write_text(text)
    return folder / name


def in_seconds(s):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=s)
    return then.isoformat(timespec="milliseconds")


# ---- beside an Alertmanager ---------------------------------------------------------------------------------------

TREE = """
route:
  receiver: all
  group_by: [alertname, site]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 1h
  routes:
    - matchers: [team="db"]
      receiver: db
      group_by: ['...']
      routes:
        - matchers: ['severity=~"page|critical"']
          receiver: pager
          continue: true
        - match: {severity: page}
          receiver: silent
    - match_re: {team: "ne.*"}
      receiver: net
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [site]
receivers:
  - {name: all, webhook_configs: [{url: "URL/all"}]}
  - {name: db, webhook_configs: [{url: "URL/db", send_resolved: false}]}
  - {name: pager, webhook_configs: [{url: "URL/pager", max_alerts: 1}]}
  - {name: net, webhook_configs: [{url: "URL/net"}, {url: "URL/net2"}]}
  - name: silent
"""


@pytest.fixture
def both(folder):
    """(Stoker, its robot), (Alertmanager, its robot): with the same configuration."""
    robots = [Robot(), Robot()]
    configs = [write(folder, TREE.replace("URL", r.url), f"{i}.yml") for i, r in enumerate(robots)]
    pair = [Own(configs[0]), Theirs(configs[1], folder / "am")]
    yield list(zip(pair, robots))
    for one in pair + robots:
        one.stop()


def posts_of(robot):
    """Of each path what came, in order."""
    paths = {}
    for path, headers, body in robot.posts:
        paths.setdefault(path, []).append(body)
    return paths


@sanitize
def test_messages_are_those_of_alertmanager(both):
    # An alert that is older than group_wait is told at once, alone if the next one comes a moment later.
    began = in_seconds(0)

    def act(call):
        for one, _ in both:
            call(one)

    act(lambda a: a.alert({"alertname": "Hot", "site": "a", "gpu": "0"}, starts=began, summary="<&> 热"))
    act(lambda a: a.alert({"alertname": "Hot", "site": "a", "gpu": "1"}, starts=began, summary="<&> 热"))
    act(lambda a: a.alert({"alertname": "Hot", "site": "b"}, starts=began))
    act(lambda a: a.alert({"alertname": "Slow", "team": "db", "severity": "page"}, starts=began))
    act(lambda a: a.alert({"alertname": "Slow", "team": "db", "severity": "info"}, starts=began))
    act(lambda a: a.alert({"alertname": "Lost", "team": "net"}, starts=began))
    time.sleep(3)
    act(lambda a: a.alert({"alertname": "Hot", "site": "a", "gpu": "2"}, starts=began))  # news in a known group
    time.sleep(3)
    now = in_seconds(0)
    act(lambda a: a.alert({"alertname": "Hot", "site": "b"}, starts=began, ends=now))
    act(lambda a: a.alert({"alertname": "Slow", "team": "db", "severity": "info"}, starts=began, ends=now))
    act(lambda a: a.alert({"alertname": "Lost", "team": "net"}, starts=began, ends=now))
    time.sleep(4)
    own, peer = (posts_of(robot) for _, robot in both)
    assert set(own) == {"/all", "/db", "/pager", "/net", "/net2"} == set(peer)
    for path in own:
        # Groups are told in any order.
        parsed = [[json.dumps(json.loads(b), sort_keys=True) for b in side[path]] for side in (own, peer)]
        assert sorted(parsed[0]) == sorted(parsed[1]), path
    # Go writes & < > in JSON as escapes; but for that, byte for byte.
    lines = [b.replace(b"\\u0026", b"&") for side in (own, peer) for b in side["/net"]]
    assert lines[0] == lines[2] and lines[1] == lines[3]


def states(api):
    _, alerts = api.call("/alerts")
    return sorted((json.dumps(a["labels"], sort_keys=True), a["status"]["state"], len(a["status"]["silencedBy"]),
                   len(a["status"]["inhibitedBy"]), a["fingerprint"], json.dumps(a["receivers"]), a["startsAt"],
                   a["generatorURL"], json.dumps(a["annotations"])) for a in alerts)


SILENCE = {"matchers": [{"name": "alertname", "value": "H.*", "isRegex": True, "isEqual": True},
                        {"name": "gpu", "value": "", "isRegex": False, "isEqual": False}],
           "createdBy": "me", "comment": "work"}


@sanitize
def test_silences_and_inhibition_are_those_of_alertmanager(both):
    ids = []
    for one, _ in both:
        body = dict(SILENCE, startsAt=in_seconds(-1), endsAt=in_seconds(3600))
        status, reply = one.call("/silences", body)
        assert status == 200
        ids.append(reply["silenceID"])
        one.alert({"alertname": "Hot", "site": "a", "gpu": "0"})
        one.alert({"alertname": "Hot", "site": "a"})
        one.alert({"alertname": "Down", "site": "a", "severity": "critical"})
        one.alert({"alertname": "Low", "site": "a", "severity": "warning"})
        one.alert({"alertname": "Low", "site": "b", "severity": "warning"})
    time.sleep(2)
    (own, robot), (peer, _) = both
    assert states(own) == states(peer)
    assert len(states(own)) == 5 and sum(s[1] == "suppressed" for s in states(own)) == 2
    for query in ("?silenced=false", "?inhibited=false&active=true", "?active=false", "?filter=alertname%3D%22Hot%22",
                  "?filter=gpu%3D~%220%7C1%22&filter=site%3Da", "?receiver=al.*", "?receiver=d"):
        labels = [sorted(json.dumps(a["labels"]) for a in one.call("/alerts" + query)[1]) for one, _ in both]
        assert labels[0] == labels[1], query
    names = {a["labels"]["alertname"] + a["labels"].get("gpu", "") for b in robot.bodies("/all") for a in b["alerts"]}
    assert names == {"Hot", "Down", "Low"}
    # The silence ends: the alert is told at the next flush.
    shown = []
    for (one, _), id in zip(both, ids):
        assert one.call(f"/silence/{id}")[1]["status"]["state"] == "active"
        assert one.call(f"/silence/{id}", method="DELETE")[0] == 200
        s = one.call(f"/silence/{id}")[1]
        shown.append({k: s[k] for k in ("matchers", "comment", "createdBy", "status")})
    assert shown[0] == shown[1] and shown[0]["status"]["state"] == "expired"
    await_that(lambda: any(a["labels"].get("gpu") for b in robot.bodies("/all") for a in b["alerts"]))


WRONG = [
    ("/alerts", [{"labels": {}}]),
    ("/alerts", [{"labels": {"a": ""}}]),
    ("/alerts", [{"labels": {"a b": "c"}}]),
    ("/alerts", [{"labels": {"a": "b"}, "startsAt": "2026-11-25T10:00:00Z", "endsAt": "2026-11-25T09:00:00Z"}]),
    ("/silences", {"matchers": [], "createdBy": "x", "comment": "y", "startsAt": "2036-11-25T10:00:00Z",
                   "endsAt": "2036-11-25T11:00:00Z"}),
    ("/silences", dict(SILENCE, startsAt="2036-11-25T10:00:00Z", endsAt="2036-11-25T09:00:00Z")),
    ("/silences", dict(SILENCE, startsAt="2016-11-25T10:00:00Z", endsAt="2016-11-25T11:00:00Z")),
    ("/silences", dict(SILENCE, startsAt="2036-11-25T10:00:00Z", endsAt="2036-11-25T11:00:00Z", id="no-such")),
    ("/silences", dict(SILENCE, startsAt="2036-11-25T10:00:00Z", endsAt="2036-11-25T11:00:00Z",
                       matchers=[{"name": "a", "value": "", "isRegex": False}])),
    ("/silences", dict(SILENCE, startsAt="2036-11-25T10:00:00Z", endsAt="2036-11-25T11:00:00Z",
                       matchers=[{"name": "a", "value": "(", "isRegex": True}])),
    *(("/silences", {k: v for k, v in dict(SILENCE, startsAt="2036-11-25T10:00:00Z", endsAt="2036-11-25T11:00:00Z").items() if k != key})
      for key in ("comment", "createdBy", "matchers", "startsAt", "endsAt")),
    ("/alerts?filter=a", None),
    ("/alerts?filter=%7Ba%3D%22b%22", None),
    ("/alerts?receiver=%28", None),
    ("/silence/2fe3ba47-0d29-4c1b-a0b4-2ae5fb1b7a3b", None),
]


@sanitize
def test_mistakes_are_refused_as_alertmanager_does(both):
    (own, _), (peer, _) = both
    for path, body in WRONG:
        mine, theirs = own.call(path, body), peer.call(path, body)
        if theirs[0] == 422:  # its schema refused it, before it was looked at
            says = theirs[1]["message"]
            assert mine[0] == 400 and ("matcher" in mine[1] if "matcher" in says else mine[1] == says), (mine, says)
            continue
        assert mine[0] == theirs[0], (path, body, mine, theirs)
        if isinstance(theirs[1], str) and "parsing regexp" not in theirs[1]:
            assert mine[1] == theirs[1], (path, body)


@sanitize
def test_amtool_is_a_client(both):
    (own, robot), _ = both

    def amtool(*args):
        r = subprocess.run(["amtool", f"--alertmanager.url={own.url}", *args], capture_output=True, text=True,
                           timeout=30)
        assert r.returncode == 0, (args, r.stdout, r.stderr)
        return r.stdout

    amtool("alert", "add", "alertname=Hot", "gpu=3", "--annotation=summary=hot")
    assert "Hot" in amtool("alert", "query") and "hot" in amtool("alert", "query", "-o", "extended")
    assert "Hot" not in amtool("alert", "query", "gpu=4")
    id = amtool("silence", "add", "alertname=Hot", "gpu=~3|4", "--comment=x", "--author=me").strip()
    assert id in amtool("silence", "query") and "gpu" in amtool("silence", "query", "-o", "extended")
    assert "Hot" not in amtool("alert", "query") and "Hot" in amtool("alert", "query", "--silenced")
    amtool("silence", "update", "--comment=longer", "--duration=2h", id)
    assert "longer" in amtool("silence", "query")
    amtool("silence", "expire", amtool("silence", "query", "-q").strip())
    assert id not in amtool("silence", "query")
    assert amtool("config", "routes", "test", "team=db", "severity=page").strip() == "pager,silent"
    assert "team=\"db\"" in amtool("config", "routes", "show")
    assert "pager" in amtool("config", "show")
    assert own.call("/receivers")[1] == [{"name": n} for n in ("all", "db", "pager", "net", "silent")]
    groups = own.call("/alerts/groups")[1]
    assert [(g["labels"], g["receiver"]["name"], len(g["alerts"])) for g in groups] == [
        ({"alertname": "Hot"}, "all", 1)]


# ---- each kind of receiver ----------------------------------------------------------------------------------------

ONE = """
route: {{receiver: r, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: r, {0}}}]
"""
HOT = {"alertname": "GpuHot", "gpu": "3", "severity": "page"}
TEXTS = {"summary": "GPU 3 is hot", "summary_zh": "GPU 3 过热", "runbook": "Cool it.", "runbook_zh": "降温。"}
SINCE = "2026-11-25 06:00:00 UTC"
ENGLISH = ("**GPU 3 is hot**\n\nWhat to do: Cool it.\n\nSince " + SINCE +
           "\nalertname=GpuHot, gpu=3, severity=page\n\n[Monitor](http://watch.example)")
CHINESE = ("**GPU 3 过热**\n\n处理：降温。\n\n开始于 " + SINCE +
           "\nalertname=GpuHot, gpu=3, severity=page\n\n[监控](http://watch.example)")


def sign(key, message):
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


def one_post(robot, folder, how, answer=b'{"errcode":0,"errmsg":"ok","code":0}'):
    robot.answers[None] = [(200, answer)]
    own = Own(write(folder, ONE.format(how)))
    try:
        own.alert(HOT, **TEXTS)
        return await_that(lambda: robot.posts)[0]
    finally:
        own.stop()


@sanitize
def test_dingtalk(robot, folder):
    write(folder, "SECabc\n", "secret")
    path, headers, body = one_post(robot, folder, f"dingtalk_configs: [{{url: '{robot.url}/send?access_token=t1', "
                                   "secret_file: secret, at_mobiles: ['13800000000'], language: zh}]")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
    stamp = query["timestamp"][0]
    assert query["access_token"] == ["t1"] and abs(int(stamp) - time.time() * 1000) < 60000
    assert query["sign"] == [sign("SECabc", stamp + "\nSECabc")]
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "msgtype": "markdown",
        "markdown": {"title": "【告警 1】GpuHot", "text": "### 【告警 1】GpuHot\n\n" + CHINESE + "\n\n@13800000000"},
        "at": {"atMobiles": ["13800000000"], "isAtAll": False}}


@sanitize
def test_feishu(robot, folder):
    _, _, body = one_post(robot, folder, f"feishu_configs: [{{url: '{robot.url}/hook', secret: s3}}]",
                          b'{"code":0,"msg":"success"}')
    message = json.loads(body)
    stamp = message.pop("timestamp")
    assert abs(int(stamp) - time.time()) < 60
    assert message.pop("sign") == sign(stamp + "\ns3", "")
    assert message == {"msg_type": "interactive", "card": {
        "config": {"wide_screen_mode": True},
        "header": {"title": {"tag": "plain_text", "content": "[FIRING:1] GpuHot"}, "template": "red"},
        "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": ENGLISH}}]}}


@sanitize
def test_wecom(robot, folder):
    path, _, body = one_post(robot, folder, f"wecom_configs: [{{url: '{robot.url}/send?key=k', "
                             "text: '{{ range .Alerts }}{{ .Labels.gpu }} {{ end }}'}]")
    assert path == "/send?key=k"
    assert json.loads(body) == {"msgtype": "markdown", "markdown": {"content": "### [FIRING:1] GpuHot\n3 "}}


@sanitize
def test_wecom_is_cut_between_characters(robot, folder):
    _, _, body = one_post(robot, folder, f"wecom_configs: [{{url: '{robot.url}', text: '" + "热" * 3000 + "'}]")
    text = json.loads(body)["markdown"]["content"]
    assert 4090 < len(text.encode()) <= 4096 and text.endswith("热...")


@sanitize
def test_slack(robot, folder):
    _, _, body = one_post(robot, folder, f"slack_configs: [{{api_url: '{robot.url}', channel: '#ops', "
                          "title: '{{ .CommonLabels.alertname }}: {{ .CommonAnnotations.summary }}'}]", b"ok")
    message = json.loads(body)
    text = message["attachments"][0].pop("text")
    assert text.startswith("GPU 3 is hot\nWhat to do: Cool it.")
    assert message == {"channel": "#ops", "username": "Stoker", "attachments": [{
        "title": "GpuHot: GPU 3 is hot", "title_link": "http://watch.example", "color": "danger",
        "fallback": "[FIRING:1] GpuHot (3 page)", "mrkdwn_in": ["fallback", "pretext", "text"]}]}


SLACK = """
templates: ['*.tmpl']
route: {receiver: r, group_by: [alertname], group_wait: 100ms, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: r
    slack_configs:
      - api_url: URL
        channel: '#ops'
        username: us
        color: '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}'
        title: '{{ .CommonLabels.alertname }}'
        title_link: http://a/
        pretext: before
        text: '{{ template "mine" . }}'
        fallback: '{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }} {{ len .Alerts }}{{ index .GroupLabels.Names 0 }}'
        callback_id: '{{ (index .Alerts.Firing 0).Labels.Remove (stringSlice "gpu" "x") }}'
        icon_emoji: ':fire:'
        footer: below
        image_url: http://a/i.png
        thumb_url: http://a/t.png
        link_names: true
        mrkdwn_in: [text]
        short_fields: SHORT
        fields:
          - {title: GPU, value: '{{ .CommonLabels.gpu }}'}
          - {title: wide, value: v, short: false}
          - {title: narrow, value: v, short: true}
        actions:
          - {type: button, text: Runbook, url: '{{ (index .Alerts 0).Annotations.runbook }}', style: primary}
          - {type: button, text: Ack, name: ack, value: '1', confirm: {text: 'Sure?', title: t, ok_text: y, dismiss_text: n}}"""


@pytest.mark.parametrize("short", ["true", "false"])
def test_slack_gets_what_alertmanager_sends(folder, short):
    (folder / "own.tmpl").write_text('{{ define "mine" }}{{ range .Alerts }}*{{ .Labels.alertname }}* {{ range .Labels.SortedPairs }}'
                                     '{{ .Name }}={{ .Value }} {{ end }}{{ end }}{{ end }}')
    got = []
    for number, make in enumerate((lambda c: Own(c), lambda c: Theirs(c, folder / "am"))):
        robot = Robot()
        robot.answers[None] = [(200, b"ok")]
        one = make(write(folder, SLACK.replace("URL", robot.url).replace("SHORT", short), f"{number}.yml"))
        try:
            one.alert(HOT, **TEXTS)
            body = json.loads(await_that(lambda: robot.posts)[0][2])
            got.append(body)
        finally:
            one.stop()
            robot.stop()
    assert got[0] == got[1]


# What people write into templates; each is rendered by both.
TEXTS_OF_PEOPLE = r"""{{ .Alerts | len }}
{{ range $i, $a := .Alerts }}{{ $i }}:{{ $a.Labels.gpu }};{{ end }}
{{ .GroupLabels }} {{ .CommonLabels }}
{{ .Alerts.Firing | len }}/{{ .Alerts.Resolved | len }}
{{ .GroupLabels.SortedPairs.Values | join " " }}{{ .CommonLabels.Names | join "," }}
{{ if gt (len .CommonLabels) (len .GroupLabels) }}more{{ else }}same{{ end }}
{{ if and (eq .Status "firing") (gt (.Alerts | len) 1) }}many{{ end }}
{{ .CommonAnnotations.summary | title }}
{{ .CommonAnnotations.summary | toUpper | toLower }}
{{ match "^GPU" .CommonAnnotations.summary }}{{ match "is" .CommonAnnotations.summary }}{{ match "^is" .CommonAnnotations.summary }}
{{ reReplaceAll "GPU (\\d)" "card $1" .CommonAnnotations.summary }} {{ reReplaceAll "a(x*)b" "${1}W$1W" "-ab-axxb-" }} {{ reReplaceAll "x*" "-" "axxb热" }} {{ reReplaceAll "" "." "ab" }} {{ reReplaceAll "(?i)HOT$" "$$" "is hot" }}
{{ (index .Alerts 0).Fingerprint | len }}{{ (index .Alerts 0).GeneratorURL }}{{ (index .Alerts 0).Status }}
{{ with .CommonLabels.nope }}a{{ else }}b{{ end }}
{{ $x := "a" }}{{ if true }}{{ $x = "b" }}{{ end }}{{ $x }}
{{ index .CommonLabels "severity" }}{{ .CommonLabels.severity | printf "%s!" }}
{{ not (eq 1 1) }} {{ ne 1 2 }} {{ le 1 1 }} {{ or "" "x" }} {{ and 1 0 }}
{{/* a comment */}}x {{- "trim" -}} y
{{ stringSlice "a" "b" | join "-" }}{{ len "héé" }}{{ eq .Status "resolved" "firing" }}
{{ if .Alerts.Resolved }}r{{ else if .Alerts.Firing }}f{{ end }}
{{ print 1 2 "a" "b" 3 }}|{{ println "x" }}|{{ urlquery "a b&c" }}
{{ .CommonLabels.SortedPairs }}{{ range .CommonLabels.SortedPairs }}{{ .Name }} = {{ .Value }} {{ end }}
{{ range $k, $v := .CommonLabels }}{{ $k }}={{ $v }} {{ end }}{{ (index .CommonLabels.SortedPairs 0).Name }}
{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}
{{ (index .Alerts.Firing 0).Labels.Remove (stringSlice "gpu" "x") }}{{ index .GroupLabels.Names 0 }}
{{ template "__subject" . }} {{ template "__alertmanagerURL" . }} {{ template "__text_alert_list" .Alerts.Firing }}
{{ (index .Alerts 0).StartsAt }} {{ (index .Alerts 0).EndsAt }}
{{ (index .Alerts 0).StartsAt.Format "2006-01-02 15:04:05.000 Mon Jan _2 Monday January 1/2/06 3:04PM pm MST -0700 Z07:00 Month Monster .999" }}
{{ ((index .Alerts 0).StartsAt.Add 28800e9).Format "2006-01-02 15:04:05" }}
{{ range .Alerts }}{{ .StartsAt.Unix }} {{ .StartsAt.Year }} {{ .StartsAt.Month }} {{ .StartsAt.Weekday }} {{ .EndsAt.IsZero }}{{ end }}
{{ range .Alerts }}{{ (.StartsAt.Add 90061e9).Sub .StartsAt }} {{ ((.StartsAt.Add 1500000000).Sub .StartsAt).Seconds }} {{ .StartsAt.Sub (.StartsAt.Add 300000000) }}{{ end }}
{{ range .Alerts }}{{ .StartsAt.Before .EndsAt }} {{ .StartsAt.After .EndsAt }}{{ .StartsAt.Local.Format "15:04" }}{{ end }}""".splitlines()


@sanitize
def test_templates_are_rendered_as_alertmanager_does(folder):
    got = []
    for number, make in enumerate((lambda c: Own(c), lambda c: Theirs(c, folder / "am"))):
        robot = Robot()
        robot.answers[None] = [(200, b"ok")]
        fields = "".join(f"          - {{title: t, value: {json.dumps(text)}}}\n" for text in TEXTS_OF_PEOPLE)
        one = make(write(folder, f"""
route: {{receiver: r, group_by: [alertname], group_wait: 300ms, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: r
    slack_configs:
      - api_url: {robot.url}
        fields:
{fields}""", f"{number}.yml"))
        try:
            for gpu in "34":
                one.alert(dict(HOT, gpu=gpu), **TEXTS)
            body = json.loads(await_that(lambda: [p for p in robot.posts if b"gpu = 4" in p[2] or b"gpu:4" in p[2]])[0][2])
            got.append([f["value"] for f in body["attachments"][0]["fields"]])
        finally:
            one.stop()
            robot.stop()
    for text, mine, theirs in zip(TEXTS_OF_PEOPLE, *got):
        assert mine == theirs, text


@sanitize
def test_email(folder):
    server = MailServer("ops", "geheim")
    own = Own(write(folder, ONE.format(
        "email_configs: [{to: 'a@example.com, 王 <b@example.com>', from: 'Stoker <stoker@example.com>', smarthost: '"
        + server.address + "', hello: here, auth_username: ops, auth_password: geheim, require_tls: false, "
        "language: zh, send_resolved: true, html: '<b>{{ .CommonAnnotations.summary_zh }}</b>', "
        "text: '{{ template \"stoker.text.zh\" . }}', headers: {Subject: '告警 {{ .CommonLabels.gpu }}', X-Team: ops}}]")))
    try:
        own.alert(HOT, **TEXTS)
        sender, to, message, raw = await_that(lambda: server.mails)[0]
        assert (sender, to, server.hello) == ("<stoker@example.com>", ["<a@example.com>", "<b@example.com>"], "here")
        assert message["Subject"] == "告警 3" and message["From"] == "Stoker <stoker@example.com>"
        assert message["X-Team"] == "ops" and message["Date"].datetime and message["Message-Id"].endswith("@stoker>")
        assert message["To"] == "a@example.com, 王 <b@example.com>"
        text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert html.strip() == "<b>GPU 3 过热</b>" and text.startswith("GPU 3 过热\n处理：降温。\n")
        assert message.get_content_type() == "multipart/mixed" or message.is_multipart()
        own.alert(HOT, ends=in_seconds(0), **TEXTS)
        await_that(lambda: len(server.mails) == 2)
        assert "已恢复" in server.mails[1][2].get_body(("plain",)).get_content()
    finally:
        own.stop()
        server.stop()


@pytest.mark.parametrize("mechanisms, fields, identity", [
    ("PLAIN", "auth_username: ops, auth_password: geheim, auth_identity: team", "team"),
    ("CRAM-MD5", "auth_username: ops, auth_secret: geheim", None)])
def test_ways_to_log_in_to_a_mail_server(folder, mechanisms, fields, identity):
    server = MailServer("ops", "geheim", mechanisms)
    everywhere = "global: {" + fields.replace("auth_", "smtp_auth_") + "}\n"
    receiver = f"email_configs: [{{to: a@b.c, from: d@e.f, smarthost: '{server.address}', require_tls: false, %s}}]"
    for text in (ONE.format(receiver % fields), everywhere + ONE.format(receiver % "html: a")):
        own = Own(write(folder, text))
        try:
            before = len(server.mails)
            own.alert(HOT, **TEXTS)
            await_that(lambda: len(server.mails) > before)
            assert server.identity == identity
            assert "geheim" not in own.monitor.request("/api/v2/status")[1]["config"]["original"]
        finally:
            own.stop()
    server.stop()


def test_a_webhook_may_have_little_time(robot, folder):
    robot.answers[None] = lambda body: time.sleep(1) or (200, b"")
    own = Own(write(folder, ONE.format(f"webhook_configs: [{{url: '{robot.url}', timeout: 200ms}}]")))
    try:
        own.alert(HOT, **TEXTS)
        assert "no answer in time" in await_that(lambda: own.monitor.events("notify.retrying"))[0]["message"]
    finally:
        own.stop()


@sanitize
def test_a_mail_server_that_is_busy_is_asked_again(folder):
    server = MailServer()
    server.refuse = [451, 451]
    own = Own(write(folder, ONE.format(
        f"email_configs: [{{to: a@b.c, from: d@e.f, smarthost: '{server.address}', require_tls: false}}]")
        .replace("group_interval: 1s", "group_interval: 1m")))
    try:
        own.alert(HOT, **TEXTS)
        assert await_that(lambda: server.mails)[0][2]["Subject"] == "[FIRING:1] GpuHot (3 page)"
        assert own.monitor.events("notify.retrying") and not own.monitor.events("notify.failed")
    finally:
        own.stop()
        server.stop()


# ---- what goes wrong ----------------------------------------------------------------------------------------------

@sanitize
def test_a_body_that_says_no_is_no(robot, folder):
    own = Own(write(folder, ONE.format(f"dingtalk_configs: [{{url: '{robot.url}'}}]")))
    try:
        robot.answers[None] = [(200, b'{"errcode":310000,"errmsg":"sign not match"}'), (200, b'{"errcode":0}')]
        own.alert(HOT, **TEXTS)
        own.monitor.await_event("notify.failed")
        assert "errcode 310000: sign not match" in own.monitor.events("notify.failed")[0]["message"]
        await_that(lambda: len(robot.posts) == 2)  # at the next flush
        time.sleep(2)
        assert len(robot.posts) == 2
    finally:
        own.stop()


@sanitize
def test_a_receiver_that_is_down_is_tried_again(robot, folder):
    own = Own(write(folder, ONE.format(f"webhook_configs: [{{url: '{robot.url}/'}}]")
                    .replace("group_interval: 1s", "group_interval: 1m")))
    try:
        robot.answers[None] = [(503, b"later"), (500, b"no"), (200, b"")]
        own.alert(HOT, **TEXTS)
        await_that(lambda: len(robot.posts) == 3)
        assert len(own.monitor.events("notify.retrying")) == 1 and not own.monitor.events("notify.failed")
        assert "HTTP status 503: later" in own.monitor.events("notify.retrying")[0]["message"]
    finally:
        own.stop()


@sanitize
def test_nothing_is_lost_or_told_twice_over_a_restart(robot, folder):
    config = write(folder, ONE.format(f"webhook_configs: [{{url: '{robot.url}/'}}]"))
    robot.answers[None] = [(500, b"down")]
    own = Own(config, data=folder / "data")
    own.alert(HOT, **TEXTS)
    own.alert(dict(HOT, alertname="Other"))
    await_that(lambda: len(robot.posts) >= 2)
    own.monitor.process.kill()  # nobody took it yet
    own.monitor.process.wait()
    robot.answers[None] = [(200, b"")]
    robot.posts.clear()
    own = Own(config, data=folder / "data")
    own.alert(HOT, **TEXTS)  # as rules tell it again
    await_that(lambda: robot.posts)
    status, reply = own.call("/silences", dict(SILENCE, startsAt=in_seconds(0), endsAt=in_seconds(600)))
    own.monitor.process.kill()
    own.monitor.process.wait()
    robot.posts.clear()
    own = Own(config, data=folder / "data")
    try:
        own.alert(HOT, **TEXTS)
        time.sleep(2.5)
        assert not robot.posts  # it was told
        assert own.call("/silence/" + reply["silenceID"])[1]["comment"] == "work"
        own.alert(HOT, ends=in_seconds(0), **TEXTS)
        assert await_that(lambda: robot.bodies())[0]["status"] == "resolved"
    finally:
        own.stop()


@sanitize
def test_more_than_a_robot_takes_waits(robot, folder):
    own = Own(write(folder, ONE.format(f"dingtalk_configs: [{{url: '{robot.url}/', per_minute: 30}}]")
                    .replace("group_interval: 1s", "group_interval: 1m")))
    try:
        robot.answers[None] = [(200, b'{"errcode":0}')]
        for i in range(32):
            own.alert({"alertname": f"A{i}"})
        await_that(lambda: len(robot.posts) == 30)
        assert len(robot.posts) < 32
        await_that(lambda: len(robot.posts) == 32)
    finally:
        own.stop()


@sanitize
def test_a_new_configuration_and_one_with_a_mistake(robot, folder):
    config = write(folder, ONE.format(f"webhook_configs: [{{url: '{robot.url}/old'}}]"))
    own = Own(config)
    try:
        own.alert(HOT, **TEXTS)
        await_that(lambda: robot.bodies("/old"))
        write(folder, "route: {receiver: nobody}\n")
        request = urllib.request.Request(own.url + "/-/reload", b"")
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(request)
        assert b'undefined receiver "nobody" used in route' in e.value.read()
        own.alert(dict(HOT, alertname="A"))
        await_that(lambda: len(robot.bodies("/old")) == 2)
        write(folder, ONE.format(f"webhook_configs: [{{url: '{robot.url}/new'}}]"))
        assert urllib.request.urlopen(request).status == 200
        own.alert(dict(HOT, alertname="B"))
        await_that(lambda: robot.bodies("/new"))
        assert len(robot.bodies("/old")) == 2 and len(robot.bodies("/new")) == 1
    finally:
        own.stop()


# ---- the command line ---------------------------------------------------------------------------------------------

def stoker(*args, **env):
    return subprocess.run([BINARY, "alert", *map(str, args)], capture_output=True, text=True, timeout=60 * SLOW)


RULES = """groups:
  - name: g
    interval: 200ms
    rules:
      - alert: GpuHot
        expr: temp > 85
        labels: {severity: page, team: "{{ $labels.gpu }}"}
        annotations: {summary: "GPU {{ $labels.gpu }} has {{ $value }} degrees"}
"""


@sanitize
def test_a_test_goes_the_real_way(robot, folder):
    config = write(folder, TREE.replace("URL", robot.url).replace("team=\"db\"", "severity=\"page\""))
    own = Own(config, "--rules", write(folder, RULES, "r.yml"))
    try:
        r = stoker("fire", "GpuHot", "gpu=7", "--url", own.url)
        assert (r.returncode, r.stdout) == (0, "pager/webhook/0: delivered\n"), r
        body = robot.bodies("/pager")[0]
        assert body["alerts"][0]["labels"] == {"alertname": "GpuHot", "gpu": "7", "severity": "page"}
        assert "test" in body["alerts"][0]["annotations"]["summary"]
        robot.answers[None] = [(404, b"gone")]
        r = stoker("fire", "Unknown", "team=net", "--url", own.url)
        assert r.returncode == 11 and r.stdout.count("NOT delivered: HTTP status 404: gone") == 2, r
        r = stoker("fire", "GpuHot", "--url", own.url, "--json")
        assert json.loads(r.stdout)[0]["error"] == "HTTP status 404: gone"
        assert stoker("fire", "GpuHot", "7", "--url", own.url).returncode == 2
    finally:
        own.stop()
    m = Monitor()
    try:
        r = stoker("fire", "GpuHot", "--url", m.url)
        assert r.returncode == 4 and "--notify" in r.stderr
    finally:
        m.stop()


MISTAKES = [  # (the file, where, what is said; None: our own words, or a thing of ours)
    ("receivers: [{name: a}]", "1:1", "no route provided in config"),
    ("route: {receiver: b}\nreceivers: [{name: a}]", "1:19", 'undefined receiver "b" used in route'),
    ("route: {group_wait: 1s}\nreceivers: [{name: a}]", "1:8", "root route must specify a default receiver"),
    ("route: {receiver: a, group_wait: 1x}\nreceivers: [{name: a}]", "1:34", 'not a valid duration string: "1x"'),
    ("route: {receiver: a, match: {a: b}}\nreceivers: [{name: a}]", "1:8", "root route must not have any matchers"),
    ("route: {receiver: a, routes: [{matchers: ['a~b']}]}\nreceivers: [{name: a}]", "1:43", "bad matcher format: a~b"),
    ("route: {receiver: a, group_by: ['...', x]}\nreceivers: [{name: a}]", "1:32", "cannot have wildcard group_by"),
    ("route: {receiver: a}\nreceivers: [{name: a}, {name: a}]", "2:24", 'notification config name "a" is not unique'),
    ("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{}]}]", "2:41", "one of url or url_file"),
    ("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'ftp://x'}]}]", "2:41",
     'unsupported scheme "ftp" for URL'),
    ("route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: x@y.z}]}]", "2:39", "no global SMTP smarthost"),
    ("route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: x}]}]", "2:39", "no global Slack API URL"),
    ("route: {receiver: a, rotues: []}\nreceivers: [{name: a}]", "1:22", 'there is no field "rotues" here'),
    ("route: {receiver: a}\nreceivers: [{name: a, pager_configs: []}]", "2:23", "there is no kind of receiver"),
    ("route: {receiver: a, routes: [{mute_time_intervals: [x]}]}\nreceivers: [{name: a}]", "1:31",
     'undefined time interval "x" used in route'),
    ("route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: x, time_intervals: [{weekdays: [someday]}]}]",
     "3:57", '"someday" is not a valid range here'),
    ("route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals: [{name: x, time_intervals: "
     "[{times: [{start_time: '10:00', end_time: '09:00'}]}]}]", "3:54", "start time cannot be equal or greater"),
]


@pytest.mark.parametrize("text,where,what", MISTAKES)
def test_mistakes_in_the_configuration(folder, text, where, what):
    path = write(folder, text)
    r = stoker("check", path)
    assert r.returncode == 2 and f"{path}:{where}: " in r.stdout and what in r.stdout, r
    if "pager_configs" not in text:  # amtool refuses it as well
        assert subprocess.run(["amtool", "check-config", path], capture_output=True).returncode == 1


OWN_MISTAKES = [
    ("slack_configs: [{api_url: 'http://x', text: '{{ .Nmae }}'}]", "there is no field .Nmae"),
    ("slack_configs: [{api_url: 'http://x', text: '{{ template \"no.such\" . }}'}]", 'template "no.such" not defined'),
    ("dingtalk_configs: [{url: 'http://x', language: fr}]", "language must be en or zh"),
    ("wecom_configs: [{url: 'http://x', text: '{{ .Status | toUper }}'}]", 'function "toUper" not defined'),
]


@pytest.mark.parametrize("text,what", OWN_MISTAKES)
def test_mistakes_in_texts(folder, text, what):
    r = stoker("check", write(folder, ONE.format(text)))
    assert r.returncode == 2 and what in r.stdout, r


def test_a_configuration_that_is_right(folder):
    path = write(folder, TREE.replace("URL", "http://x"))
    assert subprocess.run(["amtool", "check-config", path], capture_output=True).returncode == 0
    r = stoker("check", path)
    assert (r.returncode, r.stdout) == (0, f"{path}: 5 routes, 5 receivers, no mistakes\n")
    (folder / "own.tmpl").write_text('{{ define "own" }}{{ .Status }}!{{ template "__subject" . }}{{ end }}')
    path = write(folder, "templates: ['*.tmpl']\n" + ONE.format(
        "slack_configs: [{api_url: 'http://x', text: '{{ template \"own\" . }}'}]"))
    assert stoker("check", path).returncode == 0
