"""stoker.yaml: what is wrong is told with its place; what is right is shown, compared and served."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from stoker import BINARY, ROOT, Server

pytestmark = pytest.mark.one_thread
IRIS = ROOT / "examples/iris.onnx"


def stoker(*args, env=None, cwd=None):
    return subprocess.run([os.path.abspath(BINARY), *map(str, args)], capture_output=True, text=True, timeout=120, cwd=cwd,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})


@pytest.fixture
def check(tmp_path):
    """Checks that text; answers the messages with their places, and the exit status."""
    (tmp_path / "iris.onnx").write_bytes(IRIS.read_bytes())

    def run(text, env=None):
        file = tmp_path / "stoker.yaml"
        file.write_text(text)
        r = stoker("config", "check", "-c", file, env=env)
        assert "AddressSanitizer" not in r.stderr
        if r.returncode == 0:
            assert "fine" in r.stdout
            return 0, []
        return r.returncode, [line.removeprefix(f"{file}:").replace(str(tmp_path), "DIR") for line in r.stdout.splitlines()]
    return run


MISTAKES = [
    # unknown names, and the nearest known ones
    ("serve:\n  http_prot: 1\n", ["2:3: there is no setting 'serve.http_prot'; did you mean 'http_port'?"]),
    ("servces: {}\n", ["1:1: there is no setting 'servces'; did you mean 'services'?"]),
    ("http_port: 1\n", ["1:1: there is no setting 'http_port'; it belongs under 'serve'"]),
    ("serve: {rules: x}\n", ["1:9: there is no setting 'serve.rules'; it belongs under 'monitor'"]),
    ("serve: {zzzzzz: x}\n", ["1:9: there is no setting 'serve.zzzzzz'"]),
    ("services:\n  a:\n    command: x\n    restrat: never\n", ["4:5: there is no setting 'services.a.restrat'; did you mean 'restart'?"]),
    # types
    ("serve: {http_port: abc}\n", ["1:20: option 'serve.http_port': 'abc' is not a whole number"]),
    ("serve: {http_port: [1]}\n", ["1:20: serve.http_port: must be a whole number, not a list"]),
    ("serve: {host: {a: b}}\n", ["1:15: serve.host: must be a text, not a map"]),
    ("serve: {no_monitor: maybe}\n", ["1:21: serve.no_monitor: 'maybe' is not true or false"]),
    ("serve: 7\n", ["1:8: 'serve' must be a map of settings, not a text"]),
    ("models: [a]\n", ["1:9: 'models' must be a map of names, not a list"]),
    ("monitor: {external_labels: {a: [1]}}\n", ["1:32: monitor.external_labels: must be a text, not a list"]),
    ("- a\n", ["1:1: the file must be a map of sections"]),
    # units and ranges
    ("serve:\n  timeout: 5 parsecs\n", ["2:12: option 'serve.timeout': '5 parsecs' is not a duration like 500ms, 30s, 5m or 15d"]),
    ("serve: {max_body: 5Q}\n", ["1:19: option 'serve.max_body': '5Q' is not a size like 512K, 64M or 2G"]),
    ("serve: {http_port: 70000}\n", ["1:20: option 'serve.http_port': 70000 is outside 0 to 65535"]),
    ("serve: {log_level: loud}\n", ["1:20: option 'serve.log_level': 'loud': use debug, info, warn or error"]),
    # references
    ("models:\n  a: nope.onnx\n", ["2:6: models.a.file: there is no file 'DIR/nope.onnx'"]),
    ("models:\n  a: {code: iris.onnx}\n", ["2:3: models.a needs 'file'"]),
    ("services:\n  a: {command: x, after: [b, web]}\n  wob: x\n",
     ["2:26: services.a.after: there is no service 'b'", "2:26: services.a.after: there is no service 'web'; did you mean 'wob'?"]),
    ("services:\n  a: {command: x, after: b}\n  b: {command: x, after: a}\n",
     ["2:26: services.a.after: it waits for itself", "3:26: services.b.after: it waits for itself"]),
    ("services: {serve: x}\n", ["1:12: 'serve' is one of Stoker's own processes; give the service another name"]),
    ("services:\n  ../x: y\n", ["2:9: services: '../x' cannot be a name: use up to 64 of letters, digits, '_', '-' and '.', beginning with a letter or digit"]),
    ("services: {a: {}}\n", ["1:12: services.a needs 'command'"]),
    ("services: {a: \"x 'y\"}\n", ["1:15: services.a.command: a quote is not closed"]),
    ("services: {a: {command: x, user: nobody-here}}\n", ["1:34: option 'services.a.user': 'nobody-here': this machine has no such user"]),
    ("services: {a: {command: x, stop_signal: TRM}}\n", ["1:41: option 'services.a.stop_signal': 'TRM': use the name of a signal, like TERM or INT"]),
    ("services: {a: {command: x, ready_tcp: 80}}\n", ["1:39: option 'services.a.ready_tcp': '80': use HOST:PORT"]),
    ("schedules: {a: {command: x}}\n", ["1:13: schedules.a needs 'at'"]),
    ("schedules: {a: {command: x, at: 0 0 30 2 *, timezone: Mars/Base}}\n",
     ["1:55: option 'schedules.a.timezone': 'Mars/Base': there is no such time zone on this machine (a name like Europe/Berlin, package tzdata)"]),
    ("backups: {a: {repo: b}}\n", ["1:11: backups.a needs 'sources'"]),
    ("notify:\n  route: {receiver: nobody}\n", ["2:21: undefined receiver \"nobody\" used in route"]),
    # the environment
    ("serve: {host: \"${NOT_SET_AT_ALL}\"}\n", ["1:15: serve.host: the environment has no 'NOT_SET_AT_ALL'; set it, or write ${NAME:-text}"]),
    ("serve: {host: \"${a b}\"}\n", ["1:15: serve.host: '${a b}' is not understood; write ${NAME} or ${NAME:-text}"]),
    # YAML itself
    ("serve: {http_port: 1\n", ["2:1: did not find expected ',' or '}'"]),
    ("serve: {}\nserve: {}\n", ["2:1: the key \"serve\" is there already, in line 1"]),
]


@pytest.mark.sanitize
@pytest.mark.parametrize("text,want", MISTAKES, ids=[w[0][:40] for _, w in MISTAKES])
def test_mistakes_are_told_with_their_place(check, text, want):
    assert check(text) == (2, want)


@pytest.mark.sanitize
def test_all_mistakes_are_told_at_once_also_as_json_and_in_chinese(check, tmp_path):
    text = "serve: {http_prot: 1, timeout: x}\nmodels: {a: nope}\n"
    assert len(check(text)[1]) == 3
    r = stoker("config", "check", "-c", tmp_path / "stoker.yaml", "--json")
    got = json.loads(r.stdout)
    assert [(m["line"], m["column"]) for m in got] == [(1, 9), (1, 32), (2, 13)] and r.returncode == 2
    assert got[0]["message"] == "there is no setting 'serve.http_prot'; did you mean 'http_port'?"
    r = stoker("config", "check", "-c", tmp_path / "stoker.yaml", env={"LC_ALL": "zh_CN.UTF-8"})
    assert "没有名为 'serve.http_prot' 的设置" in r.stdout


@pytest.mark.sanitize
@pytest.mark.parametrize("text", ["", "# nothing\n", "serve:\n", "serve: {}\nmodels: {}\n", "serve: {HTTP_PORT: }\n".lower(), "serve: {http-port: 1}\n",
                                  "services: {a: echo 'b  c' \"d\"}\n", "monitor: {rules: [], external_labels: {a: b}}\n", "logs: {clean: [/var/log/x]}\n"])
def test_what_is_fine(check, text):
    assert check(text) == (0, [])


def test_every_setting_and_its_default_is_accepted_and_shown_and_makes_no_difference(tmp_path):
    """What `show --all` writes, with its comments taken away, is a file that says the same."""
    old = tmp_path / "old.yaml"
    old.write_text("services: {a: {command: x}}\nbackups: {b: {sources: /etc/hostname, repo: /tmp/r}}\nschedules: {c: {command: y, at: '@daily'}}\n")
    shown = stoker("config", "show", "--all", "-c", old)
    assert shown.returncode == 0
    new = tmp_path / "new.yaml"
    new.write_text(re.sub(r"(?m)^( +)# ", r"\1", shown.stdout))
    assert stoker("config", "check", "-c", new).returncode == 0, new.read_text()
    r = stoker("config", "diff", old, "-c", new)
    assert (r.returncode, r.stdout) == (0, "no difference\n")
    # Every setting that `config --help` tells of is known, and `show --all` has those with a default.
    told = {m for m in re.findall(r"(?m)^  ([a-z_0-9]+): ", stoker("config", "--help").stdout)}
    assert len(told) > 90
    defaults = {m for m in re.findall(r"(?m)^ +([a-z_0-9]+): ", new.read_text())} - {"a", "b", "c"}
    assert defaults <= told and len(defaults) > 50


def test_values_come_from_the_environment_and_secrets_are_not_shown(tmp_path):
    file = tmp_path / "stoker.yaml"
    file.write_text("serve: {host: '${H}', device: '${D:-cpu}'}\n"
                    "monitor: {logs_to: 'http://me:hunter2@host/_bulk'}\n"
                    "notify: {route: {receiver: r}, receivers: [{name: r, email_configs: [{to: a@b.c, from: d@e.f, smarthost: 'x:25', auth_password: hunter2}]}]}\n"
                    "services: {a: {command: x, environment: {API_TOKEN: hunter2, PATH: /bin, KEY: '${K}'}}}\n")
    env = {"H": "::1", "K": "hunter2"}
    assert stoker("config", "check", "-c", file, env=env).returncode == 0
    for args in [[], ["--json"], ["--all"]]:
        r = stoker("config", "show", "-c", file, *args, env=env)
        assert r.returncode == 0 and "hunter2" not in r.stdout and "${H}" in r.stdout and "<secret>" in r.stdout
        assert "/bin" in r.stdout and "${K}" in r.stdout
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text().replace("hunter2", "hunter3"))
    r = stoker("config", "diff", file, "-c", other, env=env)
    assert "hunter" not in r.stdout + r.stderr


def test_diff_tells_what_is_different(tmp_path):
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.write_text("serve: {http_port: 1}\n")
    b.write_text("serve: {http_port: 2}\nservices: {x: {command: [a, b]}}\n")
    r = stoker("config", "diff", a, "-c", b)
    assert r.returncode == 20
    assert r.stdout.startswith("- serve.http_port: 1\n+ serve.http_port: 2\n+ services.x.command: [a, b]\n")
    got = {d["setting"]: d for d in json.loads(stoker("config", "diff", a, "-c", b, "--json").stdout)}
    assert got["serve.http_port"] == {"setting": "serve.http_port", "was": "1", "is": "2"}


def test_no_file(tmp_path):
    r = stoker("config", "check", cwd=tmp_path)
    assert r.returncode == 4 and "stoker init MODEL" in r.stderr
    r = stoker("config", "check", "-c", tmp_path / "none.yaml")
    assert r.returncode == 4 and "none.yaml" in r.stderr


@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_init_writes_a_file_that_serves(tmp_path, language):
    (tmp_path / "my models").mkdir()
    model = tmp_path / "my models/iris.onnx"
    model.write_bytes(IRIS.read_bytes())
    env = {"LC_ALL": language}
    r = stoker("init", model, cwd=tmp_path, env=env)
    assert r.returncode == 0, r.stderr
    text = (tmp_path / "stoker.yaml").read_text()
    assert 'iris: "my models/iris.onnx"' in text
    # It is a sample, too: what is commented out is right once the '#' is gone.
    r = stoker("init", model, cwd=tmp_path, env=env)
    assert r.returncode == 5 and "--force" in r.stderr
    (tmp_path / "models").mkdir()
    all_on = tmp_path / "all.yaml"
    all_on.write_text(re.sub(r"(?m)^# (?!----)(?=[a-z]+:$|  )", "", text))
    r = stoker("config", "check", "-c", all_on)
    assert r.returncode == 0, r.stdout + all_on.read_text()
    assert stoker("init", tmp_path / "nothing.onnx", "-o", "x.yaml", cwd=tmp_path).returncode == 4
    assert stoker("init", model, "--force", cwd=tmp_path, env=env).returncode == 0
    s = Server("--config", tmp_path / "stoker.yaml", env={"STOKER_STATE": str(tmp_path / "state")})
    try:
        assert s.request("POST", "/v1/models/iris:predict", b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}')[0] == 200
    finally:
        s.stop()


def test_the_command_line_goes_before_the_file(tmp_path):
    file = tmp_path / "stoker.yaml"
    file.write_text(f"models: {{flower: {IRIS}}}\nserve: {{http_port: 1, max_body: 100}}\n")
    s = Server("--config", file)  # says --http-port 0
    try:
        assert s.port != 1
        assert s.request("POST", "/predict", b"[" + b"1," * 200 + b"1]")[0] == 413
    finally:
        s.stop()


def test_each_model_may_have_its_own_code(tmp_path):
    """What a file of another framework lacks is said for each model, and still known when one is loaded again."""
    torch = ROOT / "tests/fixtures/torch"
    code = "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(3, 2)\n" \
           "    def forward(self, x):\n        return self.a(x)\n"
    (tmp_path / "net.py").write_text(code)
    r = stoker("inspect", torch / "sd.pth", "--json")
    file = tmp_path / "stoker.yaml"
    file.write_text(f"models:\n  flower: {IRIS}\n  net: {{file: {torch / 'sd.pth'}, code: net.py, input: '1,1,8,8'}}\n")
    r = stoker("serve", "--config", file, "--http-port", "0", "--no-monitor")
    # The class is not the one of the file: that it was looked at shows in the message.
    assert r.returncode != 0 and "only in the file: bn." in r.stderr
