"""Every backend node test of ONNX (Debian's libonnx-testdata) over HTTP: loaded
from a repository, sent through the Open Inference Protocol as JSON and as
binary, compared at the tolerance of the ONNX project (rtol 1e-3, atol 1e-7).

What the runtime itself cannot do in process is listed in conformance-known.txt
with its reason; everything else must pass.
"""
import json
import pathlib
import shutil
import struct

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from stoker import Server

DATA = pathlib.Path("/usr/include/onnx/backend/test/data")
KINDS = ["node", "pytorch-converted", "pytorch-operator", "simple"]

NAMES = {np.dtype("float32"): "FP32", np.dtype("float64"): "FP64", np.dtype("float16"): "FP16",
         np.dtype("int8"): "INT8", np.dtype("int16"): "INT16", np.dtype("int32"): "INT32",
         np.dtype("int64"): "INT64", np.dtype("uint8"): "UINT8", np.dtype("uint16"): "UINT16",
         np.dtype("uint32"): "UINT32", np.dtype("uint64"): "UINT64", np.dtype("bool"): "BOOL",
         np.dtype("object"): "BYTES"}
TYPES = {v: k for k, v in NAMES.items()}
KNOWN = dict(line.split(None, 1) for line in
             (pathlib.Path(__file__).parent / "conformance-known.txt").read_text().splitlines()
             if line and not line.startswith("#"))


class Bf16(np.ndarray):
    """Bit patterns of bfloat16 in uint16."""


def cases():
    return [(f"{kind}.{d.name}", d) for kind in KINDS for d in sorted((DATA / kind).iterdir())
            if (d / "model.onnx").exists()]


def read_tensor(path, value_info):
    t = onnx.TensorProto()
    t.ParseFromString(path.read_bytes())
    # Some recorded bfloat16 tensors say UINT16; the model says what they are.
    if value_info.type.tensor_type.elem_type == onnx.TensorProto.BFLOAT16:
        raw = np.array(t.int32_data, dtype=np.uint16) if t.int32_data else np.frombuffer(t.raw_data, np.uint16)
        return raw.reshape(tuple(t.dims)).view(Bf16)
    a = numpy_helper.to_array(t)
    return np.array([x if isinstance(x, bytes) else x for x in a.reshape(-1)], dtype=object).reshape(a.shape) \
        if a.dtype == object else a


def is_tensor(value_info):
    return value_info.type.WhichOneof("value") == "tensor_type"


def datatype(a):
    return "BF16" if isinstance(a, Bf16) else NAMES.get(a.dtype)


def to_bytes(a):
    if a.dtype == object:
        parts = [x if isinstance(x, bytes) else x.encode() for x in a.reshape(-1)]
        return b"".join(struct.pack("<I", len(p)) + p for p in parts)
    return np.ascontiguousarray(a).tobytes()


def to_json(a):
    if a.dtype == object:
        return [x.decode() if isinstance(x, bytes) else x for x in a.reshape(-1)]
    if isinstance(a, Bf16):
        return [float(x) for x in (a.astype(np.uint32) << 16).view(np.float32).reshape(-1)]
    return a.reshape(-1).tolist()


def from_bytes(raw, out):
    shape = out["shape"]
    if out["datatype"] == "BYTES":
        parts, at = [], 0
        while at < len(raw):
            (n,) = struct.unpack_from("<I", raw, at)
            parts.append(raw[at + 4:at + 4 + n])
            at += 4 + n
        return np.array(parts, dtype=object).reshape(shape)
    if out["datatype"] == "BF16":
        return np.frombuffer(raw, np.uint16).reshape(shape)
    return np.frombuffer(raw, TYPES[out["datatype"]]).reshape(shape)


def from_json(out):
    if out["datatype"] == "BYTES":
        return np.array([x.encode() for x in out["data"]], dtype=object).reshape(out["shape"])
    if out["datatype"] == "BF16":
        return np.array(out["data"], np.float32).reshape(out["shape"])
    return np.array(out["data"], dtype=TYPES[out["datatype"]]).reshape(out["shape"])


def same(want, got):
    if want.dtype == object:
        enc = [x if isinstance(x, bytes) else x.encode() for x in want.reshape(-1)]
        return list(want.shape) == list(got.shape) and enc == list(got.reshape(-1))
    if isinstance(want, Bf16):
        want = (np.asarray(want).astype(np.uint32) << 16).view(np.float32)
        if got.dtype == np.uint16:
            got = (got.astype(np.uint32) << 16).view(np.float32)
    if list(want.shape) != list(got.shape):
        return False
    return np.allclose(want.astype(np.float64) if want.dtype != bool else want,
                       got.astype(np.float64) if got.dtype != bool else got,
                       rtol=1e-3, atol=1e-7, equal_nan=True)


def ask(server, name, model, arrays, binary):
    inputs, tail = [], b""
    for spec, a in zip(model.graph.input, arrays):
        t = {"name": spec.name, "shape": list(a.shape), "datatype": datatype(a)}
        if binary:
            raw = to_bytes(a)
            t["parameters"] = {"binary_data_size": len(raw)}
            tail += raw
        else:
            t["data"] = to_json(a)
        inputs.append(t)
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": binary}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))} if binary else {}
    status, replied, body = server.request("POST", f"/v2/models/{name}/infer", head + tail, headers)
    if status != 200:
        return None, f"status {status}: {body[:200]!r}"
    size = int(replied.get("inference-header-content-length", len(body)))
    reply, rest, out = json.loads(body[:size]), body[size:], []
    for o in reply["outputs"]:
        if binary:
            n = o["parameters"]["binary_data_size"]
            out.append(from_bytes(rest[:n], o))
            rest = rest[n:]
        else:
            out.append(from_json(o))
    return out, None


def check(server, name, case, binary):
    model = onnx.load(str(case / "model.onnx"))
    if not all(is_tensor(v) for v in [*model.graph.input, *model.graph.output]):
        return "skip", "an input or output is a sequence, a map or an optional: the protocol carries tensors"
    for data in sorted(case.glob("test_data_set_*")):
        given = [v for v in model.graph.input]
        arrays = [read_tensor(data / f"input_{i}.pb", given[i]) for i in range(len(list(data.glob("input_*.pb"))))]
        wants = [read_tensor(data / f"output_{i}.pb", model.graph.output[i])
                 for i in range(len(list(data.glob("output_*.pb"))))]
        if any(datatype(a) is None for a in [*arrays, *wants]):
            return "skip", "a type that the protocol does not carry (complex)"
        got, why = ask(server, name, model, arrays, binary)
        if why:
            return "fail", why
        for i, (w, g) in enumerate(zip(wants, got)):
            if not same(w, g):
                return "fail", f"output {i} differs"
    return "pass", ""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    repo = tmp_path_factory.mktemp("repository")
    for name, case in cases():
        (repo / name / "1").mkdir(parents=True)
        shutil.copy(case / "model.onnx", repo / name / "1")
    with Server("--model-repository", repo, "--queue", "4096") as s:
        yield s


@pytest.mark.parametrize("form", ["json", "binary"])
def test_every_node_test(server, form):
    counts = {"pass": 0, "fail": 0, "skip": 0, "known": 0}
    reasons, failures, skips = {}, [], []
    for name, case in cases():
        result, why = check(server, name, case, form == "binary")
        if result == "fail" and name in KNOWN:
            result = "known"
            skips.append(f"{name}: {KNOWN[name]}")
        elif result == "fail":
            failures.append(f"{name}: {why}")
        elif result == "skip":
            reasons[why] = reasons.get(why, 0) + 1
        counts[result] += 1
    line = (f"ONNX node tests over OIP {form}: {counts['pass']} passed, {counts['fail']} failed, "
            f"{counts['known'] + counts['skip']} skipped ({counts['known']} the runtime cannot do in process; "
            + "; ".join(f"{n} {why}" for why, n in reasons.items()) + ")")
    print("\n" + line)
    assert not failures, line + "\n" + "\n".join(failures)
