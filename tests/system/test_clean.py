"""`stoker logs clean`: what is old goes, and nothing else does."""
import datetime
import fnmatch
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest

from stoker import BINARY as GIVEN

pytestmark = pytest.mark.one_thread
sanitize = pytest.mark.sanitize

BINARY = os.path.abspath(GIVEN)
DAY = 86400
MATCH = "*.log,*.log.*,*.log-*,*.out,*.err"


def clean(*args, env=None, **kw):
    return subprocess.run([BINARY, "logs", "clean", *map(str, args)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}, **kw)


def cleaned(tmp_path, *args, env=None):
    """What it says of the one directory; the journal is beside it."""
    r = clean(*args, "--json", "--journal", tmp_path / "journal", env=env)
    assert r.returncode in (0, 20), r.stderr
    return json.loads(r.stdout)[0]


def files(root):
    """Everything beneath, by path: (kind, inode)."""
    found = {}
    for folder, folders, names in os.walk(root):
        for n in folders + names:
            st = os.lstat(os.path.join(folder, n))
            found[os.path.join(folder, n)] = (st.st_mode & 0o170000, st.st_ino)
    return found


# ---- random trees -----------------------------------------------------------------

NAMES = ["app.log", "app.log.1", "app.log.2.gz", "app.log-20261101", "x.out", "y.err", "notes.txt", "model.onnx", "log", ".log", "a b.log", "日志.log", "-rf.log", "*.log",
         "new\nline.log", "app-2026-11-20.log", "app-20261120.log", "app_2026_11_20.log", "app.2026.11.20.log", "app-2026-02-30.log", "app-20261320.log", "app-120261120.log",
         "app-20261120103000.log", "20991231.log", "app-2026-11-20", "x" * 240 + ".log"]


def name_date(name):
    """End of the day of the date in a name, local time; None."""
    for m in re.finditer(r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?:\d{4}|\d{6})?(?!\d)", name):
        try:
            day = datetime.date(int(m[1]), int(m[3]), int(m[4]))
        except ValueError:
            continue
        end = day + datetime.timedelta(days=1)
        return datetime.datetime(end.year, end.month, end.day).timestamp()
    return None


def grow(r, root, outside, now):
    """A random tree; the descriptors that are open in it."""
    folders, opened = [root], []
    for _ in range(r.randrange(6)):
        f = r.choice(folders) / r.choice(["a", "b.log", "c d", "日"])
        if not f.exists():
            f.mkdir()
            folders.append(f)
    for _ in range(r.randrange(5, 40)):
        at = r.choice(folders) / r.choice(NAMES)
        if os.path.lexists(at):
            continue
        kind = r.random()
        if kind < 0.08:
            at.symlink_to(r.choice([outside / "app.log", outside, "/etc/passwd", "nowhere", at.name]))
        elif kind < 0.12:
            os.mkfifo(at)
        elif kind < 0.16:
            os.link(outside / "linked", at)
        else:
            at.write_bytes(b"x" * r.choice([0, 1, 5000, 70000]))
            if r.random() < 0.15:
                opened.append(os.open(at, r.choice([os.O_RDONLY, os.O_WRONLY, os.O_RDWR])))
        age = r.choice([-30, -1, 0, 3, 6.9, 7.1, 30, 4000]) * DAY
        os.utime(at, (now, now - age), follow_symlinks=False)
    return opened


def expected(root, now, match, older, by_name, total, opened):
    """What must go, by the words of the manual."""
    held = {(os.fstat(fd).st_dev, os.fstat(fd).st_ino) for fd in opened}
    found = []
    for folder, _, names in os.walk(root):
        for n in names:
            path = os.path.join(folder, n)
            st = os.lstat(path)
            if st.st_mode & 0o170000 != 0o100000 or not any(fnmatch.fnmatchcase(n, g) for g in match.split(",")):
                continue
            stamp = name_date(n) if by_name else st.st_mtime
            if stamp is not None:
                found.append((stamp, os.path.relpath(path, root).encode(), path, st.st_blocks * 512, (st.st_dev, st.st_ino) in held))
    found.sort()
    left, gone, stays = sum(f[3] for f in found), set(), set()
    for stamp, _, path, size, is_open in found:
        if not ((older is not None and now - stamp > older * DAY) or (total is not None and left > total)):
            break
        (stays if is_open else gone).add(path)
        left -= 0 if is_open else size
    return gone, stays


@sanitize
@pytest.mark.parametrize("seed", range(40))
def test_random_trees(seed, tmp_path, monkeypatch):
    r = random.Random(seed)
    monkeypatch.setenv("TZ", r.choice(["UTC", "Asia/Shanghai", "America/New_York"]))
    time.tzset()
    root, outside = tmp_path / "logs", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    now = time.time()
    for n in ("app.log", "linked"):
        (outside / n).write_text("precious")
        os.utime(outside / n, (now, now - 90 * DAY))
    opened = grow(r, root, outside, now)
    older, total = r.choice([7, 7, 0.5, None]), r.choice([None, None, 0, 50000])
    older = 7 if older is None and total is None else older
    by_name, match = r.random() < 0.4, r.choice([MATCH, MATCH, "*", "*.gz,app*", ""])
    args = [root, *(["--older-than", f"{older}d"] if older is not None else []), *(["--max-total", str(total)] if total is not None else []),
            *(["--by-name"] if by_name else []), *(["--match", match] if match != MATCH else [])]
    gone, stays = expected(root, now, match, older, by_name, total, opened)
    before, besides = files(root), files(outside)
    dry = cleaned(tmp_path, *args, "--dry-run")
    assert files(root) == before and not (tmp_path / "journal").exists()
    said = cleaned(tmp_path, *args)
    after = files(root)
    assert {k: v for k, v in before.items() if k not in gone} == after, (args, gone ^ (before.keys() - after.keys()))
    assert files(outside) == besides and (outside / "app.log").read_text() == "precious"
    for answer in (dry, said):
        assert {e["path"] for e in answer["logs"] if e["fate"] == "removed"} == gone
        assert {e["path"] for e in answer["logs"] if e["fate"] == "open"} == stays
        assert answer["removed"] == len(gone) and answer["open"] == len(stays) and answer["failed"] == 0
    journal = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()] if (tmp_path / "journal").exists() else []
    assert {j["file.path"] for j in journal} == gone and all(j["event.action"] == "log.removed" for j in journal)
    for fd in opened:
        os.close(fd)
    monkeypatch.undo()
    time.tzset()


# ---- one by one --------------------------------------------------------------------


def old(path, days=30, size=1):
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time(), time.time() - days * DAY))
    return path


def test_what_a_person_sees(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for n, days in (("a.log.1", 30), ("b.log", 8), ("c.log", 1), ("d.txt", 99)):
        old(logs / n, days)
    r = clean(logs, "--dry-run")
    assert r.returncode == 0 and "30 d  " + str(logs / "a.log.1") + "  would go" in r.stdout
    assert f"{logs}: 2 of 3 logs would go, 8.2 kB; 0 open, 0 failed" in r.stdout and len(list(logs.iterdir())) == 4
    state = tmp_path / "state"
    r = clean(logs, env={"STOKER_STATE": str(state)})
    assert r.returncode == 0 and "removed" in r.stdout and sorted(p.name for p in logs.iterdir()) == ["c.log", "d.txt"]
    assert [json.loads(line)["file.path"] for line in (state / "logs/clean.jsonl").read_text().splitlines()] == [str(logs / "a.log.1"), str(logs / "b.log")]
    assert (state / "logs/clean.jsonl").stat().st_mode & 0o777 == 0o600
    assert "已删除" in clean(logs, "--older-than", "0", env={"LC_ALL": "zh_CN.UTF-8", "STOKER_STATE": str(state)}).stdout
    assert sorted(p.name for p in logs.iterdir()) == ["d.txt"]


@pytest.mark.parametrize("args,status,words", [
    (["/"], 2, "is a directory of the system"), (["/var"], 2, "is a directory of the system"), (["/usr/share"], 2, "is a directory of the system"),
    (["/nowhere/at/all"], 4, "No such file"), (["{tmp}/file"], 1, "Not a directory"), ([], 2, "")])
def test_directories_that_are_none(tmp_path, args, status, words):
    (tmp_path / "file").write_text("")
    r = clean(*[a.format(tmp=tmp_path) for a in args], "--journal", tmp_path / "j")
    assert r.returncode != 0 and words in r.stderr, (r.returncode, r.stderr)


def test_a_link_to_the_tree_is_no_way_around(tmp_path):
    (tmp_path / "etc").symlink_to("/etc")
    r = clean(tmp_path / "etc", "--journal", tmp_path / "j")
    assert r.returncode == 2 and "directory of the system" in r.stderr


def test_nothing_goes_without_a_journal(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    old(logs / "a.log")
    r = clean(logs, "--journal", "/nowhere/journal")
    assert r.returncode != 0 and "/nowhere/journal" in r.stderr and (logs / "a.log").exists()


def test_a_full_disk_under_the_journal_stops_it(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    old(logs / "a.log")
    r = clean(logs, "--journal", "/dev/full")
    assert r.returncode == 20 and "the journal cannot be written" in r.stdout and (logs / "a.log").exists()


def test_free_space(tmp_path):
    """As many of the oldest as are wanted."""
    script = f"""mount -t tmpfs -o size=4m none {tmp_path} && mkdir {tmp_path}/l && cd {tmp_path}/l
for i in 1 2 3 4 5 6; do head -c 500000 /dev/zero > $i.log; touch -d "$i hours ago" $i.log; done
{BINARY} logs clean . --keep-free 2500000 --journal /dev/null >/dev/null && ls"""
    r = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    if "unshare" in r.stderr or "mount:" in r.stderr:
        pytest.skip(f"no mounts of our own here: {r.stderr.strip()}")
    assert r.stdout.split() == ["1.log", "2.log", "3.log"], (r.stdout, r.stderr)


def test_other_file_systems_stay(tmp_path):
    logs = tmp_path / "logs"
    (logs / "mounted").mkdir(parents=True)
    old(logs / "a.log")
    script = f"mount -t tmpfs none {logs}/mounted && touch -d '30 days ago' {logs}/mounted/b.log && {BINARY} logs clean {logs} --journal {tmp_path}/j > /dev/null; ls {logs} {logs}/mounted"
    r = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    if "unshare" in r.stderr or "mount:" in r.stderr:
        pytest.skip(f"no mounts of our own here: {r.stderr.strip()}")
    assert "b.log" in r.stdout and "a.log" not in r.stdout


def test_an_unlinked_name_frees_nothing_and_a_mapped_file_is_open(tmp_path):
    import mmap
    logs = tmp_path / "logs"
    logs.mkdir()
    old(logs / "m.log", size=5000)
    fd = os.open(logs / "m.log", os.O_RDONLY)
    m = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    os.close(fd)
    assert cleaned(tmp_path, logs)["open"] == 1 and (logs / "m.log").exists()
    m.close()
    assert cleaned(tmp_path, logs)["removed"] == 1


def test_killed_in_the_middle(tmp_path):
    """What is gone was written down."""
    r = random.Random(1)
    for round in range(10):
        logs, journal = tmp_path / f"logs{round}", tmp_path / f"journal{round}"
        logs.mkdir()
        names = {str(old(logs / f"{i}.log")) for i in range(400)}
        p = subprocess.Popen([BINARY, "logs", "clean", logs, "--journal", journal], stdout=subprocess.DEVNULL)
        time.sleep(r.uniform(0.01, 0.12))
        p.send_signal(signal.SIGKILL)
        p.wait()
        gone = names - {str(f) for f in logs.iterdir()}
        noted = {json.loads(line)["file.path"] for line in journal.read_text().splitlines()} if journal.exists() else set()
        assert gone <= noted and len(noted - gone) <= 1, (len(gone), len(noted))


def test_two_at_once(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for i in range(500):
        old(logs / f"{i}.log")
    ps = [subprocess.Popen([BINARY, "logs", "clean", logs, "--json", "--journal", tmp_path / "j"], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [json.loads(p.communicate(timeout=60)[0])[0] for p in ps]
    # One may hold what another wants to remove; the next run takes it.
    assert cleaned(tmp_path, logs)["failed"] == 0 and not list(logs.iterdir())
    assert sum(s["removed"] for s in said) <= 500


def test_many_files(tmp_path):
    logs = tmp_path / "logs"
    for d in range(20):
        (logs / str(d)).mkdir(parents=True)
        for i in range(150):
            old(logs / str(d) / f"{i}.log")
    pathlib.Path(logs / "0/young.log").write_text("x")
    said = cleaned(tmp_path, logs)
    assert said["removed"] == 3000 and [str(p) for p in logs.rglob("*.log")] == [str(logs / "0/young.log")]
