"""Models of PyTorch are served and give what PyTorch gave. The files and
answers in tests/fixtures/torch/cases.tar.xz were recorded with the real
framework: tests/oracle/torch_record.py. A row of the table below is a kind of
file; every model of that kind is served by one server from a repository, with
an import.json beside each."""
import io
import json
import os
import tarfile

import numpy as np
import pytest

from stoker import ROOT, Server, run

pytestmark = pytest.mark.one_thread

TYPES = {"float32": "FP32", "int64": "INT64", "bool": "BOOL", "float64": "FP64", "int32": "INT32"}
NUMPY = {v: k for k, v in TYPES.items()}
# A few of everything, for the sanitizers.
SMALL = ["conv2d_same", "conv_transpose2d_stride", "avg_pool2d_no_pad_ceil", "batch_norm2d", "group_norm", "act_PReLU_4", "Upsample_scale_factor_2__mode__bilinear_4",
         "lstm_two_both", "gru_state", "mha_mask", "encoder", "f_index_2", "f_einsum", "f_meshgrid", "alias_slice_write_2", "alias_mask_write", "people_gpt", "people_unet",
         "people_resnet", "people_lstm_arguments", "people_dqn", "people_pos_encoding"]


def members(name):
    with tarfile.open(ROOT / "tests/fixtures/torch" / name) as t:
        return {m.name: t.extractfile(m).read() for m in t.getmembers()}


@pytest.fixture(scope="module")
def files():
    return members("cases.tar.xz")


def arrays(data):
    z = np.load(io.BytesIO(data))
    return [z[f"x{i}"] for i in range(9) if f"x{i}" in z], [z[f"y{i}"] for i in range(30) if f"y{i}" in z]


def described(xs):
    return ";".join(",".join(map(str, x.shape)) + ":" + str(x.dtype) for x in xs)


def infer(server, name, xs):
    spec = server.json("GET", f"/v2/models/{name}")
    inputs = [{"name": i["name"], "datatype": TYPES[str(x.dtype)], "shape": list(x.shape), "parameters": {"binary_data_size": x.nbytes}}
              for i, x in zip(spec["inputs"], xs)]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    status, headers, body = server.request("POST", f"/v2/models/{name}/infer", head + b"".join(x.tobytes() for x in xs),
                                           {"Inference-Header-Content-Length": str(len(head))})
    assert status == 200, body[:300]
    at = int(headers["inference-header-content-length"])
    out = []
    for o in json.loads(body[:at])["outputs"]:
        size = o["parameters"]["binary_data_size"]
        out.append(np.frombuffer(body[at:at + size], NUMPY[o["datatype"]]).reshape(o["shape"]))
        at += size
    return out


def differences(got, want):
    if len(got) != len(want):
        return f"{len(got)} outputs, want {len(want)}"
    for i, (a, b) in enumerate(zip(got, want)):
        if a.shape != b.shape:
            return f"output {i} is {a.shape}, want {b.shape}"
        a, b = a.astype(np.float64), b.astype(np.float64)
        allowed = 1e-4 * np.abs(b).max(initial=0) + 1e-3 * np.abs(b)
        if not ((np.abs(a - b) <= allowed) | (a == b)).all():
            return f"output {i} is off by {np.abs(a - b).max()}"
    return ""


def repository(root, files, kind, only):
    """models/NAME/1/model.X with import.json; the names."""
    names = []
    for name in sorted(files):
        ending = {"state": ".pth", "trace": ".trace.pt", "script": ".script.pt", "pt2": ".pt2"}[kind]
        case = name[:-len(ending)]
        if not name.endswith(ending) or (only and case not in only) or (kind == "state" and len(files[name]) < 500):
            continue
        xs, _ = arrays(files[case + ".npz"])
        folder = root / case.replace("/", "_") / "1"
        folder.mkdir(parents=True)
        (folder / ("model.pth" if kind == "state" else "model.pt2" if kind == "pt2" else "model.pt")).write_bytes(files[name])
        if kind != "pt2":
            hints = {"input": described(xs)}
            if kind == "state":
                (folder / "net.py").write_bytes(files[case + ".py"])
                hints["code"] = "net.py"
            (folder / "import.json").write_text(json.dumps(hints))
        names.append(case)
    return names


def all_match(tmp_path, files, kind, only, at_least):
    names = repository(tmp_path, files, kind, only)
    assert len(names) >= at_least
    serve_and_compare(tmp_path, files, names)


def serve_and_compare(tmp_path, files, names):
    wrong = {}
    with Server(tmp_path, "--threads", "1") as s:
        for name in names:
            xs, ys = arrays(files[name + ".npz"])
            try:
                why = differences(infer(s, name, xs), ys)
            except AssertionError as e:
                why = str(e)[:300]
            if why:
                wrong[name] = why
    assert not wrong, (len(wrong), wrong)


def with_weights(files):
    """State dicts of models that have any weights."""
    return [n[:-4] for n in files if n.endswith(".pth") and b"_rebuild_tensor_v2" in files[n]]


@pytest.mark.parametrize("kind,at_least", [("trace", 380), ("script", 375), ("pt2", 55)])
def test_programs_give_what_pytorch_gave(kind, at_least, files, tmp_path):
    all_match(tmp_path, files, kind, None, at_least)


def test_weights_with_the_class_as_text_give_what_pytorch_gave(files, tmp_path):
    all_match(tmp_path, files, "state", with_weights(files), 280)


def with_sources(repository, files):
    """A folder for each model: weights, source, and what import.json says."""
    names = sorted(n[:-4] for n in files if n.endswith(".pth"))
    for name in names:
        folder = repository / name / "1"
        folder.mkdir(parents=True)
        for ending, file in ((".pth", "model.pth"), (".py", "net.py"), (".json", "import.json")):
            (folder / file).write_bytes(files[name + ending])
    return names


def test_what_a_source_leaves_open_is_found(tmp_path):
    """Arguments from data, from a command line, from files that are not there:
    tests/oracle/torch_open.py."""
    open_ = members("open.tar.xz")
    names = with_sources(tmp_path, open_)
    assert len(names) >= 55
    serve_and_compare(tmp_path, open_, names)


@pytest.mark.sanitize
@pytest.mark.parametrize("kind", ["state", "trace", "script"])
def test_a_few_of_everything(kind, files, tmp_path):
    all_match(tmp_path, files, kind, set(SMALL) & set(with_weights(files)) if kind == "state" else SMALL, 18)


@pytest.mark.sanitize
def test_a_whole_module_needs_its_class(files, tmp_path):
    torch = ROOT / "tests/fixtures/torch"
    r = run("inspect", torch / "mod.pth", "--json")
    assert r.returncode == 0 and "Net" in json.loads(r.stdout)["missing"]
    code = tmp_path / "net.py"
    code.write_text("import torch\nimport torch.nn as nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n"
                    "        return self.fc(torch.relu(self.bn(self.conv(x))).mean((2, 3)))\n")
    got = json.loads(run("inspect", torch / "mod.pth", "--json", "--code", code, "--input", "1,1,8,8").stdout)
    assert got["inputs"][0]["shape"] == [-1, 1, 8, 8] and got["outputs"][0]["shape"] == [-1, 2]
    # Before 1.6 the file holds the source of its class.
    got = json.loads(run("inspect", torch / "mod_old.pth", "--json", "--input", "1,1,8,8").stdout)
    assert got["outputs"][0]["shape"] == [-1, 2] and got["missing"] == ""


@pytest.mark.sanitize
def test_what_is_not_given_is_guessed_and_said(tmp_path):
    got = json.loads(run("inspect", ROOT / "tests/fixtures/torch/tr.pt", "--json").stdout)
    assert got["inputs"][0]["shape"][1] == 1 and "--input" in got["note"]


@pytest.mark.sanitize
@pytest.mark.parametrize("options,words", [
    (["--input", "1,2"], "line 9: conv2d: the input must have 4 dimensions"), (["--input", "1,3,8,8"], "channels"), (["--input", "x"], "--input 'x'"), (["--input", "1,1,8,8:complex"], "--input"), (["--input", "1,0"], "--input"),
    (["--init", "[1]"], "--init"), (["--init", "{"], "--init"), (["--class", "Nothing"], "'Nothing'"), (["--code", "/no/such.py"], "/no/such.py")])
def test_wrong_hints_are_one_sentence(options, words, tmp_path):
    code = tmp_path / "net.py"
    code.write_text("import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.conv = nn.Conv2d(1, 4, 3)\n"
                    "        self.bn = nn.BatchNorm2d(4)\n        self.fc = nn.Linear(4, 2)\n    def forward(self, x):\n        return self.fc(self.bn(self.conv(x)).mean((2, 3)))\n")
    defaults = ["--code", code, "--input", "1,1,8,8"]
    r = run("inspect", ROOT / "tests/fixtures/torch/sd.pth", *defaults, *options)
    text = r.stderr.decode()
    assert r.returncode not in (0, -6, -11) and text.count("\n") == 1 and words in text, text


@pytest.mark.sanitize
def test_classes_around_transformers(tmp_path):
    """BERT and its kin as classes of other people hold them, recorded with the
    transformers package: tests/oracle/torch_bert.py."""
    files = members("bert.tar.xz")
    names = with_sources(tmp_path, files)
    assert len(names) == 4
    serve_and_compare(tmp_path, files, names)


LAYERS = "self.conv = nn.Conv2d(1, 4, 3)\n        self.bn = nn.BatchNorm2d(4)\n        self.fc = nn.Linear(4, 2)"


@pytest.mark.sanitize
@pytest.mark.parametrize("arguments,extra,forward,site,words,init", [
    ("cfg", "self.pool = nn.MaxPool2d(2) if 'pool' in cfg else nn.Identity()", "self.pool(x)", "", "whether 'pool' in cfg is not shown", '{"cfg": {"pool": 1}}'),
    ("heads", "self.heads = heads", "x.view(x.size(0), self.heads, -1).softmax(-1).view(x.shape)", "", "the name 'heads' is not known", '{"heads": 2}'),
    ("heads=1", "self.heads = heads", "x.view(x.size(0), self.heads, -1).softmax(-1).view(x.shape)",
     "from settings import args\nnet = Net(heads=args.heads)", "args.heads' is not known", '{"heads": 2}'),
    ("act", "self.act = {'relu': nn.ReLU(), 'tanh': nn.Tanh()}[act]", "self.act(x)", "", "'act' is not shown", '{"act": "tanh"}'),
    ("groups", "self.skip = 2 in groups", "x * 2 if self.skip else x", "", "whether '2' in groups is not shown", '{"groups": [2]}')])
def test_what_the_weights_do_not_show_is_asked_for(arguments, extra, forward, site, words, init, tmp_path):
    """A guess would be a wrong answer; what is asked for can be given."""
    code = tmp_path / "net.py"
    code.write_text(f"import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self, {arguments}):\n        super().__init__()\n        {LAYERS}\n        {extra}\n"
                    f"    def forward(self, x):\n        x = self.bn(self.conv(x))\n        x = {forward}\n        return self.fc(x.mean((2, 3)))\n{site}\n")
    args = ["inspect", ROOT / "tests/fixtures/torch/sd.pth", "--code", code, "--input", "1,1,8,8"]
    r = run(*args)
    assert r.returncode not in (0, -6, -11) and words in r.stderr.decode(), r.stderr.decode()
    r = run(*args, "--init", init)
    assert r.returncode == 0, r.stderr.decode()


@pytest.mark.sanitize
def test_only_constructors_may_fail_to_fill_in(tmp_path):
    """What fills in weights may fail, they are in the file; what is called
    while the model runs may not, whatever its name."""
    code = tmp_path / "net.py"
    args = ["inspect", ROOT / "tests/fixtures/torch/sd.pth", "--code", code, "--input", "1,1,8,8"]
    text = (f"import torch, torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {LAYERS}\n        self.h = 1.0\n        CALLED\n"
            "    def _init_state(self, x):\n        self.h = torch.no_such_function(x)\n"
            "    def forward(self, x):\n        CALLS\n        return self.fc(self.bn(self.conv(x)).mean((2, 3))) * self.h\n")
    code.write_text(text.replace("CALLED", "self._init_state(self.fc.weight)").replace("CALLS", "pass"))
    assert run(*args).returncode == 0
    code.write_text(text.replace("CALLED", "pass").replace("CALLS", "self._init_state(x)"))
    r = run(*args)
    assert r.returncode not in (0, -6, -11) and "no_such_function" in r.stderr.decode(), r.stderr.decode()


@pytest.mark.sanitize
@pytest.mark.parametrize("body,words", [
    ("self.conv = nn.Conv2d(1, 5, 3)\n        self.fc = nn.Linear(4, 2)", "conv.weight [5,1,3,3] in the class, [4,1,3,3] in the file"),
    ("self.conv = nn.Conv2d(1, 4, 3)", "only in the file: bn.bias"),
    ("self.conv = nn.Conv2d(1, 4, 3)\n        self.more = nn.Linear(3, 3)", "only in the class: more.weight [3,3]"),
    ("while True:\n            pass", "steps"),
    ("self.f = lambda n: self.f(n)\n        self.f(1)", "nested"),
    ("x = [0] * 10 ** 9", "long"),
    ("import os\n        self.x = os.system('touch /tmp/never')", "os.system"),
    ("self.x = open('/etc/passwd').read()", "'open'"),
    ("self.x = eval('1')", "'eval'"),
    ("self.x = ().__class__.__bases__", "__class__"),
    ("self.x = torch.jit.load('x')", "load")])
def test_classes_that_do_not_fit_or_do_other_things(body, words, tmp_path):
    code = tmp_path / "net.py"
    code.write_text(f"import torch\nimport torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {body}\n"
                    "    def forward(self, x):\n        return x\n")
    r = run("inspect", ROOT / "tests/fixtures/torch/sd.pth", "--code", code, "--input", "1,1,8,8", timeout=120)
    text = r.stderr.decode()
    assert r.returncode not in (0, -6, -11) and text.count("\n") == 1 and words in text, text
    assert not os.path.exists("/tmp/never")


@pytest.mark.sanitize
def test_an_argument_the_weights_do_not_show_is_asked_for(files, tmp_path):
    path, code = tmp_path / "m.pth", tmp_path / "net.py"
    path.write_bytes(files["mha.pth"])
    code.write_text("import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self, dim, heads):\n        super().__init__()\n"
                    "        self.l = nn.MultiheadAttention(dim, heads)\n    def forward(self, x):\n        return self.l(x, x, x)\n")
    args = ["inspect", path, "--json", "--code", code, "--input", "5,3,8"]
    r = run(*args)
    assert r.returncode == 2 and b"'heads'" in r.stderr and b"--init" in r.stderr
    got = json.loads(run(*args, "--init", '{"heads": 2}').stdout)
    assert "dim=8" in got["note"] and [o["shape"] for o in got["outputs"]]


def test_a_second_start_takes_the_import_from_the_cache(files, tmp_path):
    path = tmp_path / "m.pt"
    path.write_bytes(files["people_unet.trace.pt"])
    env = {"STOKER_STATE": str(tmp_path / "state")}
    run("inspect", path, "--input", "1,3,11,12", env=env)
    kept = list((tmp_path / "state/imports").iterdir())
    run("inspect", path, "--input", "1,3,11,12", env=env)
    assert len(kept) == 1 and list((tmp_path / "state/imports").iterdir()) == kept
    run("inspect", path, "--input", "1,3,12,12", env=env)  # another input is another import
    assert len(list((tmp_path / "state/imports").iterdir())) == 2


@pytest.mark.sanitize
def test_recorded_answers_are_compared(tmp_path):
    model = tmp_path / "iris.onnx"
    model.write_bytes((ROOT / "examples/iris.onnx").read_bytes())
    given, answer = tmp_path / "in.json", tmp_path / "out.json"
    given.write_text("[[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]")
    answer.write_bytes(run("predict", model, "-f", given).stdout)
    assert run("inspect", model, "--verify", given, answer).returncode == 0
    got = json.loads(run("inspect", model, "--verify", given, answer, "--json").stdout)
    assert got["verified"] and got["elements"] == 6
    wrong = json.loads(answer.read_text())
    wrong["predict_result"][1][2] += 0.01
    answer.write_text(json.dumps(wrong))
    r = run("inspect", model, "--verify", given, answer)
    assert r.returncode == 5 and b"'probabilities'" in r.stderr and b"element 5" in r.stderr
    (tmp_path / "golden.json").write_text(json.dumps({"input": json.loads(given.read_text()), "output": wrong}))
    r = run("serve", model, "--no-monitor", "--http-port", "0")
    assert r.returncode == 5 and b"golden.json" in r.stderr
    wrong["predict_result"][1][2] -= 0.01
    (tmp_path / "golden.json").write_text(json.dumps([{"input": json.loads(given.read_text()), "output": wrong}]))
    with Server(model) as s:
        assert s.request("GET", "/readyz")[0] == 200
    for bad in ("{", '{"input": [[1]]}', '{"input": [[1]], "output": [[1]]}', '{"input": {"nope": [[1]]}, "output": [[1]]}'):
        (tmp_path / "golden.json").write_text(bad)
        r = run("serve", model, "--no-monitor", "--http-port", "0")
        assert r.returncode not in (0, -6, -11) and b"golden.json" in r.stderr, bad


@pytest.mark.sanitize
def test_a_notebook_is_source_too(files, tmp_path):
    path, book = tmp_path / "m.pth", tmp_path / "train.ipynb"
    path.write_bytes(files["people_mnist.pth"])
    cells = [{"cell_type": "markdown", "source": ["# a title\n"]}, {"cell_type": "code", "source": ["!pip install torch\n", "%matplotlib inline\n"]},
             {"cell_type": "code", "source": files["people_mnist.py"].decode().splitlines(True)}, {"cell_type": "code", "source": "model = Net()\nfor x in loader:\n    model(x)\n"}]
    book.write_text(json.dumps({"nbformat": 4, "cells": cells}))
    xs, ys = arrays(files["people_mnist.npz"])
    given = tmp_path / "in.json"
    given.write_text(json.dumps(xs[0].tolist()))
    r = run("predict", path, "--code", book, "--input", "1,1,28,28", "-f", given)
    assert r.returncode == 0, r.stderr
    assert not differences([np.array(json.loads(r.stdout)["predict_result"])], ys)


def test_architectures_of_torchvision_are_known_by_their_weights(tmp_path):
    """MobileNet V3 small by names and shapes alone: safetensors made here, every weight the same, so that the answer is a constant row."""
    shapes = json.loads((ROOT / "tests/fixtures/torch/mobilenet_v3_small.json").read_text())
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 4 * int(np.prod(shape, dtype=np.int64))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + np.full(at // 4, 0.01, np.float32).tobytes())
    got = json.loads(run("inspect", path, "--json", "--input", "1,3,64,64").stdout)
    assert got["outputs"][0]["shape"] == [-1, 7] and "num_classes=7" in got["note"] and {c["name"] for c in got["classes"]} == {"mobilenet_v3_small"}


def safetensors(tensors):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = t.astype(np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module.", "net."])
def test_prefixes_of_wrappers_are_stripped(prefix, tmp_path):
    path, code = tmp_path / "m.safetensors", tmp_path / "net.py"
    rng = np.random.default_rng(1)
    w = {"fc1.weight": rng.normal(size=(8, 4)), "fc1.bias": rng.normal(size=8), "fc2.weight": rng.normal(size=(3, 8)), "fc2.bias": rng.normal(size=3)}
    path.write_bytes(safetensors({prefix + k: v for k, v in w.items()}))
    code.write_text("import torch.nn as nn\n\n\nclass Net(nn.Module):\n    def __init__(self, hidden):\n        super().__init__()\n"
                    "        self.fc1 = nn.Linear(4, hidden)\n        self.fc2 = nn.Linear(hidden, 3)\n\n    def forward(self, x):\n        return self.fc2(self.fc1(x).relu())\n")
    got = json.loads(run("inspect", path, "--code", code, "--input", "1,4", "--json").stdout)
    assert got["outputs"][0]["shape"] == [-1, 3] and "hidden=8" in got["note"]
    x = rng.normal(size=(2, 4)).astype(np.float32)
    given = tmp_path / "in.json"
    given.write_text(json.dumps(x.tolist()))
    r = run("predict", path, "--code", code, "--input", "1,4", "-f", given)
    assert r.returncode == 0, r.stderr
    want = np.maximum(x @ w["fc1.weight"].T + w["fc1.bias"], 0) @ w["fc2.weight"].T + w["fc2.bias"]
    assert np.allclose(json.loads(r.stdout)["predict_result"], want, atol=1e-4)


def test_a_batch_that_cannot_be_free_is_fixed(tmp_path):
    path, code = tmp_path / "m.safetensors", tmp_path / "net.py"
    rng = np.random.default_rng(2)
    w, b = rng.normal(size=(2, 12)), rng.normal(size=2)
    path.write_bytes(safetensors({"fc.weight": w, "fc.bias": b}))
    code.write_text("import torch.nn as nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(12, 2)\n\n"
                    "    def forward(self, x):\n        return self.fc(x.view(1, -1))\n")
    x = rng.normal(size=(1, 3, 4)).astype(np.float32)
    given = tmp_path / "in.json"
    given.write_text(json.dumps(x.tolist()))
    r = run("predict", path, "--code", code, "--input", "1,3,4", "-f", given)
    assert r.returncode == 0, r.stderr
    assert np.allclose(json.loads(r.stdout)["predict_result"], x.reshape(1, 12) @ w.T + b, atol=1e-4)
