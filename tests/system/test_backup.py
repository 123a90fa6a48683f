"""`stoker backup`: what is listed is whole, what is restored is what was saved, and whatever else is said."""
import datetime
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import stat
import subprocess
import threading
import time

import pytest

from stoker import BINARY as GIVEN

sanitize = pytest.mark.sanitize
one_thread = pytest.mark.one_thread

BINARY = os.path.abspath(GIVEN)
HERE = pathlib.Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0


def backup(*args, env=None, timeout=600, **kw):
    return subprocess.run([BINARY, "backup", *map(str, args)], capture_output=True, text=True, timeout=timeout, errors="replace",
                          env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", **(env or {})}, **kw)


def good(*args, code=0, **kw):
    """Its answer as JSON."""
    r = backup(*args, "--json", **kw)
    assert r.returncode == code or code is None and r.returncode in (0, 20), (args, r.returncode, r.stdout, r.stderr)
    return json.loads(r.stdout)


def names(repo):
    return [b["name"] for b in good("list", "-r", repo)]


def settle():
    """A file that was changed a moment ago may change again within the same tick: the next backup would read it again."""
    time.sleep(1.2)


def can_xattr(folder):
    try:
        os.setxattr(folder, "user.x", b"1")
        os.removexattr(folder, "user.x")
        return True
    except OSError:
        return False


def facts(root):
    """All that a restore must bring back, by path beneath."""
    seen, found = {}, {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in [b"."] * (folder == os.fsencode(root)) + folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            one = [kind, stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid]
            if kind != stat.S_IFLNK:
                one.append(sorted((n, os.getxattr(path, n)) for n in os.listxattr(path) if n.startswith("user.") or "acl" in n))
            if kind == stat.S_IFREG:
                data = open(path, "rb").read()
                one += [hashlib.sha256(data).hexdigest(), st.st_mtime_ns, st.st_blocks * 512 < st.st_size]
                if st.st_nlink > 1:
                    one.append(seen.setdefault(st.st_ino, os.path.relpath(path, os.fsencode(root))))
            if kind == stat.S_IFLNK:
                one += [os.readlink(path), st.st_mtime_ns]
            if kind == stat.S_IFDIR:
                one.append(st.st_mtime_ns)
            found[os.path.relpath(path, os.fsencode(root))] = one
    return found


ODD = [b"plain.onnx", b"a b", b" lead", b"trail ", b"#hash", b"=", b"back\\slash", b"new\nline", b"tab\t", b"\xff\xfe not utf-8", "模型.onnx".encode(), b"*", b"[x]",
       b"-rf", b"a", b"a-b", b"a.b", b"a0", b"..x", b"\x01", b"x" * 255, b"\\040", b"MANIFEST.mtree", b"SHA256SUMS"]


def random_tree(folder, seed, big=3 << 20):
    """Files of all sizes, odd names, links of both kinds, holes, pipes, attributes, modes and times."""
    r = random.Random(seed)
    folders, files = [os.fsencode(folder)], []
    os.makedirs(folder, exist_ok=True)
    for _ in range(r.randint(1, 8)):
        path = os.path.join(r.choice(folders), r.choice(ODD))
        if not os.path.lexists(path) and len(path) < 3000:
            os.mkdir(path)
            folders.append(path)
    for _ in range(r.randint(5, 40)):
        path = os.path.join(r.choice(folders), r.choice(ODD) + (b"%d" % r.randint(0, 9) if r.random() < 0.5 else b""))
        if os.path.lexists(path) or len(os.path.basename(path)) > 255:
            continue
        kind = r.random()
        if kind < 0.1:
            os.symlink(r.choice([b"a", b"/nowhere", b"../..", b"x y", b"\xff"]), path)
        elif kind < 0.15:
            os.mkfifo(path)
        elif kind < 0.25 and files:
            os.link(r.choice(files), path)
        else:
            with open(path, "wb") as f:
                size = r.choice([0, 1, 100, 4096, 70000, 1 << 20, r.randint(0, big)])
                if r.random() < 0.2:
                    f.truncate(size + (1 << 20))
                    f.seek(r.randint(0, size))
                f.write(r.randbytes(size))
            files.append(path)
            os.chmod(path, r.choice([0o644, 0o600, 0o400, 0o755, 0o4711, 0o2755, 0o000] if IS_ROOT else [0o644, 0o600, 0o755]))
            if can_xattr(folder) and r.random() < 0.3:
                os.setxattr(path, b"user." + r.choice([b"a", b"\xc3\xa9", b"with space", b"eq=al"]), r.randbytes(r.randint(0, 300)))
            if IS_ROOT and r.random() < 0.3:
                os.chown(path, r.randint(0, 70000), r.randint(0, 70000))
            os.utime(path, ns=(0, r.choice([0, 1, 1700000000123456789, 4000000000 * 10**9, -5 * 10**9 + 7])))
    for path in folders[1:]:
        os.chmod(path, r.choice([0o755, 0o700, 0o1777, 0o555]))
        os.utime(path, ns=(0, r.choice([1, 1700000000000000001])))
    return folder


# ---- there and back ----------------------------------------------------------------


@sanitize
@pytest.mark.parametrize("seed", range(6))
def test_there_and_back(tmp_path, seed):
    """Also through a second backup that shares files with the first, and from each of them after the other is gone."""
    tree = random_tree(tmp_path / "tree", seed)
    settle()
    before = facts(tree)
    first = good("create", tree, "-r", tmp_path / "repo")
    second = good("create", tree, "-r", tmp_path / "repo")
    assert second["before"] == first["name"] and second["new_files"] == 0 and second["new_bytes"] == 0 and second["bytes"] == first["bytes"]
    assert first["entries"] == len(before)
    for name in (first["name"], second["name"]):
        assert good("verify", name, "-r", tmp_path / "repo")[0]["wrong"] == 0
        r = good("restore", name, "-r", tmp_path / "repo", "--to", tmp_path / name)
        assert r["entries"] == len(before) and r["incomplete"] == 0
        assert facts(tmp_path / name / "tree") == before
    assert good("diff", first["name"], second["name"], "-r", tmp_path / "repo") == []
    assert good("diff", "latest", "-r", tmp_path / "repo") == []
    good("prune", "--keep-last", "1", "-r", tmp_path / "repo")
    good("restore", "latest", "-r", tmp_path / "repo", "--to", tmp_path / "third")
    assert facts(tmp_path / "third/tree") == before
    assert facts(tree) == before


@sanitize
def test_in_its_place_and_never_over_it(tmp_path):
    tree = random_tree(tmp_path / "tree", 1)
    good("create", tree, "-r", tmp_path / "repo")
    before = facts(tree)
    (tree / "since").write_text("new")
    changed = facts(tree)
    r = backup("restore", "latest", "-r", tmp_path / "repo")
    assert r.returncode == 5 and "is there already" in r.stderr and "--force" in r.stderr and "--to" in r.stderr
    assert facts(tree) == changed
    r = backup("restore", "latest", "-r", tmp_path / "repo", "--dry-run")
    assert r.returncode == 0 and "would be put aside" in r.stdout and facts(tree) == changed
    r = good("restore", "latest", "-r", tmp_path / "repo", "--force")
    assert facts(tree) == before
    old = r["restored"][0]["old"]
    assert pathlib.Path(old).parent == tmp_path and facts(old) == changed
    shutil.rmtree(tree)
    r = good("restore", "latest", "-r", tmp_path / "repo")
    assert facts(tree) == before and r["restored"] == [{"path": str(tree), "old": ""}]
    assert sorted(os.listdir(tmp_path)) == sorted(["tree", "repo", os.path.basename(old)])


def test_one_file_of_one_source(tmp_path):
    for name in ("models", "config"):
        (tmp_path / name / "iris/1").mkdir(parents=True)
        (tmp_path / name / "iris/1/x").write_text(name)
        os.link(tmp_path / name / "iris/1/x", tmp_path / name / "iris/y")
    single = tmp_path / "stoker.yaml"
    single.write_text("a: 1\n")
    repo = tmp_path / "repo"
    good("create", tmp_path / "models", tmp_path / "config", f"etc={single}", "-r", repo)
    assert [s["name"] for s in good("list", "-r", repo)[0]["sources"]] == ["config", "etc", "models"]
    good("restore", "latest", "models/iris/1/x", "-r", repo, "--to", tmp_path / "a")
    assert (tmp_path / "a/x").read_text() == "models" and os.listdir(tmp_path / "a") == ["x"]
    good("restore", "latest", "models/iris/y/", "-r", repo, "--to", tmp_path / "a")  # the other name alone
    assert (tmp_path / "a/y").read_text() == "models"
    good("restore", "latest", "config/iris", "-r", repo, "--to", tmp_path / "a")
    assert (tmp_path / "a/iris/1/x").read_text() == "config"
    single.unlink()
    good("restore", "latest", "etc", "-r", repo)
    assert single.read_text() == "a: 1\n"
    for wrong in ("nothing", "models/nothing", "../models", "mode"):
        r = backup("restore", "latest", wrong, "-r", repo, "--to", tmp_path / "b")
        assert r.returncode == 4 and "there is no" in r.stderr, r.stderr
    good("restore", "latest", "-r", repo, "--to", tmp_path / "all")
    assert sorted(os.listdir(tmp_path / "all")) == ["config", "etc", "models"]


@sanitize
@one_thread
def test_files_can_be_read_without_stoker(tmp_path):
    """sha256sum checks them, bsdtar and mtree read the manifest."""
    tree = random_tree(tmp_path / "tree", 7)
    made = good("create", tree, "-r", tmp_path / "repo")
    folder = tmp_path / "repo" / made["name"]
    r = subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True)
    assert r.returncode == 0, r.stdout + r.stderr
    listed = subprocess.run(["bsdtar", "-tf", "MANIFEST.mtree"], cwd=folder, capture_output=True, check=True).stdout.splitlines()
    assert len(listed) == made["entries"] + 1  # and the top
    # What mtree says is different are times of directories and of links, modes and owners: of what may not be written any more.
    r = subprocess.run(["mtree", "-C", "-f", "MANIFEST.mtree"], cwd=folder, capture_output=True)
    assert r.returncode == 0 and len(r.stdout.splitlines()) >= made["entries"]
    r = subprocess.run(["mtree", "-f", "MANIFEST.mtree", "-p", ".", "-k", "type,size,sha256,link"], cwd=folder, capture_output=True, text=True, errors="replace")
    assert r.returncode == 0 or "extra: " in r.stdout, r.stdout + r.stderr
    assert not re.search("missing|changed", r.stdout), r.stdout
    for path, one in facts(tree).items():  # the bytes are there under their names
        if one[0] == stat.S_IFREG:
            assert hashlib.sha256(open(os.path.join(os.fsencode(folder), b"tree", path), "rb").read()).hexdigest() == one[5]


def test_what_did_not_change_is_there_once(tmp_path):
    tree = tmp_path / "tree"
    (tree / "m").mkdir(parents=True)
    for name in ("a", "b", "c"):
        (tree / "m" / name).write_bytes(os.urandom(100000))
    settle()
    repo = tmp_path / "repo"
    one = good("create", tree, "-r", repo)["name"]
    (tree / "m/a").write_bytes(os.urandom(100000))  # other bytes
    os.utime(tree / "m/b", ns=(5, 5))  # another time
    os.chmod(tree / "m/c", 0o600)  # other facts
    made = good("create", tree, "-r", repo)
    two = made["name"]
    inode = {(n, f): (repo / n / "tree/m" / f).stat().st_ino for n in (one, two) for f in "abc"}
    assert [inode[one, f] == inode[two, f] for f in "abc"] == [False, True, True]
    assert made["new_files"] == 1 and made["new_bytes"] == 100000
    changes = {d["path"]: d["change"] for d in good("diff", one, two, "-r", repo)}
    assert changes == {"tree/m/a": "changed", "tree/m/b": "facts", "tree/m/c": "facts"}
    good("restore", two, "-r", repo, "--to", tmp_path / "out")
    assert (tmp_path / "out/tree/m/b").stat().st_mtime_ns == 5 and (tmp_path / "out/tree/m/c").stat().st_mode & 0o777 == 0o600
    good("restore", one, "-r", repo, "--to", tmp_path / "old")
    assert (tmp_path / "old/tree/m/b").stat().st_mtime_ns != 5
    (tree / "m/b").unlink()
    (tree / "m/d").write_text("")
    assert {d["path"]: d["change"] for d in good("diff", two, "-r", repo)} == {"tree/m/b": "removed", "tree/m/d": "added"}
    # The same bytes with the same size and time, in another inode: the trap of those who look at times only.
    st = (tree / "m/c").stat()
    (tree / "m/new").write_bytes(os.urandom(100000))
    os.chmod(tree / "m/new", 0o600)
    os.utime(tree / "m/new", ns=(st.st_atime_ns, st.st_mtime_ns))
    (tree / "m/new").rename(tree / "m/c")
    assert "tree/m/c" in [d["path"] for d in good("diff", two, "-r", repo) if d["change"] == "changed"]
    three = good("create", tree, "-r", repo)["name"]
    assert (repo / three / "tree/m/c").read_bytes() == (tree / "m/c").read_bytes()


# ---- damage ------------------------------------------------------------------------


def flip(path, at=None):
    mode = path.stat().st_mode
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    at = random.randrange(len(data) * 8) if at is None else at
    data[at // 8] ^= 1 << at % 8
    path.write_bytes(data)
    path.chmod(mode)


@sanitize
@one_thread
def test_every_flipped_bit_is_found_and_named(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(20):
        (tree / f"f{i}").write_bytes(os.urandom(i * 300 + 1))
    made = good("create", tree, "-r", tmp_path / "repo")
    folder = tmp_path / "repo" / made["name"]
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", tmp_path / "repo", copy], check=True)
    for n in range(60 if "release" in BINARY else 8):
        random.seed(n)
        victim = random.choice([*(folder / "tree").iterdir(), folder / "MANIFEST.mtree", folder / "SHA256SUMS"] if n % 3 else [folder / "MANIFEST.mtree", folder / "SHA256SUMS"])
        keep = victim.read_bytes()
        flip(victim)
        r = backup("verify", made["name"], "-r", tmp_path / "repo")
        assert r.returncode == 21, (n, victim, r.stdout, r.stderr)
        named = victim.name if victim.parent.name == "tree" else r"MANIFEST.mtree|SHA256SUMS"
        assert re.search(named, r.stderr), (victim, r.stderr)
        assert good("list", "-r", tmp_path / "repo")[0]["name"] == made["name"]
        victim.chmod(0o600)
        victim.write_bytes(keep)
        victim.chmod(0o400)
    assert backup("verify", made["name"], "-r", tmp_path / "repo").returncode == 0


@sanitize
@one_thread
def test_what_is_missing_strange_or_another_thing(tmp_path):
    tree = tmp_path / "tree"
    (tree / "d").mkdir(parents=True)
    for name in ("a", "b", "c", "d/e"):
        (tree / name).write_text(name)
    (tree / "link").symlink_to("a")
    repo = tmp_path / "repo"
    made = good("create", tree, "-r", repo)
    folder = repo / made["name"]
    (folder / "tree/a").unlink()
    (folder / "tree/b").unlink()
    (folder / "tree/b").mkdir()
    (folder / "tree/more").write_text("")
    (folder / "beside").write_text("")
    (folder / "tree/link").unlink()
    (folder / "tree/link").symlink_to("/etc/passwd")
    shutil.rmtree(folder / "tree/d")
    said = {n["path"]: n["what"] for n in good("verify", "-r", repo, code=21)[0]["notes"]}
    assert set(said) == {"tree/a", "tree/b", "tree/more", "beside", "tree/link", "tree/d", "tree/d/e"}, said
    assert "missing" in said["tree/a"] and "missing" in said["tree/d/e"] and "something else" in said["tree/b"] and "another place" in said["tree/link"]
    # Nothing damaged is restored, and what is there stays as it was.
    before = facts(tree)
    for args in ([], ["--force"], ["--to", tmp_path / "out"]):
        r = backup("restore", "latest", "-r", repo, *args)
        assert r.returncode in (5, 21) and facts(tree) == before, r.stderr
    assert not (tmp_path / "out/tree").exists() and not list((tmp_path / "out").iterdir())


@sanitize
@one_thread
@pytest.mark.parametrize("line", [
    "./tree/../../../x type=file mode=0644 time=1.000000000 size=1 sha256digest=" + "0" * 64,
    "./tree/a/x type=file mode=0644 time=1.000000000 size=1 sha256digest=" + "0" * 64,  # beneath a file
    "./tree/l/x type=file mode=0644 time=1.000000000 size=1 sha256digest=" + "0" * 64,  # beneath a link
    "/etc/x type=dir mode=0755 time=1.000000000", "./other type=dir mode=0755 time=1.000000000", "./tree/ type=dir mode=0755 time=1.000000000",
    "./tree/x type=block mode=0755 time=1.000000000", "./tree/x type=file mode=0644 time=1.000000000", "./tree/x type=dir mode=99 time=1.000000000",
    "./tree/x type=dir mode=0755 time=1", "./tree/x\\057y type=dir mode=0755 time=1.000000000", "./tree/x\\000 type=dir mode=0755 time=1.000000000",
    "#= same=../../x", "#= ino=x", "./tree/" + "y" * 300 + " type=dir mode=0755 time=1.000000000", "#: end 1 entries, 2 bytes", "LONG", "\0"])
def test_a_manifest_that_somebody_made_up(tmp_path, line):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("a")
    (tree / "l").symlink_to("/tmp")
    repo = tmp_path / "repo"
    made = good("create", tree, "-r", repo)
    manifest = repo / made["name"] / "MANIFEST.mtree"
    lines = manifest.read_text().splitlines()
    manifest.chmod(0o600)
    line = "x" * 3_000_000 if line == "LONG" else line
    manifest.write_text("\n".join(lines[:-1] + [line] + lines[-1:]) + "\n")
    r = backup("restore", "latest", "-r", repo, "--to", tmp_path / "out")
    assert r.returncode in (2, 21) and ("MANIFEST.mtree: line" in r.stderr or "missing in the backup" in r.stderr), (r.returncode, r.stderr[-300:])
    assert not [p for p in (tmp_path / "out").iterdir()]
    assert backup("verify", "-r", repo).returncode == 21
    (tree / "b").write_text("b")  # a backup with a damaged one before it is whole
    after = backup("create", tree, "-r", repo, "--name", "after")
    assert after.returncode in (0, 20), after.stderr
    assert backup("verify", "after", "-r", repo).returncode == 0


# ---- kills, a full disk, others at work --------------------------------------------


def hidden(repo):
    return [n for n in os.listdir(repo) if n.startswith(".") and n != ".stoker-backup"]


@pytest.mark.skipif("release" not in BINARY, reason="a preloaded library and the sanitizers do not go together")
def test_killed_anywhere_what_is_listed_is_whole(tmp_path, killer):
    """At every change of the file system, with and without a backup before; then prune and restore."""
    tree = random_tree(tmp_path / "tree", 8, big=100000)
    repo = tmp_path / "repo"
    for n in range(25):
        (tree / f"file{n}").write_text(str(n))
    settle()
    kills = 0
    for n in range(1, 1000):
        for k in range(0, 25, 2):
            os.utime(tree / f"file{k}")  # its bytes stay: it is copied, and then shared after all
        (tree / "file1").write_text(str(n))
        r = backup("create", tree, "-r", repo, "--name", f"b{n}", env={"LD_PRELOAD": str(killer), "KILL_AT": str(n)})
        if r.returncode == 0:
            break
        assert r.returncode == -signal.SIGKILL, r
        kills += 1
        listed = names(repo)
        if f"b{n}" in listed:
            assert good("verify", f"b{n}", "-r", repo)[0]["wrong"] == 0
        if n % 10 == 0:
            good("create", tree, "-r", repo, "--name", f"whole{n}")  # nobody has to unlock anything
            assert not hidden(repo)
    assert kills >= 100, kills
    assert all(v["wrong"] == 0 for v in good("verify", "--all", "-r", repo))
    before = facts(tree)
    for n in range(1, 1000, 2):
        r = backup("restore", "latest", "-r", repo, "--force", env={"LD_PRELOAD": str(killer), "KILL_AT": str(n)})
        there = facts(tree) if tree.exists() else None
        assert there == before, n
        for kept in tmp_path.glob("tree.before-*"):  # nothing that somebody had is lost, or half there
            assert facts(kept) == before, n
            shutil.rmtree(kept)
        if r.returncode == 0:
            break
    assert n > 30
    assert not [x for x in os.listdir(tmp_path) if x.startswith(".")]  # what the killed ones left is gone
    for n in range(1, 10000):
        r = backup("prune", "--keep-last", "1", "-r", repo, env={"LD_PRELOAD": str(killer), "KILL_AT": str(n * n)})
        assert all(v["wrong"] == 0 for v in good("verify", "--all", "-r", repo)), n
        if r.returncode == 0:
            break
    assert len(names(repo)) == 1 and not hidden(repo)


def test_killed_at_any_time(tmp_path):
    """kill -9 from outside, at forty moments."""
    tree = random_tree(tmp_path / "tree", 5)
    (tree / "big").write_bytes(os.urandom(60 << 20))
    repo = tmp_path / "repo"
    repo.mkdir()
    r, killed = random.Random(5), 0
    for n in range(40 if "release" in BINARY else 10):
        os.utime(tree / "big")
        p = subprocess.Popen([BINARY, "backup", "create", tree, "-r", repo], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            p.wait(timeout=r.random() * 0.15)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            killed += 1
        for name in names(repo) if n % 10 == 0 else []:
            assert good("verify", name, "-r", repo)[0]["wrong"] == 0
    assert killed > 5
    assert all(v["wrong"] == 0 for v in good("verify", "--all", "-r", repo))


@sanitize
@one_thread
@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a small disk")
def test_a_full_disk(tmp_path):
    """A hundred sizes of disk: what is listed is whole, the rest is gone, and the message says why."""
    tree = random_tree(tmp_path / "tree", 11, big=2 << 20)
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(f.stat().st_blocks * 512 for f in tree.rglob("*") if f.is_file() and not f.is_symlink())
    r, full = random.Random(1), 0
    for n in range(100 if "release" in BINARY else 8):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={r.randint(8192, int(size * 2.2))},nr_inodes={r.choice([r.randint(5, 150), 10000])}", "tmpfs", disk], check=True)
        try:
            for _ in range(2):
                for f in list(tree.rglob("*"))[:5]:
                    if f.is_file() and not f.is_symlink():
                        os.utime(f)
                a = backup("create", tree, "-r", disk / "repo")
                assert a.returncode in (0, 11, 8), a
                if a.returncode:
                    full += 1
                    assert "No space left" in a.stderr, a.stderr
                    assert not (disk / "repo").exists() or not [h for h in hidden(disk / "repo")]
            if (disk / "repo").exists():
                assert all(v["wrong"] == 0 for v in good("verify", "--all", "-r", disk / "repo"))
        finally:
            subprocess.run(["umount", disk], check=True)
    assert full > (20 if "release" in BINARY else 3), full


@sanitize
def test_two_at_once(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "big").write_bytes(os.urandom(80 << 20))
    repo = tmp_path / "repo"
    several = [subprocess.Popen([BINARY, "backup", "create", tree, "-r", repo], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [p.communicate() for p in several]
    codes = [p.returncode for p in several]
    assert codes.count(0) >= 1 and set(codes) <= {0, 7}, (codes, said)
    for (_, err), code in zip(said, codes):
        assert code == 0 or re.search(r"in use by another backup \(process \d+ on \S+ since 20", err), err
    several = [subprocess.Popen([BINARY, "backup", "create", tree, "-r", repo, "--wait", "5m"], stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [p.wait() for p in several] == [0] * 4
    assert len(names(repo)) == codes.count(0) + 4 and len({n for n in names(repo)}) == len(names(repo))
    assert not hidden(repo)


def test_prune_leaves_alone_what_is_being_read(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("a")
    repo = tmp_path / "repo"
    old = good("create", tree, "-r", repo, "--name", "old")["name"]
    good("create", tree, "-r", repo, "--name", "new")
    import fcntl
    fd = os.open(repo / old, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)  # as verify and restore hold it
    r = backup("prune", "--keep-last", "1", "-r", repo)
    assert r.returncode == 20 and "is being read" in r.stderr and names(repo) == ["old", "new"]
    os.close(fd)
    good("prune", "--keep-last", "1", "-r", repo)
    assert names(repo) == ["new"]


@sanitize
def test_files_that_change_and_go_meanwhile(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(200):
        (tree / f"f{i:03}").write_bytes(os.urandom(20000))
    (tree / "log").write_bytes(b"x" * (5 << 20))
    ended = threading.Event()

    def disturb():
        n = 0
        with open(tree / "log", "ab") as f:
            while not ended.is_set():
                f.write(b"line\n" * 100)
                f.flush()
                n += 1
                (tree / f"f{n % 200:03}").unlink(missing_ok=True)
                (tree / f"new{n % 50}").write_bytes(b"n" * n)

    t = threading.Thread(target=disturb)
    t.start()
    try:
        for _ in range(5):
            r = backup("create", tree, "-r", tmp_path / "repo")
            assert r.returncode in (0, 20), r.stderr
    finally:
        ended.set()
        t.join()
    assert all(v["wrong"] == 0 for v in good("verify", "--all", "-r", tmp_path / "repo"))


WRITER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma journal_mode=" + sys.argv[2])
db.execute("create table if not exists t (n integer primary key, twin integer, x blob)")
n = db.execute("select coalesce(max(n), 0) from t").fetchone()[0]
print("ready", flush=True)
while True:
    n += 1
    db.execute("begin immediate")
    db.execute("insert into t values (?, ?, randomblob(3000))", (n, n))
    db.execute("update t set twin = ?", (n,))  # one transaction: all have the same
    db.execute("commit")
    if n > 300:
        db.execute("delete from t where n < ?", (n - 100,))
"""


@sanitize
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_databases_that_are_written_to(tmp_path, journal):
    """SQLite copies them, with what is in the log: whole transactions, and all that were there before the backup began."""
    import sqlite3
    tree = tmp_path / "tree"
    tree.mkdir()
    p = subprocess.Popen(["/usr/bin/python3", "-c", WRITER, tree / "state.db", journal], stdout=subprocess.PIPE, text=True)
    try:
        assert p.stdout.readline() == "ready\n"
        for n in range(6):
            time.sleep(0.2)
            db = sqlite3.connect(tree / "state.db", timeout=60)
            before = db.execute("select max(n) from t").fetchone()[0] or 0
            db.close()
            made = good("create", tree, "-r", tmp_path / "repo", "--name", f"b{n}", code=None)
            folder = tmp_path / "repo" / made["name"] / "tree"
            if journal == "wal":
                assert made["notes"] == [] and os.listdir(folder) == ["state.db"], made
            good("restore", made["name"], "-r", tmp_path / "repo", "--to", tmp_path / f"out{n}")
            if made["notes"]:
                continue  # it never stood still, which was said
            db = sqlite3.connect(tmp_path / f"out{n}/tree/state.db")
            assert db.execute("pragma integrity_check").fetchone() == ("ok",)
            newest, low, high = db.execute("select max(n), min(twin), max(twin) from t").fetchone()
            db.close()
            assert low == high == newest or newest is None and before == 0
            assert (newest or 0) >= before
    finally:
        p.kill()
        p.wait()
    assert all(v["wrong"] == 0 for v in good("verify", "--all", "-r", tmp_path / "repo"))


def test_a_log_that_grows_beside_a_database_that_does_not(tmp_path):
    import sqlite3
    tree = tmp_path / "tree"
    tree.mkdir()
    db = sqlite3.connect(tree / "x.db", isolation_level=None)
    db.execute("pragma journal_mode=wal")
    db.execute("create table t (n)")
    db.execute("pragma wal_checkpoint(truncate)")
    settle()
    good("create", tree, "-r", tmp_path / "repo", "--name", "a")
    good("create", tree, "-r", tmp_path / "repo", "--name", "b")  # nothing new
    db.execute("insert into t values (1)")  # in the log alone
    good("create", tree, "-r", tmp_path / "repo", "--name", "c")
    (tree / "not.db").write_bytes(b"x" * 512)  # neither is a database, nor what lies beside one
    (tree / "not.db-wal").write_text("x")
    good("create", tree, "-r", tmp_path / "repo", "--name", "d")
    assert sorted(os.listdir(tmp_path / "repo/d/tree")) == ["not.db", "not.db-wal", "x.db"]
    for name, rows in (("a", 0), ("b", 0), ("c", 1), ("d", 1)):
        good("restore", name, "-r", tmp_path / "repo", "--to", tmp_path / name)
        copy = sqlite3.connect(tmp_path / name / "tree/x.db")
        assert copy.execute("select count(*) from t").fetchone() == (rows,), name
        copy.close()
    db.close()
    # Damaged: a file like others, with what lies beside it, and a word.
    damaged = tree / "y.db"
    damaged.write_bytes(b"SQLite format 3\0" + os.urandom(4080))
    (tree / "y.db-wal").write_bytes(b"log")
    r = good("create", tree, "-r", tmp_path / "repo", "--name", "e", code=20)
    assert [n["path"] for n in r["notes"]] == ["tree/y.db"] and "SQLite" in r["notes"][0]["what"]
    assert {"y.db", "y.db-wal"} <= set(os.listdir(tmp_path / "repo/e/tree"))
    assert (tmp_path / "repo/e/tree/y.db").read_bytes() == damaged.read_bytes()


# ---- which ones stay -----------------------------------------------------------------


def oracle(times, last=0, hourly=0, daily=0, weekly=0, monthly=0, yearly=0, within=None):
    """Which stay, by restic's documented rules."""
    rules = [(last, lambda t: t), (hourly, lambda t: (t.date(), t.hour)), (daily, lambda t: t.date()), (weekly, lambda t: t.isocalendar()[:2]),
             (monthly, lambda t: (t.year, t.month)), (yearly, lambda t: t.year)]
    stay = set()
    for n, of in rules:
        seen = []
        for t in sorted(times, reverse=True):
            if len(seen) < n and of(t) not in seen:
                seen.append(of(t))
                stay.add(t)
    if within is not None:
        stay |= {t for t in times if t > max(times) - within}
    return stay


@pytest.mark.parametrize("policy", [dict(daily=7, weekly=4, monthly=6), dict(last=3, hourly=5, yearly=2), dict(within=datetime.timedelta(days=10), weekly=60)])
def test_two_hundred_days(tmp_path, policy):
    """One a day, sometimes more, pruned each fifth day: what is there is what the rules say of all that were there."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a").write_text("a")
    repo = tmp_path / "repo"
    flags = [x for k, v in policy.items() for x in (f"--keep-{k}", f"{v.days}d" if k == "within" else v)]
    r = random.Random(str(policy))
    day, there = datetime.datetime(2025, 10, 20, 3), set()
    for n in range(200):
        day += datetime.timedelta(days=1)
        for _ in range(r.choice([1, 1, 1, 0, 2])):
            t = day.replace(microsecond=0) + datetime.timedelta(minutes=r.randint(0, 1200))
            if t not in there:
                assert backup("create", tmp_path / "tree", "-r", repo, "--time", t.isoformat() + "Z").returncode == 0
                there.add(t)
        if n % 5 == 4:
            kept = good("prune", "-r", repo, *flags)
            there = oracle(there, **policy)
            assert {k["name"] for k in kept if k["kept"]} == {t.strftime("%Y-%m-%d_%H%M%S") for t in there}
    assert names(repo) == [t.strftime("%Y-%m-%d_%H%M%S") for t in sorted(there)]


def test_groups_tags_and_damaged_ones(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(name)
    repo = tmp_path / "repo"
    for day in range(1, 5):
        for name in ("a", "b"):
            good("create", tmp_path / name, "-r", repo, "--name", f"{name}{day}", "--time", f"2026-11-0{day}T00:00:00Z", "--tag", "gold" if day == 1 else "")
    manifest = repo / "a2/MANIFEST.mtree"
    manifest.chmod(0o600)
    manifest.write_text("what?")
    r = backup("prune", "-r", repo)
    assert r.returncode == 2 and "--keep-last" in r.stderr and len(names(repo)) == 8
    dry = good("prune", "-r", repo, "--keep-last", "1", "--keep-tag", "gold,silver", "-n")
    assert {k["name"]: k["reasons"] for k in dry if k["kept"]} == {"a1": "tag", "b1": "tag", "a2": "damaged", "a4": "last", "b4": "last"}
    assert len(names(repo)) == 8
    good("prune", "-r", repo, "--keep-last", "1", "--keep-tag", "gold")
    assert set(names(repo)) == {"a1", "b1", "a2", "a4", "b4"}
    assert [b["whole"] for b in good("list", "-r", repo) if b["name"] == "a2"] == [False]
    r = backup("restore", "a2", "-r", repo, "--to", tmp_path / "out")
    assert r.returncode == 21 and "copied by hand" in r.stderr
    assert "damaged" in backup("list", "-r", repo).stdout


# ---- words ---------------------------------------------------------------------------


def test_names_of_backups(tmp_path):
    (tmp_path / "model").mkdir()
    repo = tmp_path / "repo"
    args = [tmp_path / "model", "-r", repo, "--name", "model_backup_%Y%m%d", "--time", "2026-11-23T10:00:00Z"]
    assert [good("create", *args)["name"] for _ in range(3)] == ["model_backup_20261123", "model_backup_20261123-2", "model_backup_20261123-3"]
    assert good("create", tmp_path / "model", "-r", repo, "--time", "2026-11-23T23:30:00Z", env={"TZ": "Asia/Shanghai"})["name"] == "2026-11-24_073000"
    for wrong in ("", ".x", "a/b", "latest", "x" * 300):
        r = backup("create", tmp_path / "model", "-r", repo, "--name", wrong)
        assert r.returncode == 2 and "strftime" in r.stderr, r.stderr
    r = backup("create", tmp_path / "model", "-r", repo, "--time", "yesterday")
    assert r.returncode == 2 and "yesterday" in r.stderr


def test_what_is_left_out(tmp_path):
    tree = tmp_path / "tree"
    (tree / "cache").mkdir(parents=True)
    (tree / "a.tmp").write_text("")
    (tree / "a.bin").write_text("")
    (tree / "cache/x").write_text("")
    import socket
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(tree / "sock"))
    made = good("create", tree, "-r", tree / "repo", "--exclude", "*.tmp, cache", code=20)
    assert made["left_out"] == 1 and [n["path"] for n in made["notes"]] == ["tree/sock"]
    assert sorted(os.listdir(tree / "repo" / made["name"] / "tree")) == ["a.bin"]  # and not the repository itself
    s.close()
    (tree / "sock").unlink()
    (tree / "secret").write_text("")
    (tree / "secret").chmod(0)
    if IS_ROOT:
        shutil.chown(tree, 65534)
        subprocess.run(["chmod", "o+rx", tmp_path, tmp_path.parent, tmp_path.parent.parent], check=True)
        (tmp_path / "r").mkdir()
        (tmp_path / "r").chmod(0o777)
        r = backup("create", tree, "-r", tmp_path / "r/repo", "--exclude", "repo", user=65534, group=65534, env={"HOME": "/"})
        if "Permission denied" not in r.stderr and r.returncode == 126:
            return
        assert r.returncode == 20 and "tree/secret: Permission denied" in r.stderr and "1 files were left out" in r.stderr, r


def test_errors_say_what_to_do(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "x").mkdir()
    (tmp_path / "x/m").mkdir()
    repo = tmp_path / "repo"
    for args, code, said in [
        (["create", tmp_path / "m"], 2, "--repo"), (["create", "-r", repo], 2, "what is to be saved"), (["lst", "-r", repo], 4, "repo"),
        (["create", tmp_path / "none", "-r", repo], 4, "none"), (["create", tmp_path / "m", tmp_path / "x/m", "-r", repo], 2, "NAME="),
        (["list", "-r", tmp_path / "none"], 4, "none"), (["restore", "-r", repo], 2, "latest"), (["create", f"SHA256SUMS={tmp_path}/m", "-r", repo], 2, "NAME="),
    ]:
        r = backup(*args)
        assert r.returncode == code and said in r.stderr, (args, r)
    good("create", tmp_path / "m", "-r", repo)
    for args, code, said in [(["lst", "-r", repo], 2, "create, list"), (["verify", "nope", "-r", repo], 4, "there is no backup 'nope'"), (["diff", "-r", repo], 2, "diff NAME"),
                             (["verify", "../repo", "-r", repo], 4, "there is no backup"), (["restore", "nope", "-r", repo], 4, "nope")]:
        r = backup(*args)
        assert r.returncode == code and said in r.stderr, (args, r)
    r = backup("list", "-r", repo, env={"LC_ALL": "zh_CN.UTF-8"})
    assert "校验时间" in r.stdout and "从未" in r.stdout
    r = backup("list", "-r", tmp_path / "m")
    assert r.returncode == 0 and "no backups" in r.stdout


def test_progress_on_a_terminal(tmp_path):
    """After two seconds: it is stopped for so long."""
    import pty
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "big").write_bytes(os.urandom(1 << 20) * 400)
    said = b""
    for n in range(20):  # it may be done before it is stopped
        shutil.rmtree(tmp_path / "repo", ignore_errors=True)
        master, slave = pty.openpty()
        p = subprocess.Popen([BINARY, "backup", "create", tree, "-r", tmp_path / "repo"], stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        time.sleep(0.03 + 0.01 * n)
        p.send_signal(signal.SIGSTOP)
        time.sleep(2.2)
        p.send_signal(signal.SIGCONT)
        try:
            while piece := os.read(master, 65536):
                said += piece
        except OSError:
            pass
        os.close(master)
        assert p.wait() == 0
        if said:
            break
    assert re.search(rb"[MG]B of 419\.4 MB, [\d.]+ [kMG]?B/s, \d+ s left", said) and said.endswith(b"\r\x1b[K"), said


def test_the_examples_of_the_manual(tmp_path):
    """One after the other, as a reader would."""
    page = (HERE / "docs/manual/backup.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```\n\n```text\n(.*?)```", page, re.S)
    assert len(blocks) == 4
    os.symlink(BINARY, tmp_path / "stoker")
    for command, want in blocks:
        r = subprocess.run(["sh", "-ec", command], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "LC_ALL": "C"})
        pattern = re.escape("\n".join(line.rstrip() for line in want.strip().splitlines())).replace(re.escape("..."), ".*")
        assert r.returncode == 0 and re.fullmatch(pattern, "\n".join(line.rstrip() for line in r.stdout.strip().splitlines())), (command, r.stdout, r.stderr)
