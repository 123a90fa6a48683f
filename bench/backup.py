#!/usr/bin/env python3
"""A tree of models saved, saved again, verified and restored: stoker, restic and borg in turn.

    bench/backup.py [--gib 2] [--rounds 3] [--folder DIR]

The tree: files of 256 MiB of random bytes (weights do not compress), and 400 small ones. Each round gives each
tool a new repository, one tool after the other (A B C A B C), the tree in the page cache for all of them:
    create   the first backup, with what the tool does to get it on the disk
    again    a second one, nothing changed (the median of five)
    verify   all bytes read back and compared: verify, check --read-data, check --verify-data
    restore  into a new directory
restic and borg run without compression, and borg without encryption; restic always encrypts. Medians of the rounds,
the most memory of any run, and ratios: the faster peer's time to stoker's. "sha256" is openssl over the same files.
Needs Debian's restic and borgbackup, and cmake --build build/release --target stoker.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
STOKER = ROOT / "build/release/stoker"


def run(argv, env, cwd=None):
    """Seconds, and MB of memory at the most."""
    start = time.monotonic()
    p = subprocess.Popen(list(map(str, argv)), env={**os.environ, **env}, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        raise SystemExit(f"{argv}: {said.decode()}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def tools(tree, folder):
    password = {"RESTIC_PASSWORD": "x", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "XDG_CACHE_HOME": str(folder / "cache"),
                "HOME": str(folder), "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}
    repo = folder / "repo"
    n = iter(range(10**6))
    restic = ["restic", "-q", "-r", repo, "--no-cache"]
    return {
        "stoker": dict(env=password, prepare=[], create=lambda: [STOKER, "backup", "create", tree, "-r", repo],
                       verify=[STOKER, "backup", "verify", "-r", repo], restore=[STOKER, "backup", "restore", "latest", "-r", repo, "--to", folder / "out"]),
        "restic": dict(env=password, prepare=restic + ["init", "--repository-version", "2"], create=lambda: restic + ["--compression", "off", "backup", tree],
                       verify=restic + ["check", "--read-data"], restore=restic + ["restore", "latest", "--target", folder / "out"]),
        "borg": dict(env=password, prepare=["borg", "init", "-e", "none", repo],
                     create=lambda: ["borg", "create", "-C", "none", f"{repo}::{next(n)}", tree],
                     verify=["borg", "check", "--verify-data", repo], restore=lambda: ["borg", "extract", f"{repo}::{first(repo, password)}"]),
    }


def first(repo, env):
    r = subprocess.run(["borg", "list", "--short", "--first", "1", repo], env={**os.environ, **env}, capture_output=True, text=True, check=True)
    return r.stdout.split()[0]


def make_tree(tree, gib):
    for i in range(int(gib * 4)):
        (tree / f"model-{i}/1").mkdir(parents=True)
        with open(tree / f"model-{i}/1/weights.bin", "wb") as f:
            for _ in range(16):
                f.write(os.urandom(16 << 20))
        for k in range(50):
            (tree / f"model-{i}/1/part-{k}.json").write_bytes(os.urandom(4000))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gib", type=float, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--folder", default="/var/tmp")
    args = p.parse_args()
    seen, memory = {}, {}
    with tempfile.TemporaryDirectory(dir=args.folder) as top:
        top = pathlib.Path(top)
        tree = top / "tree"
        make_tree(tree, args.gib)
        size = sum(f.stat().st_size for f in tree.rglob("*") if f.is_file())
        os.sync()
        time.sleep(2)  # what was just written is not settled
        for _ in range(args.rounds):
            for name in ("stoker", "restic", "borg"):
                folder = top / name
                folder.mkdir()
                t = tools(tree, folder)[name]
                if t["prepare"]:
                    run(t["prepare"], t["env"])

                def take(what, argv, cwd=None):
                    s, mb = run(argv() if callable(argv) else argv, t["env"], cwd)
                    memory[name] = max(memory.get(name, 0), mb)
                    return s

                seen.setdefault(("create", name), []).append(take("create", t["create"]))
                seen.setdefault(("again", name), []).append(statistics.median(take("again", t["create"]) for _ in range(5)))
                seen.setdefault(("verify", name), []).append(take("verify", t["verify"]))
                (folder / "out").mkdir()
                seen.setdefault(("restore", name), []).append(take("restore", t["restore"], folder / "out"))
                shutil.rmtree(folder)
                os.sync()
            files = [f for f in tree.rglob("*") if f.is_file()]
            start = time.monotonic()
            subprocess.run(["openssl", "dgst", "-sha256", *files], stdout=subprocess.DEVNULL, check=True)
            seen.setdefault(("sha256", "openssl"), []).append(time.monotonic() - start)
    m = {k: statistics.median(v) for k, v in seen.items()}
    print(f"{size / 1e9:.2f} GB, median of {args.rounds}; seconds (GB/s)")
    print(f"{'':9}{'stoker':>18}{'restic':>18}{'borg':>18}{'ratio':>9}")
    for what in ("create", "again", "verify", "restore"):
        cells = "".join(f"{m[what, n]:9.2f} ({size / 1e9 / m[what, n]:6.2f})" for n in ("stoker", "restic", "borg"))
        print(f"{what:9}{cells}{min(m[what, 'restic'], m[what, 'borg']) / m[what, 'stoker']:9.1f}")
    print(f"{'memory':9}" + "".join(f"{memory[n]:15.0f} MB" for n in ("stoker", "restic", "borg")))
    print(f"sha256   {m['sha256', 'openssl']:9.2f} ({size / 1e9 / m['sha256', 'openssl']:6.2f}); verify has {m['sha256', 'openssl'] / m['verify', 'stoker']:.2f} times its speed")


main()
