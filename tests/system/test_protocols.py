"""What each protocol promises, over HTTP."""
import gzip
import json
import math
import struct
import zlib

import models
import numpy as np
import pytest
import requests
from onnx import TensorProto as T

from stoker import Server

pytestmark = pytest.mark.sanitize


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    d = tmp_path_factory.mktemp("models")
    repo = d / "repo"
    models.mlp(repo / "mlp/1/model.onnx")
    models.half_plus_two(repo / "half_plus_two/123/model.onnx")
    models.half_plus_two(repo / "half_plus_two/7/model.onnx")
    models.add_sub(repo / "simple/1/model.onnx")
    (repo / "simple/config.pbtxt").write_text(
        'name: "simple" platform: "onnxruntime_onnx" max_batch_size: 8\n'
        'input [{name: "INPUT0" data_type: TYPE_INT32 dims: [16]}, {name: "INPUT1" data_type: TYPE_INT32 dims: [16]}]\n'
        'output [{name: "OUTPUT0" data_type: TYPE_INT32 dims: [16] label_filename: "labels.txt"}]\n')
    (repo / "simple/labels.txt").write_text("".join(f"class{i}\n" for i in range(16)))
    models.zipmap(repo / "zipmap/1/model.onnx")
    models.normalizer(repo / "text/1/model.onnx")
    models.optional_input(repo / "optional/1/model.onnx")
    models.scalar(repo / "scalar/1/model.onnx")
    models.across_batch(repo / "across/1/model.onnx")
    models.external(repo / "external/1/model.onnx")
    for name, t in {"fp16": T.FLOAT16, "fp32": T.FLOAT, "fp64": T.DOUBLE, "bf16": T.BFLOAT16, "bool": T.BOOL,
                    "int8": T.INT8, "int16": T.INT16, "int32": T.INT32, "int64": T.INT64, "uint8": T.UINT8,
                    "uint16": T.UINT16, "uint32": T.UINT32, "uint64": T.UINT64, "string": T.STRING}.items():
        models.identity(repo / f"id_{name}/1/model.onnx", t)
    with Server("--model-repository", repo, "--max-body", "1M", env={"LANG": "C", "LC_ALL": "C"}) as s:
        yield s


# --- the plain recipe ---

def test_predict_takes_lists_and_objects(server):
    one = server.json("POST", "/models/mlp/predict", [[1.2, 3.4, 5.6]])
    named = server.json("POST", "/models/mlp/predict", {"x": [[1.2, 3.4, 5.6]]})
    lifted = server.json("POST", "/models/mlp/predict", [1.2, 3.4, 5.6])
    assert one == named == lifted and list(one) == ["predict_result"]
    assert np.shape(one["predict_result"]) == (1, 1)
    many = server.json("POST", "/models/mlp/predict", [[1.2, 3.4, 5.6], [0, 0, 0]])
    assert np.shape(many["predict_result"]) == (2, 1) and many["predict_result"][0] == one["predict_result"][0]


def test_predict_with_several_inputs_and_outputs(server):
    a, b = list(range(16)), [1] * 16
    r = server.json("POST", "/models/simple/predict", {"INPUT0": [a], "INPUT1": [b]})["predict_result"]
    assert r == {"OUTPUT0": [[x + 1 for x in a]], "OUTPUT1": [[x - 1 for x in a]]}


def test_zipmap_becomes_a_list_of_objects(server):
    r = server.json("POST", "/models/zipmap/predict", [[2, 0], [0, 2]])["predict_result"]
    assert r["label"] == ["cat", "dog"]
    assert set(r["probabilities"][0]) == {"cat", "dog"} and r["probabilities"][0]["cat"] > 0.8


def test_text_models_load_without_their_locale(server):
    assert server.json("POST", "/models/text/predict", ["ärger", "ok"])["predict_result"] == ["ÄRGER", "OK"]


def test_optional_inputs_may_be_left_out(server):
    assert server.json("POST", "/models/optional/predict", {"x": [1, 2]})["predict_result"] == [10, 20]
    assert server.json("POST", "/models/optional/predict", {"x": [1, 2], "scale": [2]})["predict_result"] == [2, 4]


def test_scalars_zero_sizes_and_external_data(server):
    assert server.json("POST", "/models/scalar/predict", "2.5")["predict_result"] == -2.5
    assert server.json("POST", "/models/id_fp32/predict", [])["predict_result"] == []
    assert server.json("POST", "/models/external/predict", [1, 2])["predict_result"] == [4, 5]


@pytest.mark.parametrize("v", [0.1, 1e-45, 3.4028235e38, 1 / 3, 16777216.0, 1e-5, 123456.789, -0.0])
def test_float32_round_trips(server, v):
    body = json.dumps([float(np.float32(v))])
    text = server.request("POST", "/models/id_fp32/predict", body)[2].decode()
    got = json.loads(text)["predict_result"][0]
    assert np.float32(got) == np.float32(v) and math.copysign(1, got) == math.copysign(1, v)
    assert len(text) <= len('{"predict_result":[-3.4028235e+38]}')


def test_nan_and_infinity_pass(server):
    text = server.request("POST", "/models/id_fp32/predict", "[NaN, Infinity, -Infinity]")[2].decode()
    assert text == '{"predict_result":[NaN,Infinity,-Infinity]}'


# --- wrong input ---

@pytest.mark.parametrize("path,body,status,words", [
    ("/models/mlp/predict", "[[1,2,3,4]]", 400, "input 'x': expected FP32 [batch,3], got [1,4] at $"),
    ("/models/mlp/predict", "[[1,2],[3]]", 400, "a list has 1 elements where the one before has 2 at line 1, column 10"),
    ("/models/mlp/predict", '[[1,"a",3]]', 400, "expected a FP32 number, got a string at line 1, column 5 ($[0][1])"),
    ("/models/mlp/predict", "[[1,2,3]", 400, "end of the text"),
    ("/models/mlp/predict", "", 400, "expected a number"),
    ("/models/mlp/predict", "[" * 50000, 400, "nested deeper than"),
    ("/models/mlp/predict", '{"z": [1]}', 400, "the model has no input 'z'; it has 'x'"),
    ("/models/simple/predict", "[[1]]", 400, "has several inputs"),
    ("/models/simple/predict", {"INPUT0": [[0] * 16]}, 400, "input 'INPUT1' is missing: expected INT32 [batch,16]"),
    ("/models/simple/predict", {"INPUT0": [[0] * 16], "INPUT1": [[0] * 16] * 2}, 400, "must have the same number"),
    ("/models/id_int8/predict", "[128]", 400, "out of range of INT8"),
    ("/models/id_int8/predict", "[1.5]", 400, "expected a whole number for INT8"),
    ("/models/id_fp32/predict", "[1e39]", 400, "out of range of FP32"),
    ("/models/nothing/predict", "[]", 404, "unknown model: 'nothing'"),
    ("/predict", "[]", 404, "several models are served"),
    ("/nothing", "[]", 404, "nothing at this path"),
    ("/v2/models/mlp/infer", {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}, 400,
     "input 'x': expected FP32 [batch,3], got [1,4] at $.inputs[0].data"),
    ("/v2/models/mlp/infer", {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "INT32", "data": [1, 2, 3]}]}, 400,
     "expected FP32 [batch,3], got INT32 [1,3]"),
    ("/v2/models/mlp/infer", {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2]}]}, 400,
     "expected 3 elements for shape [1,3], got 2"),
    ("/v2/models/mlp/infer", {"inputs": [{"name": "x", "shape": [1, -3], "datatype": "FP32", "data": []}]}, 400, "negative"),
    ("/v2/models/mlp/infer", {"inputs": [{"name": "x", "shape": [1 << 40, 1 << 40], "datatype": "FP32", "data": []}]}, 400, "too large"),
    ("/v2/models/mlp/infer", {"inputs": [{"name": "q", "shape": [1], "datatype": "FP32", "data": [1]}]}, 400,
     "unexpected inference input 'q' for model 'mlp'"),
    ("/v2/models/mlp/infer", {"inputs": []}, 400, "input 'x' is missing"),
    ("/v2/models/mlp/infer", "{}", 400, "no 'inputs'"),
    ("/v2/models/mlp/versions/9/infer", "{}", 404, "not found"),
    ("/v1/models/half_plus_two:predict", "{}", 400, "Missing 'inputs' or 'instances' key"),
    ("/v1/models/half_plus_two:predict", {"instances": [1], "inputs": [1]}, 400, "not both"),
    ("/v1/models/half:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(half)"),
    ("/v1/models/half_plus_two/versions/9:predict", {"instances": [1]}, 404, "Specific(half_plus_two, 9)"),
    ("/v1/models/half_plus_two:predict", {"signature_name": "foo", "instances": [1]}, 400, "Serving signature name"),
])
def test_mistakes_are_explained(server, path, body, status, words):
    got, headers, raw = server.request("POST", path, body)
    assert got == status and headers["content-type"] == "application/json"
    assert words in json.loads(raw)["error"]


def test_methods_types_and_sizes_are_refused(server):
    status, headers, _ = server.request("GET", "/models/mlp/predict")
    assert status == 405 and "POST" in headers["allow"]
    status, headers, _ = server.request("POST", "/metrics", "")
    assert status == 405 and "GET" in headers["allow"]
    status, headers, raw = server.request("POST", "/models/mlp/predict", "<x/>", {"Content-Type": "text/xml"})
    assert status == 415 and b"text/xml" in raw
    assert server.request("POST", "/models/mlp/predict", b" " * (1 << 20) + b"[]")[0] == 413
    assert server.request("POST", "/models/mlp/predict", b"x", {"Content-Encoding": "br"})[0] == 415
    bomb = gzip.compress(b"[" + b"0," * (2 << 20) + b"0]")
    assert server.request("POST", "/models/id_fp32/predict", bomb, {"Content-Encoding": "gzip"})[0] == 413
    assert server.request("OPTIONS", "/predict")[0] == 204


# --- Open Inference Protocol ---

def test_oip_metadata(server):
    assert server.json("GET", "/v2/health/live") == {"live": True}
    assert server.json("GET", "/v2/health/ready") == {"ready": True}
    meta = server.json("GET", "/v2")
    assert meta["name"] == "stoker" and "binary_tensor_data" in meta["extensions"]
    m = server.json("GET", "/v2/models/half_plus_two")
    assert m["versions"] == ["123"] and m["platform"] == "onnxruntime_onnx"
    assert m["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1]}]
    assert server.json("GET", "/v2/models/mlp/versions/1/ready")["ready"] is True
    c = server.json("GET", "/v2/models/simple/config")
    assert c["max_batch_size"] == 8 and c["input"][0] == {"name": "INPUT0", "data_type": "TYPE_INT32", "dims": [16]}
    assert server.request("GET", "/v2/models/none")[0] == 404
    assert server.request("GET", "/v2/")[0] == 200


def infer(server, model, inputs, headers=None, **more):
    return server.json("POST", f"/v2/models/{model}/infer", {"inputs": inputs, **more}, headers)


def test_oip_json_flat_and_nested_in_any_order(server):
    flat = infer(server, "mlp", [{"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}], id="7")
    nested = infer(server, "mlp", [{"data": [[1, 2, 3], [4, 5, 6]], "datatype": "FP32", "shape": [2, 3], "name": "x"}])
    assert flat["id"] == "7" and "id" not in nested
    assert flat["model_name"] == "mlp" and flat["model_version"] == "1"
    assert flat["outputs"] == nested["outputs"] and flat["outputs"][0]["shape"] == [2, 1]


@pytest.mark.parametrize("name,datatype,dtype", [
    ("fp16", "FP16", "<f2"), ("fp32", "FP32", "<f4"), ("fp64", "FP64", "<f8"), ("int8", "INT8", "i1"),
    ("int16", "INT16", "<i2"), ("int32", "INT32", "<i4"), ("int64", "INT64", "<i8"), ("uint8", "UINT8", "u1"),
    ("uint16", "UINT16", "<u2"), ("uint32", "UINT32", "<u4"), ("uint64", "UINT64", "<u8"), ("bool", "BOOL", "?"),
    ("bf16", "BF16", "<u2")])
def test_oip_binary_of_every_type_at_every_alignment(server, name, datatype, dtype):
    data = np.array([0, 1, 1, 0, 1], dtype)
    for pad in range(4):
        head = json.dumps({"id": "x" * pad, "inputs": [{"name": "x", "shape": [5], "datatype": datatype,
                           "parameters": {"binary_data_size": data.nbytes}}],
                           "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}).encode()
        status, headers, body = server.request("POST", f"/v2/models/id_{name}/infer", head + data.tobytes(),
                                               {"Inference-Header-Content-Length": str(len(head))})
        assert status == 200, body
        n = int(headers["inference-header-content-length"])
        assert headers["content-type"] == "application/octet-stream"
        out = json.loads(body[:n])["outputs"][0]
        assert out["datatype"] == datatype and out["parameters"] == {"binary_data_size": data.nbytes}
        assert body[n:] == data.tobytes()


def test_oip_raw_binary(server):
    data = np.array([[1, 2, 3], [4, 5, 6]], "<f4")
    status, headers, body = server.request("POST", "/v2/models/mlp/infer", data.tobytes(),
                                           {"Inference-Header-Content-Length": "0"})
    assert status == 200
    n = int(headers["inference-header-content-length"])
    assert json.loads(body[:n])["outputs"][0]["shape"] == [2, 1] and len(body) - n == 8
    assert server.request("POST", "/v2/models/mlp/infer", b"1234567", {"Inference-Header-Content-Length": "0"})[0] == 400


def test_oip_strings_both_ways(server):
    words = ["", "ä", "x" * 300]
    r = infer(server, "id_string", [{"name": "x", "shape": [3], "datatype": "BYTES", "data": words}])
    assert r["outputs"][0]["data"] == words
    raw = b"".join(struct.pack("<I", len(w.encode())) + w.encode() for w in words)
    head = json.dumps({"inputs": [{"name": "x", "shape": [3], "datatype": "BYTES",
                                   "parameters": {"binary_data_size": len(raw)}}],
                       "parameters": {"binary_data_output": True}}).encode()
    status, headers, body = server.request("POST", "/v2/models/id_string/infer", head + raw,
                                           {"Inference-Header-Content-Length": str(len(head))})
    assert status == 200 and body[int(headers["inference-header-content-length"]):] == raw
    for damage in (raw[:-1], raw + b"\0", b"\xff" * len(raw)):
        head = json.dumps({"inputs": [{"name": "x", "shape": [3], "datatype": "BYTES",
                                       "parameters": {"binary_data_size": len(damage)}}]}).encode()
        assert server.request("POST", "/v2/models/id_string/infer", head + damage,
                              {"Inference-Header-Content-Length": str(len(head))})[0] == 400


def test_oip_header_length_is_checked(server):
    for value in ("-1", "99999", "x", "18446744073709551616"):
        assert server.request("POST", "/v2/models/mlp/infer", "{}", {"Inference-Header-Content-Length": value})[0] == 400


def test_oip_compression_both_ways(server):
    body = json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}).encode()
    for coding, pack, unpack in (("gzip", gzip.compress, gzip.decompress), ("deflate", zlib.compress, zlib.decompress)):
        status, headers, raw = server.request("POST", "/v2/models/mlp/infer", pack(body),
                                              {"Content-Encoding": coding, "Accept-Encoding": coding,
                                               "Inference-Header-Content-Length": str(len(body))})
        assert status == 200 and headers["content-encoding"] == coding
        assert json.loads(unpack(raw))["outputs"][0]["shape"] == [1, 1]
    _, headers, _ = server.request("POST", "/v2/models/mlp/infer", body, {"Accept-Encoding": "gzip;q=0.1, deflate;q=0.9"})
    assert headers["content-encoding"] == "deflate"
    _, headers, _ = server.request("POST", "/v2/models/mlp/infer", body, {"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in headers


def test_oip_classification(server):
    r = infer(server, "simple", [{"name": n, "shape": [1, 16], "datatype": "INT32", "data": list(range(16))}
                                 for n in ("INPUT0", "INPUT1")],
              outputs=[{"name": "OUTPUT0", "parameters": {"classification": 2}}])
    assert r["outputs"] == [{"name": "OUTPUT0", "datatype": "BYTES", "shape": [1, 2],
                             "data": ["30:15:class15", "28:14:class14"]}]


def test_oip_outputs_timeout_and_reserved_parameters(server):
    x = [{"name": n, "shape": [1, 16], "datatype": "INT32", "data": [0] * 16} for n in ("INPUT0", "INPUT1")]
    assert [o["name"] for o in infer(server, "simple", x, outputs=[{"name": "OUTPUT1"}])["outputs"]] == ["OUTPUT1"]
    assert server.request("POST", "/v2/models/simple/infer", {"inputs": x, "outputs": [{"name": "NO"}]})[0] == 400
    assert server.request("POST", "/v2/models/simple/infer", {"inputs": x, "parameters": {"timeout": 1}})[0] == 504
    assert infer(server, "simple", x, parameters={"timeout": 10_000_000, "priority": 2})["outputs"]
    assert server.request("POST", "/v2/models/simple/infer", {"inputs": x, "parameters": {"triton_x": 1}})[0] == 400
    too_many = [{"name": n, "shape": [9, 16], "datatype": "INT32", "data": [0] * 144} for n in ("INPUT0", "INPUT1")]
    assert server.request("POST", "/v2/models/simple/infer", {"inputs": too_many})[0] == 400


def test_oip_zipmap_travels_as_json_text(server):
    r = infer(server, "zipmap", [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [2, 0]}])
    out = {o["name"]: o for o in r["outputs"]}
    assert out["probabilities"]["datatype"] == "BYTES"
    assert json.loads(out["probabilities"]["data"][0])["cat"] > 0.8


def test_oip_repository_and_stats(server):
    index = server.json("POST", "/v2/repository/index")
    assert {"name": "mlp", "version": "1", "state": "READY", "reason": ""} in index
    infer(server, "mlp", [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}])
    stats = server.json("GET", "/v2/models/mlp/stats")["model_stats"][0]
    assert set(stats["inference_stats"]) == {"success", "fail", "queue", "compute_input", "compute_infer",
                                             "compute_output", "cache_hit", "cache_miss"}
    assert stats["inference_stats"]["success"]["count"] >= 1 and stats["last_inference"] > 0
    assert server.request("POST", "/v2/repository/models/optional/unload", "{}")[0] == 200
    assert server.request("POST", "/models/optional/predict", "[1]")[0] == 503
    assert server.request("GET", "/readyz")[0] == 503
    assert server.request("POST", "/v2/repository/models/optional/load", "{}")[0] == 200
    assert server.json("POST", "/models/optional/predict", [1])["predict_result"] == [10]
    assert server.request("GET", "/readyz")[0] == 200
    assert server.request("POST", "/v2/repository/models/none/load", "{}")[0] == 404
    assert server.request("POST", "/v2/repository/models/..%2fx/load", "{}")[0] == 400
    assert server.request("POST", "/v2/repository/models/mlp/load",
                          {"parameters": {"file:1/model.onnx": "AAAA"}})[0] == 400


# --- TensorFlow Serving ---

def test_tfs_rows_columns_status_metadata(server):
    u = "/v1/models/half_plus_two"
    assert server.json("POST", u + ":predict", {"instances": [1.0, 2.0, 5.0]}) == {"predictions": [2.5, 3.0, 4.5]}
    assert server.json("POST", u + "/versions/123:predict", {"inputs": [1.0, 2.0]}) == {"outputs": [2.5, 3.0]}
    assert server.json("POST", u + "/labels/stable:predict", {"inputs": {"x": [4]}}) == {"outputs": [4.0]}
    assert server.json("POST", u + ":regress", {"examples": [{"x": 1.0}, {"x": 2.0}]}) == {"results": [2.5, 3.0]}
    assert server.json("GET", u) == {"model_version_status": [
        {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]}
    meta = server.json("GET", u + "/metadata")
    x = meta["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]["x"]
    assert x["dtype"] == "DT_FLOAT" and x["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert server.json("GET", "/v1/models", status=400) == {"error": "Missing model name in request."}
    assert server.request("GET", "/v1/models/none")[0] == 404


def test_tfs_named_rows_strings_and_classes(server):
    rows = [{"INPUT0": [i] * 16, "INPUT1": [1] * 16} for i in range(3)]
    r = server.json("POST", "/v1/models/simple:predict", {"signature_name": "serving_default", "instances": rows})
    assert r["predictions"][2]["OUTPUT0"] == [3] * 16 and len(r["predictions"]) == 3
    assert server.json("POST", "/v1/models/id_string:predict", {"instances": [{"b64": "aGk="}, "yo"]}) == {"predictions": ["hi", "yo"]}
    r = server.json("POST", "/v1/models/zipmap:classify", {"examples": [{"x": [2, 0]}]})
    assert sorted(c[0] for c in r["results"][0]) == ["cat", "dog"]
    assert server.request("POST", "/v1/models/simple:predict", {"instances": [rows[0], {"INPUT0": [1] * 16}]})[0] == 400


# --- the rest of the surface ---

def test_a_model_that_mixes_rows_is_never_batched(server):
    index = server.json("GET", "/v2/models/across/config")
    assert index["max_batch_size"] == 0 and "dynamic_batching" not in index


def test_requests_library_and_ids(server):
    s = requests.Session()
    for _ in range(3):
        r = s.post(server.url + "/models/mlp/predict", json=[[1, 2, 3]], headers={"X-Request-Id": "abc-1"})
        assert r.status_code == 200 and r.headers["X-Request-Id"] == "abc-1"
    assert s.head(server.url + "/livez").status_code == 200
    for path in ("/health", "/healthz", "/livez", "/readyz"):
        assert s.get(server.url + path).status_code == 200


def test_metrics_have_the_families_people_know(server):
    server.json("POST", "/models/mlp/predict", [[1, 2, 3]])
    text = server.request("GET", "/metrics")[2].decode()
    for line in ('http_requests_total{handler="/models/{model}/predict",method="POST",status="2xx"}',
                 'http_request_duration_highr_seconds_bucket{le="0.01"}', 'http_request_duration_seconds_bucket{handler=',
                 'http_request_size_bytes_count{', 'http_response_size_bytes_sum{',
                 'nv_inference_request_success{model="mlp",version="1"}', 'nv_inference_queue_duration_us{',
                 'stoker_run_seconds_bucket{model="mlp",version="1",le="', 'stoker_batch_size_rows_sum{',
                 'stoker_rejected_total{model="mlp",version="1",reason="queue_full"} 0',
                 'process_resident_memory_bytes ', 'stoker_open_connections '):
        assert line in text, line
    _, headers, raw = server.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert headers["content-type"].startswith("application/openmetrics-text") and raw.endswith(b"# EOF\n")
