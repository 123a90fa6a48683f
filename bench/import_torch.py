#!/usr/bin/python3
"""Import of a PyTorch file against torch.load of the same file, in turns:
import_torch.py FILE [STOKER]. Prints medians of seven, in seconds and as a
multiple of the file's size in memory. torch.load is timed inside a process
that has imported torch already."""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

FILE = sys.argv[1]
STOKER = sys.argv[2] if len(sys.argv) > 2 else "build/release/stoker"
SIZE = os.path.getsize(FILE)
TORCH = "import sys, time, torch\nt = time.perf_counter()\n" \
        "x = torch.jit.load(sys.argv[1]) if sys.argv[1].endswith('.pt') else torch.load(sys.argv[1])\nprint(time.perf_counter() - t)\n"


def sealed():
    """What the server hands to the importer: a copy, and room behind it."""
    fd = os.memfd_create("model")
    with open(FILE, "rb") as f:
        while block := f.read(1 << 20):
            os.write(fd, block)
    os.ftruncate(fd, SIZE + 16)
    return fd


def importer(fd):
    """Seconds and the peak of memory that is the process' own."""
    hints = os.memfd_create("hints")
    texts = ("", "", "", "1,3,224,224")
    os.write(hints, b"".join(len(t).to_bytes(4, "little") + t.encode() for t in texts) + bytes(16))
    out = os.memfd_create("result")
    start = time.perf_counter()
    p = subprocess.Popen([STOKER, "import-file", "external"], stdin=fd, stdout=out, stderr=hints)
    _, status, usage = os.wait4(p.pid, 0)
    took = time.perf_counter() - start
    assert status == 0 and os.fstat(out).st_size > 1000, "the import failed"
    return took, usage.ru_maxrss * 1024 / SIZE


def whole():
    """`stoker inspect` of a file it has not seen and of one it has: copy, hash,
    import, check in a child, load."""
    with tempfile.TemporaryDirectory() as state:
        env = {**os.environ, "STOKER_STATE": state}
        times = []
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run([STOKER, "inspect", FILE, "--input", "1,3,224,224"], env=env, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        return times


fd = sealed()
rows = {"importer": [], "torch.load": [], "inspect, first time": [], "inspect, from the cache": []}
memory = []
for _ in range(7):
    took, share = importer(fd)
    rows["importer"].append(took)
    memory.append(share)
    rows["torch.load"].append(float(subprocess.run(["/usr/bin/python3", "-c", TORCH, FILE], check=True, capture_output=True, text=True).stdout))
    first, second = whole()
    rows["inspect, first time"].append(first)
    rows["inspect, from the cache"].append(second)
print(f"{FILE}: {SIZE / 1e6:.1f} MB")
for name, times in rows.items():
    print(f"  {name:26} {statistics.median(times) * 1e3:8.1f} ms")
print(f"  importer / torch.load      {statistics.median(rows['importer']) / statistics.median(rows['torch.load']):8.2f}")
print(f"  importer's peak memory     {statistics.median(memory):8.2f} x the file")
