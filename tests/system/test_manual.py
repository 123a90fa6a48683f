"""The examples in README.md and docs/manual are run, and print what they say."""
import os
import re
import subprocess

import pytest

from stoker import BINARY, ROOT, Server, run
from test_monitor import Monitor

PAGES = ["README.md", "README.zh-CN.md", *[f"docs/manual/{p.name}" for p in sorted((ROOT / "docs/manual").glob("*.md"))]]
BLOCK = re.compile(r"```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.S)


@pytest.fixture(scope="module")
def server():
    with Server(ROOT / "examples/iris.onnx") as s:
        yield s


@pytest.fixture(scope="module")
def monitor(server):
    m = Monitor("--interval", "1s", f"stoker={server.url}/metrics", built_in=True)
    m.await_value("up", 1)
    yield m
    m.stop()


def test_examples(server, monitor):
    ran = 0
    for page in PAGES:
        for command, want in BLOCK.findall((ROOT / page).read_text()):
            if not command.startswith("curl"):
                continue
            command = command.replace("http://127.0.0.1:8000", server.url)
            r = subprocess.run(["sh", "-c", command.replace("http://127.0.0.1:8002", monitor.url)],
                               capture_output=True, text=True, timeout=30)
            assert r.returncode == 0, (page, command, r.stderr)
            pattern = re.escape(want.strip()).replace(re.escape("..."), ".*")
            assert not want or re.fullmatch(pattern, r.stdout.strip(), re.S), (page, command, r.stdout)
            assert r.stdout.strip()
            ran += 1
    assert ran >= 10


def test_every_option_and_event_in_the_manual_exists():
    text = (ROOT / "docs/manual/serve.md").read_text()
    known = subprocess.run([BINARY, "help", "serve"], capture_output=True, text=True,
                           env={**os.environ, "LC_ALL": "C"}).stdout
    for flag in re.findall(r"`(--[a-z-]+)`", text):
        assert flag in known, flag
    listed = set(re.findall(r"`([a-z]+\.[a-z_]+)`", (ROOT / "docs/manual/log-events.md").read_text()))
    used = set()
    for path in (ROOT / "src").rglob("*.c"):
        source = path.read_text()
        used |= set(re.findall(r'log_event\(\s*LOG_[A-Z]+,\s*"([a-z._]+)"', source))
        used |= set(re.findall(r'say\([^";]*(?:true|false),\s*"([a-z]+\.[a-z_]+)"', source))
    assert used == listed, used ^ listed


def test_commands_that_we_advise_exist():
    """`stoker COMMAND [WORD] --option` in what programs print and rules say: the command and its options are there, and the first word is one of its own."""
    files = [p for p in (ROOT / "src").rglob("*") if p.suffix in (".c", ".def")] + [*(ROOT / "rules").rglob("*.y*ml"), *(ROOT / "console").rglob("*.js")]
    listed = {m[1] for m in re.finditer(r"^  ([a-z-]+) ", run("help").stdout.decode(), re.M)}
    targets = {line.split()[0] for line in run("setup").stdout.decode().splitlines() if line}
    seen = set()
    for f in files:
        text = re.sub(r'"\s*\n\s*"', "", f.read_text())  # strings that go on in the next line
        for m in re.finditer(r"\bstoker ([a-z]+)((?: (?:--[a-z-]+|[a-z_]+(?=[ '\"\\])))*)", text):
            command, words = m[1], m[2].split()
            if f.suffix == ".c" and text.rfind('"', 0, m.start()) < max(text.rfind("\n", 0, m.start()), text.rfind("/*", 0, m.start())):
                continue  # a comment
            if command not in listed:
                continue  # "stoker is ..."
            help_text = run(*(command, words[0], "--help") if words and command in ("alert", "doctor") and not words[0].startswith("-") else (command, "--help")).stdout.decode()
            for w in words:
                if w.startswith("--"):
                    assert re.search(rf"(?<![\w-]){w}(?![\w-])", help_text), (f, m[0])
            if command == "setup" and words and not words[0].startswith("-"):
                assert words[0] in targets | {"undo", "resume", "runs", "all", "k8s"}, (f, m[0])
            seen.add(command)
    assert seen >= {"serve", "setup", "doctor", "compat"}
