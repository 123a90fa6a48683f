#!/usr/bin/env python3
"""The monitor beside Prometheus and VictoriaMetrics: the same targets, the same queries, side by side.

    bench/monitor.py [--series 10000] [--scrapes 360] [--interval 1]

A target with so many series (counters, gauges of one and three decimals, histograms) is
scraped by all, each at its own moments. Then: resident memory, processor time for the
scrapes, bytes on disk after a clean stop, and the median time of queries, asked in turn
(A B C A B C). Ratios are stoker's to each peer's. Needs Debian's packages prometheus and
victoria-metrics and a release build of stoker.
"""
import argparse
import atexit
import http.server
import json
import os
import pathlib
import random
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


def free_ports(n):
    """Each another one: all are held until they are known."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def free_port():
    return free_ports(1)[0]


class Page:
    """The text of a target: made once a scrape interval, in a child, so that all get it for nothing."""

    def __init__(self, series):
        rng = random.Random(1)
        self.rows = []
        for i in range(series):
            kind = ("requests_total", "gpu_utilization", "gpu_power_watts", "latency_seconds_bucket")[i % 4]
            labels = f'instance_id="{i // 40}",path="/v1/models/{i // 4 % 10}"'
            if kind == "latency_seconds_bucket":
                labels += f',le="{(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, "+Inf")[i // 4 % 10]}"'
            self.rows.append([kind, labels, float(rng.randrange(1000))])
        self.rows.sort(key=lambda r: r[0])
        self.rng = rng
        self.text = b""
        self.step()

    def step(self):
        out, last = [], None
        for row in self.rows:
            kind = row[0]
            if kind != last:
                out.append(f"# TYPE {kind} {'gauge' if kind.startswith('gpu') else 'counter'}")
                last = kind
            if kind == "gpu_utilization":
                row[2] = min(100.0, max(0.0, row[2] + self.rng.randrange(-5, 6)))
            elif kind == "gpu_power_watts":
                row[2] = round(300 + self.rng.uniform(-20, 20), 3)
            else:
                row[2] += self.rng.randrange(40)
            out.append(f"{kind}{{{row[1]}}} {row[2]:g}" if row[2] < 1e5 else f"{kind}{{{row[1]}}} {row[2]:.0f}")
        self.text = ("\n".join(out) + "\n").encode()


def serve(page):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = page.text
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class Peer:
    def __init__(self, name, argv, url, data):
        self.name, self.url, self.data = name, url, data
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)  # also when the comparison fails
        for _ in range(200):
            try:
                urllib.request.urlopen(url + "/api/v1/labels").read()
                break
            except OSError:
                time.sleep(0.05)

    def resident(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024

    def processor(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stored(self):
        """Bytes on disk, as the file system counts them; ends the process."""
        self.process.terminate()
        self.process.wait()
        return sum(f.stat().st_blocks * 512 for f in self.data.rglob("*") if f.is_file() and not f.is_symlink()) / 2**20

    def ask(self, path, form):
        """(seconds, result). curl reads it, and it throws away what it reads: an answer has up to 120 MB, and a client
        in Python takes longer for that than the server."""
        with tempfile.NamedTemporaryFile(dir="/dev/shm") as body:
            ask = ["curl", "-sS", "-w", "%{time_total}", "-d", urllib.parse.urlencode(form), self.url + "/api/v1/" + path]
            took = float(subprocess.run([*ask, "-o", "/dev/null"], check=True, capture_output=True).stdout)
            subprocess.run([*ask, "-o", body.name], check=True, capture_output=True)
            return took, json.load(body)["data"]["result"]


def peers(folder, port, interval):
    (folder / "p.yml").write_text(
        f"global: {{scrape_interval: {interval}s, scrape_timeout: {interval}s}}\n"
        f"scrape_configs: [{{job_name: app, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n")
    a, b, c = free_ports(3)
    yield Peer("stoker", [ROOT / "build/release/stoker", "monitor", "--port", str(a), "--interval", f"{interval}s",
                          "--data", folder / "stoker", "--no-self", "--no-host", "--no-built-in-rules",
                          f"app=http://127.0.0.1:{port}/metrics"], f"http://127.0.0.1:{a}", folder / "stoker")
    yield Peer("prometheus", ["prometheus", f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/data",
                              f"--web.listen-address=127.0.0.1:{b}", "--log.level=error"], f"http://127.0.0.1:{b}", folder / "data")
    # Answers without its cache of answers, and up to the last sample, as the others give them.
    yield Peer("victoria", ["victoria-metrics", f"-promscrape.config={folder}/p.yml", f"-storageDataPath={folder}/victoria",
                            f"-httpListenAddr=127.0.0.1:{c}", "-search.latencyOffset=0s", "-search.disableCache",
                            "-search.maxStalenessInterval=5m", "-loggerLevel=ERROR"], f"http://127.0.0.1:{c}", folder / "victoria")


def table(them):
    """Prints the head of a table; what it returns prints a row of it, with the ratios of the first to each other."""
    print(f"{'':75}" + " ".join(f"{x.name:>10}" for x in them) + " " + " ".join(f"{'/' + x.name:>10}" for x in them[1:]))

    def row(what, values, form="10.1f"):
        ratios = " ".join(f"{values[0] / v:10.2f}" if v else " " * 10 for v in values[1:])
        print(f"{what:75}" + " ".join(f"{v:{form}}" for v in values) + " " + ratios, flush=True)

    return row


def ask_in_turn(them, query, form, rounds, check):
    """The median time of a range query at each, in ms; check(result) is what must hold of every answer."""
    times = [[] for _ in them]
    for _ in range(rounds):
        for k, x in enumerate(them):
            took, result = x.ask("query_range", {"query": query, **form})
            assert check(result), (x.name, query, len(result))
            times[k].append(took * 1000)
    return list(map(statistics.median, times))


QUERIES = ["rate(requests_total[1m])", "sum by (path) (rate(requests_total[1m]))",
           "histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket[1m])))", "avg(gpu_utilization)",
           'max by (instance_id) (gpu_power_watts{path=~"/v1/models/[1-5]"})', "topk(10, requests_total)"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--series", type=int, default=10000)
    p.add_argument("--scrapes", type=int, default=360)
    p.add_argument("--interval", type=int, default=1)
    p.add_argument("--rounds", type=int, default=9)
    args = p.parse_args()
    page = Page(args.series)
    port = serve(page)
    with tempfile.TemporaryDirectory(prefix="bench-monitor") as name:
        all_of_them = list(peers(pathlib.Path(name), port, args.interval))
        start = [x.processor() for x in all_of_them]
        end = time.time() + args.scrapes * args.interval
        while time.time() < end:
            time.sleep(args.interval)
            page.step()
        used = [x.processor() - s for x, s in zip(all_of_them, start)]
        print(f"{args.series} series, {args.scrapes} scrapes, one every {args.interval} s\n")
        row = table(all_of_them)
        row("resident memory, MiB", [x.resident() for x in all_of_them])
        row("processor time of all scrapes, s", used, "10.2f")
        now = int(time.time())
        form = {"start": now - args.scrapes * args.interval, "end": now, "step": max(1, args.interval)}
        for query in QUERIES:
            row(query + ", ms", ask_in_turn(all_of_them, query, form, args.rounds, bool))
        row("resident memory behind the queries, MiB", [x.resident() for x in all_of_them])
        row("on disk after a clean stop, MiB", [x.stored() for x in all_of_them], "10.2f")


if __name__ == "__main__":
    main()
