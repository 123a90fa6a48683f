#!/usr/bin/env python3
"""Thousands of generated queries, answered by Prometheus and by us.

    tests/oracle/promql_diff.py [--queries 3000] [--seed 1] [--answer build/dev/promqlanswer]

Samples are generated (counters with resets, gauges, histograms, gaps, values
that are no number), made into blocks by promtool and served by a real
Prometheus on loopback; the same text is loaded into promqlanswer. Every
difference is printed with its query; the exit status is 1 if there is one.

Needs Debian's package prometheus. Ranges are compared closed on the left,
because Prometheus 2 has them so.
"""
import argparse
import json
import math
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

START = 1_600_000_000
SPAN = 2 * 3600


# ---- samples -----------------------------------------------------------------

def counter(rng, step, mean):
    value, t = rng.choice([0.0, rng.uniform(0, 1000)]), 0
    while t < SPAN:
        yield t, value
        value = 0.0 if rng.random() < 0.01 else value + rng.choice([0, rng.randrange(mean), rng.uniform(0, mean)])
        t += step


def gauge(rng, step, odd):
    t = 0
    while t < SPAN:
        value = rng.choice([rng.randrange(-50, 100), rng.uniform(-1, 1), 42])
        if odd and rng.random() < 0.05:
            value = rng.choice([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, 1e-300])
        yield t, value
        t += step


def with_gaps(rng, samples, share):
    gone = 0
    for t, v in samples:
        if gone > 0:
            gone -= 1
            continue
        if rng.random() < share:
            gone = rng.choice([1, 3, 30])
            continue
        yield t, v


def number(v):
    if math.isnan(v):
        return "NaN"
    return repr(float(v)) if not math.isinf(v) else ("+Inf" if v > 0 else "-Inf")


def write_samples(path, rng):
    lines = []

    def family(name, kind, series):
        lines.append(f"# TYPE {name} {kind}")
        for labels, samples in series:
            for t, v in samples:
                lines.append(f"{labels} {number(v)} {START + t}")

    series = []
    for job in ("api", "web"):
        for instance in range(3):
            for path_ in ("/", "/x"):
                labels = f'requests_total{{job="{job}",instance="{instance}",path="{path_}"}}'
                series.append((labels, with_gaps(rng, counter(rng, 15, 30), 0.01)))
    family("requests", "counter", series)
    family("temp", "gauge", [(f'temp{{instance="{i}",kind="{k}"}}', with_gaps(rng, gauge(rng, 20, i == 0), 0.02))
                             for i in range(4) for k in ("cpu", "gpu")])
    family("size", "gauge", [(f'size{{instance="{i}"}}', gauge(rng, 30, False)) for i in range(4)])
    family("info", "gauge", [(f'info{{instance="{i}",version="v{i % 2}"}}', ((t, 1) for t in range(0, SPAN, 60)))
                             for i in range(3)])
    for job in ("api", "web"):
        total = [0.0] * 6
        lines.append("# TYPE latency_seconds histogram") if job == "api" else None
        for t in range(0, SPAN, 15):
            for b in range(6):
                total[b] += rng.randrange(5)
            count = 0
            for b, bound in enumerate(("0.1", "0.25", "0.5", "1.0", "2.5", "+Inf")):
                count += total[b]
                lines.append(f'latency_seconds_bucket{{job="{job}",le="{bound}"}} {count} {START + t}')
            lines.append(f'latency_seconds_count{{job="{job}"}} {count} {START + t}')
            lines.append(f'latency_seconds_sum{{job="{job}"}} {count * 0.3} {START + t}')
    # One family's lines stand together.
    head = [l for l in lines if "latency" not in l]
    tail = [l for l in lines if "latency" in l]
    tail.sort(key=lambda l: (not l.startswith("#"),))
    path.write_text("\n".join(head + tail + ["# EOF", ""]))


# ---- queries -----------------------------------------------------------------

class Queries:
    """A grammar of what people write, and of what they had better not."""

    def __init__(self, rng):
        self.r = rng

    def pick(self, *choices):
        return self.r.choice(choices)

    def duration(self):
        return self.pick("15s", "30s", "1m", "2m", "5m", "7m30s", "10m", "1h")

    def labels(self):
        return self.pick("job", "instance", "path", "kind", "version", "le", "none")

    def label_list(self, least=0):
        return ", ".join(self.labels() for _ in range(self.r.randrange(least, 3)))

    def modifier(self):
        x = self.r.random()
        if x < 0.75:
            return ""
        if x < 0.85:
            return f" offset {self.pick('', '-')}{self.duration()}"
        if x < 0.93:
            return f" @ {START + self.r.randrange(SPAN)}"
        if x < 0.97:
            return f" @ {self.pick('start()', 'end()')}"
        return f" @ {START + self.r.randrange(SPAN)} offset {self.duration()}"

    def selector(self, counters=False):
        name = self.pick("requests_total", "latency_seconds_count", "latency_seconds_bucket") if counters else self.pick(
            "requests_total", "temp", "temp", "size", "info", "latency_seconds_sum", "nothing")
        if self.r.random() < 0.04:
            return '{__name__=~"temp|size"}'
        matchers = []
        if self.r.random() < 0.4:
            matchers.append(self.pick('job="api"', 'job!="api"', 'instance=~"0|1"', 'instance!~"[2-9]"', 'path="/"',
                                      'kind=~".+"', 'kind=""', 'le="0.5"', 'instance=~".*"', 'job=~"a.*"'))
        if self.r.random() < 0.1:
            matchers.append(self.pick('instance="1"', 'instance!=""'))
        return name + ("{" + ",".join(matchers) + "}" if matchers else "")

    def matrix(self, depth, counters=False):
        if depth > 0 and self.r.random() < 0.15:
            step = self.pick("", "30s", "1m", "45s")
            return f"{self.atom(depth - 1)}[{self.duration()}:{step}]{self.modifier()}"
        return f"{self.selector(counters)}[{self.duration()}]{self.modifier()}"

    def atom(self, depth):
        v = self.vector(depth)
        return f"({v})" if " " in v else v

    def call(self, depth):
        r = self.r.random()
        if r < 0.3:
            f = self.pick("rate", "increase", "irate", "rate", "resets")
            return f"{f}({self.matrix(depth, counters=True)})"
        if r < 0.6:
            f = self.pick("delta", "idelta", "deriv", "changes", "avg_over_time", "sum_over_time", "min_over_time",
                          "max_over_time", "count_over_time", "last_over_time", "present_over_time", "stddev_over_time",
                          "stdvar_over_time", "absent_over_time")
            return f"{f}({self.matrix(depth)})"
        if r < 0.63:
            return f"quantile_over_time({self.pick('0.5', '0.9', '0', '1', '-1', '2')}, {self.matrix(depth)})"
        if r < 0.66:
            # Without @: over a range Prometheus 2 answers its first moment only.
            return f"predict_linear({self.selector()}[{self.duration()}], {self.pick('60', '3600', '-10')})"
        if r < 0.72:
            v = self.pick("rate(latency_seconds_bucket[5m])", "latency_seconds_bucket",
                          "sum by (le) (rate(latency_seconds_bucket[2m]))", self.vector(depth - 1))
            return f"histogram_quantile({self.pick('0.5', '0.9', '0.99', '0', '1', '-0.1', '1.1')}, {v})"
        if r < 0.75:
            return f"clamp({self.vector(depth - 1)}, {self.pick('-1', '0', '5')}, {self.pick('3', '10', '-3')})"
        if r < 0.78:
            f = self.pick("clamp_min", "clamp_max", "round")
            return f"{f}({self.vector(depth - 1)}, {self.pick('-1', '0.5', '5')})"
        if r < 0.82:
            return (f'label_replace({self.vector(depth - 1)}, "{self.pick("new", "instance", "job")}", '
                    f'"{self.pick("$1", "x-${1}", "", "a")}", "{self.labels()}", "{self.pick("(.*)", "([0-9])", "a(.*)", "")}")')
        if r < 0.84:
            return f'label_join({self.vector(depth - 1)}, "new", "-", "job", "instance")'
        if r < 0.88:
            return f"{self.pick('absent', 'timestamp', 'sort', 'sort_desc')}({self.vector(depth - 1)})"
        if r < 0.9:
            return f"{self.pick('hour', 'minute', 'day_of_week', 'month', 'year', 'days_in_month', 'day_of_year')}({self.pick('', self.vector(depth - 1))})"
        if r < 0.92:
            return f"vector({self.scalar(depth - 1)})"
        f = self.pick("abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "deg", "rad", "sin", "cosh",
                      "atan", "tanh", "asinh", "acos")
        return f"{f}({self.vector(depth - 1)})"

    def aggregate(self, depth):
        op = self.pick("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group", "topk", "bottomk", "quantile",
                       "count_values")
        if op == "count_values":  # of values that rounding does not touch
            depth = 1
        param = {"topk": self.pick("1, ", "2, ", "0, ", "100, "), "bottomk": self.pick("1, ", "3, "),
                 "quantile": self.pick("0.5, ", "0.9, ", "-1, "), "count_values": '"value", '}.get(op, "")
        group = self.pick("", f" by ({self.label_list()})", f" by ({self.label_list(1)})", f" without ({self.label_list()})")
        return f"{op}{group} ({param}{self.vector(depth - 1)})"

    def binary(self, depth):
        op = self.pick("+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", ">", "<=", ">=", "and", "or", "unless")
        left = self.atom(depth - 1)
        if op in ("and", "or", "unless"):
            match = self.pick("", f" on ({self.label_list()})", f" ignoring ({self.label_list()})")
            return f"{left} {op}{match} {self.atom(depth - 1)}"
        boolean = " bool" if op in ("==", "!=", "<", ">", "<=", ">=") and self.r.random() < 0.4 else ""
        if self.r.random() < 0.4:
            scalar = self.pick("1", "0", "2.5", "-1", "NaN", "Inf", "time()", f"scalar({self.vector(depth - 1)})")
            return f"{left} {op}{boolean} {scalar}" if self.r.random() < 0.7 else f"{scalar} {op}{boolean} {left}"
        match = self.pick("", "", f" on ({self.label_list()})", f" ignoring ({self.label_list()})",
                          f" on (instance) {self.pick('group_left', 'group_right')}",
                          " on (instance) group_left (version)", " ignoring (path) group_left", " ignoring (kind) group_right (kind)")
        right = self.pick(self.atom(depth - 1), "info", "size", "temp{kind=\"cpu\"}", left)
        return f"{left} {op}{boolean}{match} {right}"

    def scalar(self, depth):
        return self.pick("1", "time()", "pi()", "-3.5", "1 + 2 * 3", "2 ^ -1", f"scalar({self.vector(depth)})",
                         "1 > bool 2", "5 % 3 - 1")

    def vector(self, depth):
        if depth <= 0:
            return self.selector() + self.modifier()
        x = self.r.random()
        if x < 0.15:
            return self.selector() + self.modifier()
        if x < 0.5:
            return self.call(depth)
        if x < 0.75:
            return self.aggregate(depth)
        if x < 0.95:
            return self.binary(depth)
        return f"-{self.atom(depth - 1)}"

    def line(self):
        query = self.vector(self.r.randrange(1, 4))
        start = START + self.r.randrange(SPAN) + self.pick(0, 0, 0.5)
        if self.r.random() < 0.5:
            return start, start, 0, query
        step = self.pick(15, 30, 60, 7.5, 300)
        return start, start + step * self.r.randrange(1, 20), step, query


# ---- Prometheus --------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Prometheus:
    def __init__(self, folder, samples):
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", samples, folder / "data"],
                       check=True, stdout=subprocess.DEVNULL)
        (folder / "p.yml").write_text("global: {evaluation_interval: 1m}\n")
        self.port = free_port()
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'p.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.retention.time=100y", "--log.level=error"])
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready").read()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("Prometheus did not start")

    def ask(self, start, end, step, query):
        path, form = ("query_range", {"start": start, "end": end, "step": step}) if step else ("query", {"time": start})
        form["query"] = query
        data = urllib.parse.urlencode(form).encode()
        try:
            body = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", data).read()
        except urllib.error.HTTPError as e:
            body = e.read()
        return json.loads(body)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def points_of(answer):
    """{labels: [(ms, float)]} of an answer of Prometheus."""
    data = answer["data"]
    if data["resultType"] == "scalar":
        return {(): [(round(data["result"][0] * 1000), float(data["result"][1]))]}
    return {tuple(sorted(s["metric"].items())): [(round(t * 1000), float(v)) for t, v in s.get("values", [s.get("value")])]
            for s in data["result"]}


def close(a, b):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b)) + 1e-12


def explained(query, want, got):
    """What Prometheus 3 does otherwise: the spread of an infinity, and squares that overflow. And dates of what is
    no number, which are no number here and whatever the processor makes of it there."""
    spread = "stddev" in query or "stdvar" in query
    dates = any(word in query for word in ("hour(", "minute(", "month(", "year(", "day_of"))
    return (dates and math.isnan(got)) or spread and ((want == 0 and math.isnan(got)) or (math.isnan(want) and math.isinf(got)))


def is_tie(query, want, got):
    """topk picks among equal values as its heap happens to be built, which changed: are the values the same?"""
    if "topk" not in query and "bottomk" not in query:
        return False
    flat = [sorted((t, repr(v)) for points in side.values() for t, v in points) for side in (want, got)]
    return flat[0] == flat[1]


def difference(want, got, query):
    if want.keys() != got.keys():
        return f"series {sorted(want.keys() ^ got.keys())[:4]}"
    for labels in want:
        w, g = want[labels], got[labels]
        if [t for t, _ in w] != [t for t, _ in g]:
            return f"times of {dict(labels)}"
        for (t, a), (_, b) in zip(w, g):
            if not close(a, b) and not explained(query, a, b):
                return f"{dict(labels)} at {t}: {a!r} and {b!r}"
    return None


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--queries", type=int, default=3000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--answer", default="build/dev/promqlanswer")
    p.add_argument("--show", type=int, default=20, help="differences printed")
    args = p.parse_args()
    rng = random.Random(args.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="promql-diff"))
    samples = folder / "samples.om"
    write_samples(samples, rng)
    ours = subprocess.Popen([args.answer, samples], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    theirs = Prometheus(folder, samples)
    queries = Queries(rng)
    same = failed = values = errors = ties = 0
    try:
        for _ in range(args.queries):
            line = queries.line()
            ours.stdin.write("%s %s %s %s\n" % line)
            ours.stdin.flush()
            text = ours.stdout.readline()
            if not text:
                sys.exit(f"promqlanswer ended at {line}")
            mine, real = json.loads(text), theirs.ask(*line)
            what = None
            if real["status"] == "error":
                errors += 1
                real["error"] = real["error"].replace('invalid parameter "query": ', "")
                if "error" not in mine:
                    what = f"no error, but: {real['error']}"
            elif "error" in mine:
                what = f"error: {mine['error']}"
            else:
                want = points_of(real)
                got = points_of(mine)
                values += sum(map(len, want.values()))
                what = difference(want, got, line[3])
                if what and is_tie(line[3], want, got):
                    what, ties = None, ties + 1
            if what is None:
                same += 1
            else:
                failed += 1
                if failed <= args.show:
                    print("%s %s %s %s" % line, "\n   ", what)
    finally:
        theirs.stop()
        ours.stdin.close()
        ours.wait()
        shutil.rmtree(folder)
    print(f"{same} the same ({errors} of them errors, {ties} but for ties, {values} values), {failed} different")
    sys.exit(1 if failed else 0)


main()
