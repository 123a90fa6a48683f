"""Small ONNX files for the tests, made with python3-onnx."""
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh


def const(name, value, dtype=np.float32):
    return nh.from_array(np.asarray(value, dtype), name)


def save(path, nodes, inputs, outputs, initializers=(), opset=13, domains=()):
    graph = h.make_graph(nodes, "g", inputs, outputs, list(initializers))
    model = h.make_model(graph, producer_name="stoker-tests",
                         opset_imports=[h.make_opsetid("", opset), *[h.make_opsetid(d, v) for d, v in domains]])
    model.ir_version = 7
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def info(name, shape, dtype=T.FLOAT):
    return h.make_tensor_value_info(name, dtype, shape)


def half_plus_two(path):
    """y = x / 2 + 2, TensorFlow Serving's example."""
    return save(path, [h.make_node("Mul", ["x", "a"], ["m"]), h.make_node("Add", ["m", "b"], ["y"])],
                [info("x", ["batch"])], [info("y", ["batch"])], [const("a", 0.5), const("b", 2.0)])


def add_sub(path):
    """Triton's `simple`: INT32 [16] twice, their sum and difference."""
    return save(path, [h.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
                       h.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])],
                [info(n, ["batch", 16], T.INT32) for n in ("INPUT0", "INPUT1")],
                [info(n, ["batch", 16], T.INT32) for n in ("OUTPUT0", "OUTPUT1")])


def mlp(path):
    rng = np.random.default_rng(1)
    return save(path, [h.make_node("Gemm", ["x", "w1", "b1"], ["h"]), h.make_node("Relu", ["h"], ["r"]),
                       h.make_node("Gemm", ["r", "w2", "b2"], ["y"])],
                [info("x", ["batch", 3])], [info("y", ["batch", 1])],
                [const("w1", rng.normal(size=(3, 16))), const("b1", rng.normal(size=16)),
                 const("w2", rng.normal(size=(16, 1))), const("b2", rng.normal(size=1))])


def identity(path, dtype, shape=("batch",)):
    return save(path, [h.make_node("Identity", ["x"], ["y"])], [info("x", list(shape), dtype)],
                [info("y", list(shape), dtype)], opset=16)


def across_batch(path):
    """Divides by the sum over the batch: never to be batched."""
    return save(path, [h.make_node("ReduceSum", ["x"], ["s"], keepdims=1),
                       h.make_node("Div", ["x", "s"], ["y"])],
                [info("x", ["batch", 2])], [info("y", ["batch", 2])])


def zipmap(path):
    """A scikit-learn classifier's outputs: labels, and a map of probabilities."""
    nodes = [h.make_node("LinearClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml",
                         coefficients=[1.0, 0.0, 0.0, 1.0], intercepts=[0.0, 0.0], multi_class=1,
                         post_transform="SOFTMAX", classlabels_strings=["cat", "dog"]),
             h.make_node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml",
                         classlabels_strings=["cat", "dog"])]
    maps = onnx.ValueInfoProto(name="probabilities")
    element = maps.type.sequence_type.elem_type.map_type
    element.key_type = T.STRING
    element.value_type.tensor_type.elem_type = T.FLOAT
    return save(path, nodes, [info("x", ["batch", 2])], [info("label", ["batch"], T.STRING), maps],
                domains=[("ai.onnx.ml", 1)])


def normalizer(path):
    """Wants the locale en_US.UTF-8 inside the runtime."""
    return save(path, [h.make_node("StringNormalizer", ["x"], ["y"], case_change_action="UPPER",
                                   locale="en_US.UTF-8")],
                [info("x", ["n"], T.STRING)], [info("y", ["m"], T.STRING)])


def optional_input(path):
    """An initializer that is also an input may be left out."""
    return save(path, [h.make_node("Mul", ["x", "scale"], ["y"])], [info("x", ["n"]), info("scale", [1])],
                [info("y", ["n"])], [const("scale", [10.0])])


def slow(path, n=900, repeat=60):
    """Matrix products that take some tens of milliseconds a row."""
    nodes, last = [], "x"
    for i in range(repeat):
        nodes.append(h.make_node("MatMul", [last, "w"], [f"m{i}"]))
        nodes.append(h.make_node("Tanh", [f"m{i}"], [f"t{i}"]))
        last = f"t{i}"
    nodes.append(h.make_node("ReduceMean", [last], ["y"], axes=[1, 2], keepdims=0))
    w = np.random.default_rng(2).normal(size=(n, n)) / n
    return save(path, nodes, [info("x", ["batch", 64, n])], [info("y", ["batch"])], [const("w", w)])


def image_mean(path):
    return save(path, [h.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)],
                [info("x", ["batch", 3, 224, 224])], [info("y", ["batch", 3])])


def scalar(path):
    return save(path, [h.make_node("Neg", ["x"], ["y"])], [info("x", [])], [info("y", [])])


def external(path, value=3.0):
    """Keeps its weights in a file beside it."""
    model_path = save(path, [h.make_node("Add", ["x", "w"], ["y"])], [info("x", [2])], [info("y", [2])],
                      [const("w", [value, value])])
    model = onnx.load(str(model_path))
    onnx.external_data_helper.convert_model_to_external_data(model, location="weights.bin", size_threshold=0)
    onnx.save(model, str(model_path))
    return model_path
