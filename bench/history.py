#!/usr/bin/env python3
"""A day of history beside Prometheus and VictoriaMetrics: the same samples, the same queries.

    bench/history.py [--series 10000] [--hours 24] [--interval 10] [--rounds 3]

Each is given the same history by remote write (bench/push.c), as fast as it takes it, one
after the other with the machine for itself. Then: samples a second and a second of its own
processor time, resident memory (the most while it was written to, and a minute later),
bytes a sample on disk after a clean stop and a new start, and the median time of range queries over all
of it, asked in turn (A B C A B C). Ratios are stoker's to each peer's. Needs Debian's
packages prometheus and victoria-metrics, and cmake --build build/release --target stoker bench_push.
"""
import argparse
import pathlib
import subprocess
import tempfile
import time

from monitor import ROOT, Peer, ask_in_turn, free_ports, table

QUERIES = ["rate(requests_total[5m])", "sum by (path) (rate(requests_total[5m]))",
           "histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket[5m])))", "avg(gpu_utilization)",
           "max_over_time(gpu_power_watts[5m])"]


class Store(Peer):
    """A peer that can be started again on what it has written."""

    def __init__(self, name, argv, port, data, write):
        self.argv, self.write = argv, write
        super().__init__(name, argv, f"http://127.0.0.1:{port}", data)

    def again(self):
        stored = self.stored()
        super().__init__(self.name, self.argv, self.url, self.data)
        return stored

    def most(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024


def stores(folder):
    (folder / "p.yml").write_text("global: {}\n")
    a, b, c = free_ports(3)
    yield lambda: Store("stoker", [ROOT / "build/release/stoker", "monitor", "--port", str(a), "--data", folder / "stoker", "--no-self", "--no-host",
                                   "--no-gpu", "--no-built-in-rules", "--remote-write-receiver", "--config", folder / "p.yml"],
                        a, folder / "stoker", "/api/v1/write")
    yield lambda: Store("prometheus", ["prometheus", f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/data",
                                       f"--web.listen-address=127.0.0.1:{b}", "--log.level=error", "--web.enable-remote-write-receiver"],
                        b, folder / "data", "/api/v1/write")
    yield lambda: Store("victoria", ["victoria-metrics", f"-storageDataPath={folder}/victoria", f"-httpListenAddr=127.0.0.1:{c}",
                                     "-search.latencyOffset=0s", "-search.disableCache", "-search.maxStalenessInterval=5m", "-loggerLevel=ERROR"],
                        c, folder / "victoria", "/api/v1/write")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--series", type=int, default=10000)
    p.add_argument("--hours", type=int, default=24)
    p.add_argument("--interval", type=int, default=10)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--rest", type=int, default=60, help="seconds between writing and the look at memory at rest")
    args = p.parse_args()
    end = int(time.time())
    samples = args.series * args.hours * 3600 // args.interval
    with tempfile.TemporaryDirectory(prefix="bench-history-") as name:
        them, seconds, used, most, rest = [], [], [], [], []
        for make in stores(pathlib.Path(name)):
            x = make()
            before = x.processor()
            out = subprocess.run([ROOT / "build/release/bench_push", x.url + x.write, str(args.series), str(args.hours), str(args.interval),
                                  str(end * 1000)], capture_output=True, text=True)
            assert out.returncode == 0, (x.name, out.stderr)
            seconds.append(float(out.stdout))
            used.append(x.processor() - before)
            most.append(x.most())
            time.sleep(args.rest)
            rest.append(x.resident())
            them.append(x)

        print(f"{args.series} series every {args.interval} s for {args.hours} h: {samples / 1e6:.1f} million samples\n")
        row = table(them)
        row("written, million samples a second", [samples / s / 1e6 for s in seconds], "10.2f")
        row("written, million samples a second of its processor time", [samples / u / 1e6 for u in used], "10.2f")
        row("resident memory while it was written to, at most, MiB", most)
        row(f"resident memory {args.rest} s later, MiB", rest)
        row("bytes a sample on disk", [x.again() * 2**20 / samples for x in them], "10.2f")
        form = {"start": end - args.hours * 3600 + 300, "end": end - 60, "step": 60}
        for query in QUERIES:
            row(query + ", ms", ask_in_turn(them, query, form, args.rounds,
                                            lambda result: result and len(result[0]["values"]) > args.hours * 60 - 20))
        row("resident memory behind the queries, MiB", [x.resident() for x in them])
        for x in them:
            x.stored()


if __name__ == "__main__":
    main()
