#!/usr/bin/env python3
"""What watching this machine costs: the monitor (with eight GPUs of the tests' NVML) beside Netdata, each alone, every second.

    bench/rest.py [--warm 40] [--seconds 20] [--rounds 3]

Resident memory (of all its processes: RssAnon alone, and with what is mapped from files) and
processor time in the seconds behind the warm-up; medians of the rounds. Needs Debian's packages netdata-core
and a release build of stoker.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from monitor import ROOT, TICKS, free_port


def family(pid):
    """The process and those below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def memory(pids, field):
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                total += int(line.split()[1])
    return total / 1024


def processor(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def stoker(folder):
    env = {**os.environ, "STOKER_NVML": str(ROOT / "build/release/libnvidia-ml.so.1"), "FAKE_NVML": str(ROOT / "tests/fixtures/nvml/eight.txt"), "FAKE_NVML_STILL": "1"}
    return [ROOT / "build/release/stoker", "monitor", "--interval", "1s", "--port", "0", "--data", folder / "data", "--exporter",
            "--exporter-port", "0", "none=http://127.0.0.1:9/"], env


def netdata(folder):
    for d in ("cache", "lib", "log", "run"):
        (folder / d).mkdir()
    (folder / "netdata.conf").write_text(
        f"[directories]\ncache = {folder}/cache\nlib = {folder}/lib\nlog = {folder}/log\n[global]\nrun as user = root\n"
        f"[web]\nbind to = 127.0.0.1:{free_port()}\n[registry]\nenabled = no\n[cloud]\nenabled = no\n[statsd]\nenabled = no\n")
    (folder / "lib" / "cloud.d").mkdir()
    return ["netdata", "-D", "-c", folder / "netdata.conf", "-P", folder / "run" / "pid", "-W", "set", "global", "run as user", "root"], dict(os.environ)


def measure(make, warm, seconds):
    with tempfile.TemporaryDirectory(prefix="bench-rest-") as name:
        argv, env = make(pathlib.Path(name))
        p = subprocess.Popen(list(map(str, argv)), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(warm)
            pids = family(p.pid)
            before = processor(pids)
            time.sleep(seconds)
            return processor(pids) - before, memory(pids, "VmRSS"), memory(pids, "RssAnon"), len(pids)
        finally:
            p.terminate()
            p.wait()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--warm", type=int, default=40)
    p.add_argument("--seconds", type=int, default=20)
    p.add_argument("--rounds", type=int, default=3)
    args = p.parse_args()
    got = {make: [] for make in (stoker, netdata)}
    for _ in range(args.rounds):
        for make, rows in got.items():
            rows.append(measure(make, args.warm, args.seconds))
    print(f"{'':45}{'stoker':>10}{'netdata':>10}{'ratio':>10}")
    for i, what in enumerate((f"processor time in {args.seconds} s, s", "resident memory, MiB", "of that its own (RssAnon), MiB", "processes")):
        a, b = (statistics.median(r[i] for r in rows) for rows in got.values())
        print(f"{what:45}{a:10.2f}{b:10.2f}{a / b:10.2f}")


if __name__ == "__main__":
    main()
