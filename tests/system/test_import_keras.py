"""Keras files against what TensorFlow.js answers for the same models
(recorded by tests/oracle/keras_record.py)."""
import json
import sys

import numpy as np
import onnx
import pytest

from stoker import ROOT, run

sys.path.insert(0, str(ROOT / "tests/oracle"))
import keras_cases  # noqa: E402

CASES = keras_cases.cases()
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
    specs = [f"{c.name}={c.write_h5(d / (c.name + '.h5'))}" for c in CASES]
    with Server(*specs) as s:
        yield s


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_keras(case, served):
    inputs = [{"name": (n if not case.sequential else "in0"), "shape": list(a.shape), "datatype": "FP32", "data": a.flatten().tolist()}
              for n, a in case.inputs.items()]
    got = served.json("POST", f"/v2/models/{case.name}/infer", {"inputs": inputs})["outputs"]
    for g, w in zip(got, expected(case), strict=True):
        assert g["shape"] == w["shape"]
        assert close(g["data"], w["data"]), (np.asarray(g["data"])[:8], np.asarray(w["data"])[:8])
