"""Keras files against what TensorFlow.js answers for the same models
(recorded by tests/oracle/keras_record.py)."""
import json
import sys

import h5py
import numpy as np
import onnx
import pytest

from stoker import BINARY, ROOT, run

sys.path.insert(0, str(ROOT / "tests/oracle"))
import keras_cases  # noqa: E402

CASES = keras_cases.cases()
CASES3 = keras_cases.cases3()
# Sanitizers make the loading of all of them minutes: they get some, in which every reader of the format still comes up.
SOME = next((n for build, n in (("dev", 3), ("tsan", 9)) if f"/{build}/" in BINARY), 1)
WANT = json.loads((ROOT / "tests/fixtures/keras-outputs.json").read_text())


def close(got, want):
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    limit = 1e-3 * np.abs(want) + 1e-4 * max(np.abs(want).max(initial=0), 1e-6)
    return got.shape == want.shape and bool(np.all(np.abs(got - want) <= limit))


def weight(case, i=0):
    return next(w for w in case.weights.values() if w)[i][1].astype(np.float64)


def causal(case, stride=1, dilation=1):
    x = np.pad(case.inputs["in0"].astype(np.float64), ((0, 0), (2 * dilation, 0), (0, 0)))
    k = weight(case)
    steps = range(0, x.shape[1] - 2 * dilation, stride)
    return np.stack([sum(x[:, t + j * dilation] @ k[j] for j in range(3)) for t in steps], 1) + weight(case, 1)


def softmax_axis1(case):
    e = np.exp(case.inputs["in0"].astype(np.float64))
    return e / e.sum(1, keepdims=True)


def batch_norm_axis1(case):
    w = {n: a[None, :, None].astype(np.float64) for n, a in next(v for v in case.weights.values() if v)}
    return w["gamma"] * (case.inputs["in0"] - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 0.01) + w["beta"]


# What TensorFlow.js cannot do, or does wrongly (batch normalization of another
# axis than the last), from the formulas.
BY_HAND = {
    "batch_norm_axis1": batch_norm_axis1,
    "conv1d_causal_1": causal,
    "conv1d_causal_2": lambda c: causal(c, stride=2),
    "conv1d_causal_dilated": lambda c: causal(c, dilation=2),
    "elu_117": lambda c: np.where(c.inputs["in0"] > 0, c.inputs["in0"], 0.7 * np.expm1(c.inputs["in0"])),
    "softmax_120": softmax_axis1,
    "flatten_reshape": lambda c: c.inputs["in0"].reshape(3, 2, 4, 3).transpose(0, 3, 1, 2).reshape(3, -1),
}


def expected(case):
    if case.name in BY_HAND:
        y = np.asarray(BY_HAND[case.name](case))
        return [{"shape": list(y.shape), "data": y.flatten()}]
    return WANT[case.name]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """All cases in one server."""
    from stoker import Server
    d = tmp_path_factory.mktemp("keras")
    specs = [f"{c.name}={c.write_h5(d / (c.name + '.h5'))}" for c in CASES[::SOME]]
    with Server(*specs) as s:
        yield s


@pytest.mark.sanitize
@pytest.mark.one_thread
@pytest.mark.parametrize("case", CASES[::SOME], ids=lambda c: c.name)
def test_keras(case, served):
    inputs = [{"name": (n if not case.sequential else "in0"), "shape": list(a.shape), "datatype": "FP32", "data": a.flatten().tolist()}
              for n, a in case.inputs.items()]
    got = served.json("POST", f"/v2/models/{case.name}/infer", {"inputs": inputs})["outputs"]
    for g, w in zip(got, expected(case), strict=True):
        assert g["shape"] == w["shape"]
        assert close(g["data"], w["data"]), (np.asarray(g["data"])[:8], np.asarray(w["data"])[:8])


@pytest.fixture(scope="module")
def served3(tmp_path_factory):
    from stoker import Server
    d = tmp_path_factory.mktemp("keras3")
    specs = [f"{c.name}={c.write_keras(d / (c.name + '.keras'))}" for c, _ in CASES3[::SOME]]
    with Server(*specs) as s:
        yield s


@pytest.mark.sanitize
@pytest.mark.one_thread
@pytest.mark.parametrize("case,reference", CASES3[::SOME], ids=[c.name for c, _ in CASES3[::SOME]])
def test_keras3(case, reference, served3):
    inputs = [{"name": n, "shape": list(a.shape), "datatype": "FP32", "data": a.flatten().tolist()} for n, a in case.inputs.items()]
    got = served3.json("POST", f"/v2/models/{case.name}/infer", {"inputs": inputs})["outputs"]
    want = reference(case)
    assert len(got) == 1 and got[0]["shape"] == list(want.shape)
    assert close(got[0]["data"], want.flatten()), (np.asarray(got[0]["data"])[:8], want.flatten()[:8])


def one(name):
    return next(c for c in CASES if c.name == name)


@pytest.mark.sanitize
def test_convert_makes_an_onnx_file_that_answers_the_same(tmp_path):
    from stoker import Server
    case = one("functional_residual")
    source, target = case.write_h5(tmp_path / "m.h5"), tmp_path / "m.onnx"
    r = run("convert", source, "-o", target)
    assert r.returncode == 0 and b"Keras 2.11.0" in r.stdout, r.stderr
    m = onnx.load(str(target))
    onnx.checker.check_model(m)
    assert m.opset_import[0].version == 17 and m.ir_version == 8 and len({n.name for n in m.graph.node}) == len(m.graph.node)
    body = case.inputs["in0"].tolist()
    with Server(f"a={source}", f"b={target}") as s:
        assert s.json("POST", "/models/a/predict", body) == s.json("POST", "/models/b/predict", body)
    assert run("convert", target, "-o", tmp_path / "x").returncode == 2
    assert run("convert", source).returncode == 2
    assert run("convert", source, "-o", tmp_path / "no" / "dir.onnx").returncode != 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.h5", "m.onnx"]


def keras1(config):
    """A configuration in the words of Keras 1."""
    if isinstance(config, list):
        return [keras1(v) for v in config]
    if not isinstance(config, dict):
        return config
    words = {"units": "output_dim", "filters": "nb_filter", "use_bias": "bias", "recurrent_activation": "inner_activation", "padding": "border_mode",
             "strides": "subsample"}
    names = {"Conv2D": "Convolution2D"}
    out = {words.get(k, k): keras1(v) for k, v in config.items()}
    if "kernel_size" in out:
        out["nb_row"], out["nb_col"] = out.pop("kernel_size")
    if out.get("class_name") == "Concatenate":
        out["class_name"], out["config"] = "Merge", {"name": out["config"]["name"], "mode": "concat", "concat_axis": out["config"].get("axis", -1)}
    if "class_name" in out:
        out["class_name"] = names.get(out["class_name"], out["class_name"])
    return out


@pytest.mark.sanitize
@pytest.mark.one_thread
@pytest.mark.parametrize("layer,gates", [("LSTM", "ifco"), ("GRU", "zrh"), ("Conv2D", ""), ("Merge", "")])
def test_keras_1_means_the_same_in_other_words(layer, gates, tmp_path):
    from stoker import Server
    case = keras_cases.Case("k", (5, 3) if gates else (6, 6, 2))
    if gates:
        n = len(gates)
        config = keras_cases.rnn_config(4, recurrent_activation="hard_sigmoid", **({"reset_after": False} if layer == "GRU" else {}))
        case.add(layer, config, [("kernel", (3, 4 * n)), ("recurrent_kernel", (4, 4 * n)), ("bias", (4 * n,))], name="r")
    else:
        case.add("Conv2D", keras_cases.conv_config(3, (3, 2), padding="same", activation="relu"), [("kernel", (3, 2, 2, 3)), ("bias", (3,))], name="c")
        if layer == "Merge":
            case.add("Concatenate", {"axis": -1}, [], inputs=["c", "in0"], name="m")
    whole, old = case.write_h5(tmp_path / "whole.h5"), tmp_path / "old.h5"
    config = keras1(case.config())
    with h5py.File(whole) as a, h5py.File(old, "w") as b:
        b.attrs["keras_version"], b.attrs["model_config"] = "1.2.2", json.dumps(config)
        a.copy("model_weights", b)
        if gates:
            g = b["model_weights/r"]
            parts = {name: np.split(g[f"r/{name}:0"][:], len(gates), -1) for name in ("kernel", "recurrent_kernel", "bias")}
            names = []
            for gate in {"ifco": "icfo"}.get(gates, gates):
                for short, name in (("W", "kernel"), ("U", "recurrent_kernel"), ("b", "bias")):
                    g.create_dataset(f"r_{short}_{gate}:0", data=parts[name][gates.index(gate)])
                    names.append(f"r_{short}_{gate}:0".encode())
            g.attrs["weight_names"] = names
    body = case.inputs["in0"].tolist()
    with Server(f"a={whole}", f"b={old}") as s:
        assert s.json("POST", "/models/b/predict", body) == s.json("POST", "/models/a/predict", body)


@pytest.mark.sanitize
def test_kernels_of_theano_are_refused(tmp_path):
    case = keras_cases.Case("k", (6, 6, 2))
    case.add("Conv2D", keras_cases.conv_config(3, (3, 2)), [("kernel", (3, 2, 2, 3)), ("bias", (3,))], name="c")
    path = case.write_h5(tmp_path / "m.h5")
    assert run("inspect", path).returncode == 0
    with h5py.File(path, "a") as f:
        f.attrs["backend"] = "theano"
    r = run("inspect", path)
    assert r.returncode != 0 and b"Theano" in r.stderr, r.stderr


@pytest.mark.sanitize
def test_weights_alone_need_what_to_json_wrote(tmp_path):
    """save_weights() writes what stands under model_weights, at the top."""
    from stoker import Server
    case = one("functional_residual")
    whole, weights, text = case.write_h5(tmp_path / "whole.h5"), tmp_path / "weights.h5", tmp_path / "model.json"
    with h5py.File(whole) as a, h5py.File(weights, "w") as b:
        for name, value in a["model_weights"].attrs.items():
            b.attrs[name] = value
        for name in a["model_weights"]:
            a.copy(a["model_weights"][name], b, name)
    r = run("inspect", weights)
    assert r.returncode != 0 and b"--code model.json" in r.stderr, r.stderr
    text.write_text("print('not this')")
    r = run("inspect", weights, "--code", text)
    assert r.returncode != 0 and b"to_json()" in r.stderr, r.stderr
    text.write_text(json.dumps({**case.config(), "keras_version": "2.11.0", "backend": "tensorflow"}) + "\n")
    body = case.inputs["in0"].tolist()
    with Server(f"a={whole}") as s:
        want = s.json("POST", "/models/a/predict", body)
    with Server(f"b={weights}", "--code", text) as s:
        assert s.json("POST", "/models/b/predict", body) == want


@pytest.mark.sanitize
def test_inspect_tells_what_a_keras_file_is(tmp_path):
    r = run("inspect", "--json", one("lstm_stack").write_h5(tmp_path / "m.h5"))
    got = json.loads(r.stdout)
    assert got["format"] == "Keras model (HDF5)" and got["framework"].startswith("Keras 2.11.0")
    assert {"name": "LSTM", "count": 2} in got["classes"] and got["parameters"] == 193 and got["batchable"]
    assert [i["name"] for i in got["inputs"]] == ["in0"] and got["inputs"][0]["shape"] == [-1, 6, 3]
    assert b"Keras model (HDF5), Keras 2.11.0" in run("inspect", tmp_path / "m.h5").stdout
    big = keras_cases.Case("big", (30,))
    big.add("Dense", {"units": 20, "activation": "relu", "use_bias": True}, [("kernel", (30, 20)), ("bias", (20,))])
    assert json.loads(run("inspect", "--json", big.write_h5(tmp_path / "b.h5")).stdout)["parameters"] == 620


@pytest.mark.sanitize
def test_imports_are_kept_by_hash_and_a_damaged_entry_is_replaced(tmp_path):
    import os
    from stoker import Server
    env = {"STOKER_STATE": str(tmp_path / "state")}
    case = one("conv2d_same_2_8")
    path = case.write_h5(tmp_path / "m.h5")
    body = case.inputs["in0"].tolist()

    def answer():
        with Server(path, env=env) as s:
            return s.json("POST", "/predict", body)
    first = answer()
    entry, = (tmp_path / "state/imports").iterdir()
    assert os.stat(entry).st_mode & 0o777 == 0o600 and os.stat(entry.parent).st_mode & 0o777 == 0o700
    good = entry.read_bytes()
    assert answer() == first and entry.read_bytes() == good
    for bad in (b"", good[:100], good[: len(good) // 2], b"x" * len(good), good[:-64], bytes(len(good))):
        entry.write_bytes(bad)
        assert answer() == first and entry.read_bytes() == good
    entry.chmod(0o666)  # others could have written it: not believed
    entry.write_bytes(bytes(len(good)))
    assert answer() == first
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    with Server(path, env={"STOKER_STATE": str(blocked)}) as s:
        assert s.json("POST", "/predict", body) == first


@pytest.mark.sanitize
def test_the_file_may_change_while_its_model_is_served(tmp_path):
    from stoker import Server
    case = one("dense_relu")
    path = case.write_h5(tmp_path / "m.h5")
    body = case.inputs["in0"].tolist()
    with Server(path) as s:
        want = s.json("POST", "/predict", body)
        path.write_bytes(b"")
        for _ in range(20):
            assert s.json("POST", "/predict", body) == want
        assert s.request("POST", "/v2/repository/models/m/load", "{}")[0] == 400
        assert s.json("POST", "/predict", body) == want
        case.write_h5(path)
        assert s.request("POST", "/v2/repository/models/m/load", "{}")[0] == 200
        assert s.json("POST", "/predict", body) == want
