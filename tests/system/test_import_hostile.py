"""Model files made to do harm, or broken: one clear sentence, the status of
the error table, nothing executed, and a server that lives."""
import io
import json
import os
import struct
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from stoker import BINARY, ROOT, Server, run

sys.path.insert(0, str(ROOT / "tests/oracle"))
import keras_cases  # noqa: E402


def good_h5(d):
    c = next(c for c in keras_cases.cases() if c.name == "mlp")
    return c.write_h5(d / "good.h5").read_bytes()


def good_keras(d):
    c = next(c for c, _ in keras_cases.cases3() if c.name == "k3_mlp")
    return c.write_keras(d / "good.keras").read_bytes()


def model(layers, **kw):
    c = keras_cases.Case("m", (4,))
    for cls, cfg, w in layers:
        c.add(cls, cfg, w)
    for k, v in kw.items():
        c.layers[-1][k] = v
    return c


def h5_of(d, config, weights=None):
    p = d / "x.h5"
    with h5py.File(p, "w") as f:
        f.attrs["keras_version"] = "2.11.0"
        f.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        g = f.create_group("model_weights")
        for name, arrays in (weights or {}).items():
            lg = g.create_group(name)
            for n, a in arrays:
                lg.create_dataset(n, data=a)
            lg.attrs["weight_names"] = [n.encode() for n, _ in arrays]
    return p.read_bytes()


def sequential(*layers):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def layer(cls, name="l", **config):
    return {"class_name": cls, "config": {"name": name, "batch_input_shape": [None, 4], **config}}


def zip_of(*entries, **kw):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", **kw) as z:
        for name, data in entries:
            z.writestr(name, data)
    return b.getvalue()


def twice(d):
    data = zip_of(("metadata.json", "{}"), ("config.json", "{}"), ("configXjson", "{}"))
    return data.replace(b"configXjson", b"config.json")


def overlapping(d):
    data = bytearray(zip_of(("a" * 8, "x" * 60), ("b" * 8, "y" * 60)))
    central = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", central + 4)
    struct.pack_into("<I", data, second + 42, struct.unpack_from("<I", data, central + 42)[0])
    return bytes(data).replace(b"b" * 8, b"a" * 7 + b"b")


def nested_models(d):
    inner = layer("Dense", units=2)
    for i in range(40):
        inner = {"class_name": "Sequential", "config": {"name": f"s{i}", "layers": [inner]}}
    return h5_of(d, inner)


def huge_dataset(d):
    """Dimensions that overflow, in the header of a real dataset."""
    data = bytearray(good_h5(d))
    at = data.index(struct.pack("<QQ", 3, 8))  # the kernel's data space
    struct.pack_into("<QQ", data, at, 1 << 62, 1 << 62)
    return bytes(data)


def loop_in_group(d):
    """A B-tree node that is its own child."""
    data = bytearray(good_h5(d))
    at = data.index(b"TREE\x00\x00")
    data[at + 5] = 1
    struct.pack_into("<H", data, at + 6, 1)
    struct.pack_into("<Q", data, at + 32, at)
    return bytes(data)


dense = [("kernel:0", np.zeros((4, 2), np.float32)), ("bias:0", np.zeros(2, np.float32))]

# name -> (bytes, exit status, words)
CASES = {
    "empty": (lambda d: b"", 2, "is empty"),
    "random": (lambda d: np.random.default_rng(1).bytes(5000), 2, ""),
    "h5 signature only": (lambda d: b"\x89HDF\r\n\x1a\n", 2, "damaged"),
    "h5 cut in half": (lambda d: good_h5(d)[:5000], 2, "cut off"),
    "h5 huge dataset": (huge_dataset, 2, "damaged"),
    "h5 loop in a group": (loop_in_group, 2, "damaged"),
    "h5 weights only": (lambda d: (lambda p: (h5py.File(p, "w").create_dataset("a", data=[1.0]).file.close(), p.read_bytes())[1])(d / "w.h5"), 13,
                        "save_weights"),
    "lambda": (lambda d: h5_of(d, sequential(layer("Lambda", function=["4wEAAAAA", None, None]))), 13, "bytecode"),
    "custom class": (lambda d: h5_of(d, sequential({**layer("Dense", units=1), "module": "my_package.layers", "registered_name": "x>Dense"})), 13,
                     "somebody's own code"),
    "unknown class": (lambda d: h5_of(d, sequential(layer("StringLookup"))), 13, "StringLookup"),
    "module of os": (lambda d: h5_of(d, sequential({**layer("system"), "module": "os"})), 13, "not known|own code"),
    "subclassed model": (lambda d: h5_of(d, {"class_name": "MyModel", "config": {}}), 13, "own code"),
    "unknown activation": (lambda d: h5_of(d, sequential(layer("Dense", units=2, activation="my_act")), {"l": dense}), 13, "my_act"),
    "wrong kernel": (lambda d: h5_of(d, sequential(layer("Dense", units=2)), {"l": [("kernel:0", np.zeros((9, 2))), dense[1]]}), 2, "9 features"),
    "missing weights": (lambda d: h5_of(d, sequential(layer("Dense", units=2))), 2, "fewer weights"),
    "too many weights": (lambda d: h5_of(d, sequential(layer("Dense", units=2)), {"l": dense + [("x:0", np.zeros(1))]}), 2, "3 weights"),
    "deep json": (lambda d: h5_of(d, "[" * 60000), 2, "configuration"),
    "bad json": (lambda d: h5_of(d, '{"class_name": "Sequential", '), 2, "line 1"),
    "nested models": (nested_models, 2, "configuration"),
    "connection to nowhere": (lambda d: h5_of(d, {"class_name": "Functional", "config": {
        "name": "f", "layers": [{"class_name": "InputLayer", "name": "i", "config": {"batch_input_shape": [None, 4]}, "inbound_nodes": []},
                                {"class_name": "Flatten", "name": "l", "config": {}, "inbound_nodes": [[["ghost", 0, 0, {}]]]}],
        "input_layers": [["i", 0, 0]], "output_layers": [["l", 0, 0]]}}), 2, "ghost"),
    "circle": (lambda d: h5_of(d, {"class_name": "Functional", "config": {
        "name": "f", "layers": [{"class_name": "InputLayer", "name": "i", "config": {"batch_input_shape": [None, 4]}, "inbound_nodes": []},
                                {"class_name": "Add", "name": "a", "config": {}, "inbound_nodes": [[["i", 0, 0, {}], ["b", 0, 0, {}]]]},
                                {"class_name": "Flatten", "name": "b", "config": {}, "inbound_nodes": [[["a", 0, 0, {}]]]}],
        "input_layers": [["i", 0, 0]], "output_layers": [["b", 0, 0]]}}), 2, "cannot be computed"),
    "zip not keras": (lambda d: zip_of(("a", "b")), 2, "no model of PyTorch or Keras"),
    "zip cut off": (lambda d: good_keras(d)[:-30], 2, "cut off"),
    "zip twice the same name": (twice, 2, "occurs twice"),
    "zip overlapping": (overlapping, 2, "local header|shares bytes"),
    "zip path outside": (lambda d: zip_of(("../../etc/cron.d/x", "a"), ("metadata.json", "{}")), 2, "plain relative path"),
    "zip absolute path": (lambda d: zip_of(("/etc/passwd", "a"), ("metadata.json", "{}")), 2, "plain relative path"),
    "zip bomb": (lambda d: zip_of(("metadata.json", "{}"), ("config.json", " " * (300 << 20)), ("model.weights.h5", ""),
                                  compression=zipfile.ZIP_DEFLATED), 6, "more than"),
    "zip npz weights": (lambda d: zip_of(("metadata.json", "{}"), ("config.json", "{}"), ("model.weights.npz", "a")), 13, "no model.weights.h5"),
}


@pytest.mark.sanitize
@pytest.mark.one_thread
@pytest.mark.parametrize("name", CASES)
def test_hostile_file(name, tmp_path):
    make, status, words = CASES[name]
    path = tmp_path / "model.bin"
    path.write_bytes(make(tmp_path))
    r = run("inspect", path)
    text = r.stderr.decode()
    assert r.returncode == status, (r.returncode, text)
    assert text.count("\n") == 1 and str(path) in text, text
    assert any(w in text for w in words.split("|")), text


@pytest.mark.sanitize
def test_a_server_lives_with_hostile_files_beside_good_ones(tmp_path):
    repo = tmp_path / "repo"
    (repo / "good" / "1").mkdir(parents=True)
    (repo / "good" / "1" / "model.h5").write_bytes(good_h5(tmp_path))
    for i, (make, _, _) in enumerate(CASES.values()):
        d = repo / f"bad{i}" / "1"
        d.mkdir(parents=True)
        (d / "model.h5").write_bytes(make(tmp_path))
    with Server("--model-repository", repo) as s:
        s.await_event("model.loaded")
        s.await_event("model.failed", len(CASES))
        assert s.request("GET", "/readyz")[0] == 503
        want = s.json("POST", "/models/good/predict", [[1.0, 2.0, 3.0]])
        index = {m["name"]: m["state"] for m in s.json("POST", "/v2/repository/index", {})}
        assert index["good"] == "READY" and sum(v == "UNAVAILABLE" for v in index.values()) == len(CASES)
        # And while it serves: a good file is replaced by each of the bad ones.
        for make, _, _ in list(CASES.values())[1:]:
            (repo / "good" / "1" / "model.h5").write_bytes(make(tmp_path))
            assert s.request("POST", "/v2/repository/models/good/load", "{}")[0] in (400, 413, 501)
            assert s.json("POST", "/models/good/predict", [[1.0, 2.0, 3.0]]) == want
        (repo / "good" / "1" / "model.h5").write_bytes(good_h5(tmp_path))
        assert s.request("POST", "/v2/repository/models/good/load", "{}")[0] == 200
        assert s.json("POST", "/models/good/predict", [[1.0, 2.0, 3.0]]) == want
        assert not s.event("serve.died")


ALLOWED = {"read", "write", "mmap", "munmap", "mremap", "madvise", "brk", "futex", "getrandom", "clock_gettime", "rt_sigreturn", "exit", "exit_group"}


@pytest.mark.skipif("build/release" not in BINARY, reason="sanitizers look at themselves through many system calls")
def test_the_importer_makes_no_other_system_calls(tmp_path):
    """Watched from outside: good files and bad ones, and source that wants out."""
    if subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let strace trace")
    code = tmp_path / "net.py"
    code.write_text("import os, subprocess\nimport torch.nn as nn\nos.system('id')\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
                    "        self.x = subprocess.run(['id'])\n        self.y = open('/etc/passwd').read()\n    def forward(self, x):\n        return x\n")
    bad = tmp_path / "bad.pth"
    bad.write_bytes((ROOT / "tests/fixtures/torch/tr.pt").read_bytes()[:3000])
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as z:
        for i in range(3000):
            z.writestr(f"m/data/{i}", b"x")
        z.writestr("m/data.pkl", b"\x80\x02}.")
    torch = ROOT / "tests/fixtures/torch"
    watched = 0
    for args in ([torch / "tr.pt", "--input", "1,1,8,8"], [torch / "mod_old.pth"], [torch / "sd.pth", "--code", code, "--input", "1,1,8,8"], [bad], [many],
                 [ROOT / "tests/fuzz/corpus/import/functional_residual.h5"]):
        log = tmp_path / "strace"
        subprocess.run(["strace", "-f", "-o", log, BINARY, "inspect", *map(str, args)], capture_output=True, timeout=60, env={**os.environ, "STOKER_STATE": str(tmp_path / "none")})
        importer, sealed = None, False
        for line in log.read_text(errors="replace").splitlines():
            pid, _, rest = line.partition(" ")
            rest = rest.strip()
            if rest.startswith("execve(") and "stoker: importer" in rest:
                importer = pid
            elif pid == importer and "PR_SET_SECCOMP" in rest:
                sealed = True
                watched += 1
            elif pid == importer and sealed and "(" in rest and not rest.startswith(("---", "+++", "<...")):
                assert rest.partition("(")[0] in ALLOWED, (args, rest)
            assert not (pid == importer and "killed by" in rest), (args, rest)
    assert watched == 6
