"""Keras models made from a description: configuration as Keras writes it,
weights from a seed, input from a seed. Written as .h5 (Keras 2) or .keras
(Keras 3), without Keras: only h5py is needed.
"""
import io
import json
import zipfile
import zlib

import h5py
import numpy as np


def seed_of(text):
    return zlib.crc32(text.encode())


class Case:
    """One model: layers in order, each with its input layers by name."""

    def __init__(self, name, *input_shapes, integers=0, low=-1.0, high=1.0, version="2.11.0"):
        self.name, self.version, self.sequential = name, version, len(input_shapes) == 1
        self.layers, self.weights, self.nodes, self.outputs = [], {}, {}, None
        self.rng = np.random.default_rng(seed_of(name))
        self.inputs = {}
        self.input_shapes = input_shapes
        for i, shape in enumerate(input_shapes):
            n = f"in{i}"
            self.layers.append({"class_name": "InputLayer", "name": n, "inbound_nodes": [],
                                "config": {"batch_input_shape": [None, *shape], "dtype": "float32", "name": n, "sparse": False}})
            full = [2 if d is None else d for d in (3, *[s if s else 5 for s in shape])]
            data = self.rng.integers(0, integers, full) if integers else self.rng.uniform(low, high, full)
            self.inputs[n] = data.astype(np.float32)
        self.last = [f"in{i}" for i in range(len(input_shapes))]

    def add(self, cls, config=None, weights=(), inputs=None, name=None, calls=None):
        name = name or f"{cls.lower()}_{len(self.layers)}"
        config = {"name": name, "trainable": True, "dtype": "float32", **(config or {})}
        given = inputs or [self.last[-1]]
        if inputs or len(given) > 1:
            self.sequential = False
        node = [[n, 0, 0, {}] for n in given]
        self.layers.append({"class_name": cls, "name": name, "config": config, "inbound_nodes": [node]})
        self.weights[name] = [(n, self.make(n, shape)) for n, shape in weights]
        self.last = [name]
        return name

    def make(self, name, shape):
        if "variance" in name:
            return self.rng.uniform(0.5, 1.5, shape).astype(np.float32)
        if "gamma" in name:
            return self.rng.uniform(0.5, 1.5, shape).astype(np.float32)
        return (self.rng.normal(size=shape) * 0.4).astype(np.float32)

    def again(self, name, inputs):
        """Calls a layer that was called already: a shared layer."""
        self.sequential = False
        layer = next(x for x in self.layers if x["name"] == name)
        layer["inbound_nodes"].append([[n, 0, 0, {}] for n in inputs])
        return len(layer["inbound_nodes"]) - 1

    def nest(self, inner, name, inputs=None):
        """A whole model as a layer: its trained weights first, then the rest."""
        config = inner.config()
        config["config"]["name"] = name
        given = inputs or [self.last[-1]]
        self.layers.append({"class_name": config["class_name"], "name": name, "config": config["config"],
                            "inbound_nodes": [[[n, 0, 0, {}] for n in given]]})
        trained, rest = [], []
        for x in inner.layers:
            for n, a in inner.weights.get(x["name"], []):
                frozen = not x["config"].get("trainable", True) or n.startswith("moving")
                (rest if frozen else trained).append((f"{x['name']}/{n}", a))
        self.weights[name] = trained + rest
        self.last = [name]

    def config(self):
        if self.sequential:
            first = [dict(x) for x in self.layers]
            for x in first:
                x.pop("inbound_nodes"), x.pop("name")
            return {"class_name": "Sequential", "config": {"name": "model", "layers": first}}
        outs = self.outputs or [[self.last[-1], 0, 0]]
        return {"class_name": "Functional",
                "config": {"name": "model", "trainable": True, "layers": self.layers,
                           "input_layers": [[n, 0, 0] for n in self.inputs], "output_layers": outs}}

    def topology(self):
        return {"model_config": self.config(), "keras_version": self.version, "backend": "tensorflow"}

    def write_h5(self, path):
        with h5py.File(path, "w") as f:
            f.attrs["keras_version"] = self.version
            f.attrs["backend"] = "tensorflow"
            f.attrs["model_config"] = json.dumps(self.config())
            g = f.create_group("model_weights")
            g.attrs["layer_names"] = [x["name"].encode() for x in self.layers]
            g.attrs["keras_version"] = self.version
            for x in self.layers:
                lg = g.create_group(x["name"])
                names = []
                for n, a in self.weights.get(x["name"], []):
                    path_ = f"{x['name']}/{n}:0"
                    names.append(path_.encode())
                    lg.create_dataset(path_, data=a)
                lg.attrs["weight_names"] = np.array(names) if names else []  # as Keras: an empty float64
        return path


def lstm(units, features, gates=4, bias=True):
    w = [("kernel", (features, gates * units)), ("recurrent_kernel", (units, gates * units))]
    return w + ([("bias", (gates * units,))] if bias else [])


def rnn_config(units, **kw):
    return {"units": units, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "return_sequences": False,
            "return_state": False, "go_backwards": False, "stateful": False, "unroll": False, **kw}


def conv_config(filters, kernel, **kw):
    n = len(kernel)
    return {"filters": filters, "kernel_size": list(kernel), "strides": [1] * n, "padding": "valid", "data_format": "channels_last",
            "dilation_rate": [1] * n, "groups": 1, "activation": "linear", "use_bias": True, **kw}


def pool_config(size, **kw):
    return {"pool_size": list(size), "strides": list(size), "padding": "valid", "data_format": "channels_last", **kw}


def cases():
    out = []

    def case(*a, **kw):
        out.append(Case(*a, **kw))
        return out[-1]

    for act in ("linear", "relu", "sigmoid", "tanh", "softmax", "softplus", "softsign", "elu", "selu", "hard_sigmoid", "swish", "mish",
                "relu6"):
        c = case(f"dense_{act}", (4,), low=-4, high=4)
        c.add("Dense", {"units": 5, "activation": act, "use_bias": True}, [("kernel", (4, 5)), ("bias", (5,))])
    c = case("dense_no_bias_3d", (3, 4))
    c.add("Dense", {"units": 2, "activation": "relu", "use_bias": False}, [("kernel", (4, 2))])
    c = case("mlp", (3,))
    c.add("Dense", {"units": 8, "activation": "relu", "use_bias": True}, [("kernel", (3, 8)), ("bias", (8,))])
    c.add("Dropout", {"rate": 0.5})
    c.add("Dense", {"units": 1, "activation": "sigmoid", "use_bias": True}, [("kernel", (8, 1)), ("bias", (1,))])

    for pad in ("valid", "same"):
        for stride in (1, 2, 3):
            for size in (7, 8):
                c = case(f"conv2d_{pad}_{stride}_{size}", (size, size + 1, 3))
                c.add("Conv2D", conv_config(4, (3, 2), padding=pad, strides=[stride, stride], activation="relu"),
                      [("kernel", (3, 2, 3, 4)), ("bias", (4,))])
                c = case(f"maxpool_{pad}_{stride}_{size}", (size, size + 1, 3))
                c.add("MaxPooling2D", pool_config((3, 2), padding=pad, strides=[stride, stride]))
                c = case(f"avgpool_{pad}_{stride}_{size}", (size, size + 1, 3))
                c.add("AveragePooling2D", pool_config((3, 2), padding=pad, strides=[stride, stride]))
    c = case("conv2d_dilated_same", (9, 9, 2))
    c.add("Conv2D", conv_config(3, (3, 3), padding="same", dilation_rate=[2, 2]), [("kernel", (3, 3, 2, 3)), ("bias", (3,))])
    c = case("conv2d_dilated_valid", (9, 9, 2))
    c.add("Conv2D", conv_config(3, (3, 3), dilation_rate=[2, 3], use_bias=False), [("kernel", (3, 3, 2, 3))])
    c = case("conv2d_free_size", (None, None, 2))
    c.add("Conv2D", conv_config(3, (3, 3), padding="same", strides=[2, 2]), [("kernel", (3, 3, 2, 3)), ("bias", (3,))])
    c.add("GlobalAveragePooling2D")
    for pad in ("valid", "same", "causal"):
        for stride in (1, 2):
            c = case(f"conv1d_{pad}_{stride}", (9, 3))
            c.add("Conv1D", conv_config(4, (3,), padding=pad, strides=[stride]), [("kernel", (3, 3, 4)), ("bias", (4,))])
    c = case("conv1d_causal_dilated", (9, 3))
    c.add("Conv1D", conv_config(4, (3,), padding="causal", dilation_rate=[2]), [("kernel", (3, 3, 4)), ("bias", (4,))])
    for pad in ("valid", "same"):
        c = case(f"conv3d_{pad}", (5, 6, 4, 2))
        c.add("Conv3D", conv_config(3, (2, 3, 2), padding=pad, strides=[1, 2, 1]), [("kernel", (2, 3, 2, 2, 3)), ("bias", (3,))])
        for stride in (1, 2, 3):
            c = case(f"depthwise_{pad}_{stride}", (8, 7, 3))
            c.add("DepthwiseConv2D", {**conv_config(0, (3, 3), padding=pad, strides=[stride, stride]), "depth_multiplier": 2},
                  [("depthwise_kernel", (3, 3, 3, 2)), ("bias", (6,))])
            c = case(f"separable_{pad}_{stride}", (8, 7, 3))
            c.add("SeparableConv2D", {**conv_config(5, (3, 3), padding=pad, strides=[stride, stride]), "depth_multiplier": 2},
                  [("depthwise_kernel", (3, 3, 3, 2)), ("pointwise_kernel", (1, 1, 6, 5)), ("bias", (5,))])
            for kernel in (2, 3, 4):
                c = case(f"transpose_{pad}_{stride}_{kernel}", (4, 5, 3))
                c.add("Conv2DTranspose", {**conv_config(2, (kernel, kernel), padding=pad, strides=[stride, stride]), "output_padding": None},
                      [("kernel", (kernel, kernel, 2, 3)), ("bias", (2,))])
    for rank, shape in ((1, (9, 2)), (3, (5, 4, 6, 2))):
        for op in ("Max", "Average"):
            for pad in ("valid", "same"):
                c = case(f"{op.lower()}pool{rank}d_{pad}", shape)
                c.add(f"{op}Pooling{rank}D", pool_config((2,) * rank, padding=pad))
    for op in ("Max", "Average"):
        c = case(f"global_{op.lower()}_1d", (6, 3))
        c.add(f"Global{op}Pooling1D", {"data_format": "channels_last"})
        c = case(f"global_{op.lower()}_2d", (6, 5, 3))
        c.add(f"Global{op}Pooling2D", {"data_format": "channels_last"})
    c = case("upsample_nearest", (3, 4, 2))
    c.add("UpSampling2D", {"size": [2, 3], "data_format": "channels_last", "interpolation": "nearest"})
    c = case("zero_padding", (3, 4, 2))
    c.add("ZeroPadding2D", {"padding": [[1, 2], [3, 0]], "data_format": "channels_last"})
    c = case("cropping", (7, 8, 2))
    c.add("Cropping2D", {"cropping": [[1, 2], [3, 0]], "data_format": "channels_last"})

    bn = [("gamma", (3,)), ("beta", (3,)), ("moving_mean", (3,)), ("moving_variance", (3,))]
    for scale in (True, False):
        for center in (True, False):
            c = case(f"batch_norm_{scale}_{center}", (4, 5, 3))
            c.add("BatchNormalization", {"axis": [3], "momentum": 0.99, "epsilon": 0.001, "center": center, "scale": scale},
                  [w for w in bn if (scale or w[0] != "gamma") and (center or w[0] != "beta")])
    c = case("batch_norm_axis1", (3, 5))
    c.add("BatchNormalization", {"axis": 1, "momentum": 0.99, "epsilon": 0.01, "center": True, "scale": True}, bn)
    c = case("layer_norm", (4, 3))
    c.add("LayerNormalization", {"axis": [2], "epsilon": 0.001, "center": True, "scale": True}, [("gamma", (3,)), ("beta", (3,))])

    for cls, cfg in (("ReLU", {"max_value": 1.5, "negative_slope": 0.0, "threshold": 0.0}), ("ReLU", {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
                     ("LeakyReLU", {"alpha": 0.2}), ("ELU", {"alpha": 0.7}), ("ThresholdedReLU", {"theta": 0.4}), ("Softmax", {"axis": -1}), ("Softmax", {"axis": 1})):
        c = case(f"{cls.lower()}_{len(out)}", (4, 3), low=-3, high=3)
        c.add(cls, cfg)
    c = case("prelu", (4, 3), low=-3, high=3)
    c.add("PReLU", {"alpha_initializer": {"class_name": "Zeros", "config": {}}, "shared_axes": [1]}, [("alpha", (1, 3))])
    c = case("activation", (4, 3), low=-3, high=3)
    c.add("Activation", {"activation": "softmax"})

    c = case("flatten_reshape", (4, 6))
    c.add("Reshape", {"target_shape": [2, -1, 3]})
    c.add("Permute", {"dims": [3, 1, 2]})
    c.add("Flatten", {"data_format": "channels_last"})
    c = case("repeat", (4,))
    c.add("RepeatVector", {"n": 3})

    for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        c = case(f"merge_{cls.lower()}", (4, 3), (4, 3), (4, 3))
        c.add(cls, {}, inputs=["in0", "in1", "in2"])
    c = case("merge_concat", (4, 3), (4, 2))
    c.add("Concatenate", {"axis": -1}, inputs=["in0", "in1"])
    c = case("merge_concat_axis1", (4, 3), (2, 3))
    c.add("Concatenate", {"axis": 1}, inputs=["in0", "in1"])
    c = case("dot_2d", (4,), (4,))
    c.add("Dot", {"axes": 1, "normalize": False}, inputs=["in0", "in1"])
    c = case("dot_normalized", (4,), (4,))
    c.add("Dot", {"axes": -1, "normalize": True}, inputs=["in0", "in1"])
    c = case("dot_3d", (4, 3), (5, 3))
    c.add("Dot", {"axes": 2, "normalize": False}, inputs=["in0", "in1"])

    for act in ("sigmoid", "hard_sigmoid"):
        for seq in (False, True):
            for back in (False, True):
                tag = f"{act}_{'seq' if seq else 'last'}_{'back' if back else 'fwd'}"
                kw = {"recurrent_activation": act, "return_sequences": seq, "go_backwards": back}
                c = case(f"lstm_{tag}", (5, 3))
                c.add("LSTM", rnn_config(4, **kw), lstm(4, 3))
                c = case(f"gru_{tag}", (5, 3))
                c.add("GRU", {**rnn_config(4, **kw), "reset_after": False}, lstm(4, 3, 3))
    c = case("simple_rnn", (5, 3))
    c.add("SimpleRNN", rnn_config(4, activation="relu", return_sequences=True), lstm(4, 3, 1))
    c = case("lstm_no_bias", (5, 3))
    c.add("LSTM", rnn_config(4, use_bias=False), lstm(4, 3, bias=False))
    for mode in ("concat", "sum", "mul", "ave"):
        for seq in (False, True):
            c = case(f"bidirectional_{mode}_{seq}", (5, 3))
            inner = {"class_name": "LSTM", "config": {"name": "lstm", "trainable": True, **rnn_config(2, return_sequences=seq)}}
            c.add("Bidirectional", {"layer": inner, "merge_mode": mode},
                  [("forward_" + n, s) for n, s in lstm(2, 3)] + [("backward_" + n, s) for n, s in lstm(2, 3)])
    c = case("lstm_stack", (6, 3))
    c.add("LSTM", rnn_config(4, return_sequences=True), lstm(4, 3))
    c.add("LSTM", rnn_config(2), lstm(2, 4))
    c.add("Dense", {"units": 3, "activation": "softmax", "use_bias": True}, [("kernel", (2, 3)), ("bias", (3,))])
    c = case("time_distributed_dense", (5, 3))
    inner = {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "relu", "use_bias": True}}
    c.add("TimeDistributed", {"layer": inner}, [("kernel", (3, 2)), ("bias", (2,))])
    c = case("time_distributed_conv", (4, 6, 6, 2))
    inner = {"class_name": "Conv2D", "config": {"name": "cv", **conv_config(3, (3, 3), activation="relu")}}
    c.add("TimeDistributed", {"layer": inner}, [("kernel", (3, 3, 2, 3)), ("bias", (3,))])
    c = case("embedding", (6,), integers=9)
    c.add("Embedding", {"input_dim": 9, "output_dim": 4, "mask_zero": False, "input_length": 6}, [("embeddings", (9, 4))])
    c.add("GlobalAveragePooling1D", {"data_format": "channels_last"})
    for seq in (False, True):
        c = case(f"embedding_mask_lstm_{seq}", (7,), integers=3)
        c.add("Embedding", {"input_dim": 3, "output_dim": 4, "mask_zero": True, "input_length": 7}, [("embeddings", (3, 4))])
        c.add("LSTM", rnn_config(3, return_sequences=seq), lstm(3, 4))
        if seq:
            c.add("LSTM", rnn_config(2), lstm(2, 3))
    c = case("embedding_mask_gru", (7,), integers=3)
    c.add("Embedding", {"input_dim": 3, "output_dim": 4, "mask_zero": True, "input_length": 7}, [("embeddings", (3, 4))])
    c.add("GRU", {**rnn_config(3), "reset_after": False}, lstm(3, 4, 3))
    c = case("masking_simple_rnn", (6, 2), integers=2)
    c.add("Masking", {"mask_value": 0.0})
    c.add("SimpleRNN", rnn_config(3), lstm(3, 2, 1))

    c = case("functional_residual", (8, 8, 3))
    c.add("Conv2D", conv_config(4, (3, 3), padding="same", activation="relu"), [("kernel", (3, 3, 3, 4)), ("bias", (4,))], name="a")
    c.add("Conv2D", conv_config(4, (3, 3), padding="same"), [("kernel", (3, 3, 4, 4)), ("bias", (4,))], name="b", inputs=["a"])
    c.add("Add", {}, inputs=["a", "b"], name="sum")
    c.add("BatchNormalization", {"axis": [3], "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True},
          [(n, (4,)) for n, _ in bn], inputs=["sum"], name="bn")
    c.add("GlobalMaxPooling2D", {"data_format": "channels_last"}, inputs=["bn"], name="pool")
    c.add("Dense", {"units": 2, "activation": "softmax", "use_bias": True}, [("kernel", (4, 2)), ("bias", (2,))], inputs=["pool"], name="out")
    c = case("functional_shared", (4,), (4,))
    c.add("Dense", {"units": 3, "activation": "tanh", "use_bias": True}, [("kernel", (4, 3)), ("bias", (3,))], inputs=["in0"], name="shared")
    c.again("shared", ["in1"])
    c.layers.append({"class_name": "Multiply", "name": "diff", "config": {"name": "diff", "trainable": True},
                     "inbound_nodes": [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]})
    c.last = ["diff"]
    for frozen in (False, True):
        for functional in (False, True):
            inner = Case(f"inner_{frozen}", (6, 6, 2))
            inner.sequential = not functional
            train = {"trainable": not frozen}
            inner.add("Conv2D", {**conv_config(3, (3, 3)), **train}, [("kernel", (3, 3, 2, 3)), ("bias", (3,))], name="ca")
            inner.add("BatchNormalization", {"axis": [3], "momentum": 0.9, "epsilon": 0.001, "center": True, "scale": True, **train}, bn, name="na")
            inner.add("Conv2D", {**conv_config(3, (2, 2)), **train}, [("kernel", (2, 2, 3, 3)), ("bias", (3,))], name="cb")
            inner.add("BatchNormalization", {"axis": [3], "momentum": 0.9, "epsilon": 0.001, "center": True, "scale": True, **train}, bn, name="nb")
            c = case(f"nested_{'frozen' if frozen else 'trained'}_{'functional' if functional else 'sequential'}", (6, 6, 2))
            c.nest(inner, "base")
            c.add("GlobalAveragePooling2D", {"data_format": "channels_last"})
            c.add("Dense", {"units": 2, "activation": "softmax", "use_bias": True}, [("kernel", (3, 2)), ("bias", (2,))])
    c = case("functional_two_outputs", (4,))
    c.add("Dense", {"units": 3, "activation": "relu", "use_bias": True}, [("kernel", (4, 3)), ("bias", (3,))], inputs=["in0"], name="left")
    c.add("Dense", {"units": 2, "activation": "tanh", "use_bias": True}, [("kernel", (4, 2)), ("bias", (2,))], inputs=["in0"], name="right")
    c.outputs = [["right", 0, 0], ["left", 0, 0]]
    return out


def snake(name):
    import re
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class Case3(Case):
    """The same model as Keras 3 writes it: .keras, weights by path."""

    def __init__(self, name, *shapes, **kw):
        super().__init__(name, *shapes, **{"version": "3.4.1", **kw})
        self.paths = {}  # layer -> [(path below the layer, [arrays])]

    def add(self, cls, config=None, weights=(), parts=None, **kw):
        name = super().add(cls, config, weights, **kw)
        if parts:  # [(path, [(name, shape), ...])]
            self.paths[name] = [(p, [self.make(n, s) for n, s in w]) for p, w in parts]
            self.weights[name] = [("w", a) for _, w in self.paths[name] for a in w]
        else:
            self.paths[name] = [("", [a for _, a in self.weights[name]])]
        return name

    @staticmethod
    def tensor(reference):
        return {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": reference}}

    def config3(self):
        layers = []
        for x in self.layers:
            c = dict(x["config"])
            if "batch_input_shape" in c:
                c["batch_shape"] = c.pop("batch_input_shape")
            c["dtype"] = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
            nodes = []
            for node in x.get("inbound_nodes", []):
                refs = [self.tensor(r[:3]) for r in node]
                nodes.append({"args": [refs[0]] if len(refs) == 1 or x["class_name"] == "MultiHeadAttention" else [refs],
                              "kwargs": {k: self.tensor(r) for k, r in x.get("kwargs", {}).items()}})
            layers.append({"module": "keras.layers", "class_name": x["class_name"], "config": c, "registered_name": None,
                           "build_config": {}, "name": x["name"], "inbound_nodes": nodes})
        if self.sequential:
            for x in layers:
                x.pop("inbound_nodes"), x.pop("name")
            return {"module": "keras", "class_name": "Sequential", "registered_name": None,
                    "config": {"name": "sequential", "layers": layers}}
        out = self.outputs or [[self.last[-1], 0, 0]]
        return {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional",
                "config": {"name": "functional", "layers": layers, "input_layers": [[n, 0, 0] for n in self.inputs],
                           "output_layers": out if len(out) > 1 else out[0]}}

    def write_keras(self, path):
        data, seen = io.BytesIO(), {}
        with h5py.File(data, "w") as f:
            for x in self.layers:
                base = snake(x["class_name"])
                k = seen[base] = seen.get(base, -1) + 1
                for part, arrays in self.paths.get(x["name"], []):
                    g = f.create_group(f"layers/{base}{'_%d' % k if k else ''}{part}/vars")
                    for i, a in enumerate(arrays):
                        g.create_dataset(str(i), data=a)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
            z.writestr("metadata.json", json.dumps({"keras_version": self.version, "date_saved": "2026-11-24@10:00:00"}))
            z.writestr("config.json", json.dumps(self.config3()))
            z.writestr("model.weights.h5", data.getvalue())
        return path


def cases3():
    """[(case, reference)]: the reference takes the case and gives its output."""
    f8 = lambda a: a.astype(np.float64)  # noqa: E731
    out = []

    def w(c, name, i=0):
        return f8(c.weights[name][i][1])

    c = Case3("k3_mlp", (3,))
    c.add("Dense", {"units": 4, "activation": "relu", "use_bias": True}, [("kernel", (3, 4)), ("bias", (4,))], name="first")
    c.add("Dropout", {"rate": 0.3})
    c.add("Dense", {"units": 2, "activation": "hard_sigmoid", "use_bias": True}, [("kernel", (4, 2)), ("bias", (2,))], name="second")
    out.append((c, lambda c: np.clip((np.maximum(f8(c.inputs["in0"]) @ w(c, "first") + w(c, "first", 1), 0) @ w(c, "second")
                                      + w(c, "second", 1)) / 6 + 0.5, 0, 1)))

    def gru(c):
        x, k, r, b = f8(c.inputs["in0"]), w(c, "g"), w(c, "g", 1), w(c, "g", 2)
        h = np.zeros((len(x), 3))
        sig = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
        for t in range(x.shape[1]):
            a, i = x[:, t] @ k + b[0], h @ r + b[1]
            z, rr = sig(a[:, :3] + i[:, :3]), sig(a[:, 3:6] + i[:, 3:6])
            h = z * h + (1 - z) * np.tanh(a[:, 6:] + rr * i[:, 6:])
        return h
    c = Case3("k3_gru_reset_after", (5, 2))
    c.add("GRU", {**rnn_config(3), "reset_after": True}, name="g",
          parts=[("/cell", [("kernel", (2, 9)), ("recurrent_kernel", (3, 9)), ("bias", (2, 9))])])
    out.append((c, gru))

    def attention(c):
        x = f8(c.inputs["in0"])
        q, k, v = (np.einsum("bsf,fhd->bhsd", x, w(c, "mha", i)) + w(c, "mha", i + 1)[None, :, None] for i in (0, 2, 4))
        s = np.einsum("bhsd,bhtd->bhst", q, k) / np.sqrt(4)
        p = np.exp(s) / np.exp(s).sum(-1, keepdims=True)
        return np.einsum("bhsd,hdf->bsf", np.einsum("bhst,bhtd->bhsd", p, v), w(c, "mha", 6)) + w(c, "mha", 7)
    c = Case3("k3_multi_head_attention", (5, 6))
    heads = [("kernel", (6, 2, 4)), ("bias", (2, 4))]
    c.add("MultiHeadAttention", {"num_heads": 2, "key_dim": 4, "value_dim": 4, "use_bias": True}, name="mha", inputs=["in0", "in0", "in0"],
          parts=[("/query_dense", heads), ("/key_dense", heads), ("/value_dense", heads), ("/output_dense", [("kernel", (2, 4, 6)), ("bias", (6,))])])
    c.layers[-1]["inbound_nodes"] = [[["in0", 0, 0]]]
    c.layers[-1]["kwargs"] = {"value": ["in0", 0, 0], "key": ["in0", 0, 0]}
    out.append((c, attention))

    def group(c):
        x = f8(c.inputs["in0"]).reshape(3, 4, 5, 2, 3)
        x = (x - x.mean((1, 2, 4), keepdims=True)) / np.sqrt(x.var((1, 2, 4), keepdims=True) + 1e-3)
        return x.reshape(3, 4, 5, 6) * w(c, "gn") + w(c, "gn", 1)
    c = Case3("k3_group_norm", (4, 5, 6))
    c.add("GroupNormalization", {"groups": 2, "axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
          [("gamma", (6,)), ("beta", (6,))], name="gn")
    out.append((c, group))

    c = Case3("k3_normalization", (4,))
    c.add("Normalization", {"axis": [-1], "invert": False, "mean": None, "variance": None},
          [("mean", (4,)), ("variance", (4,)), ("count", ())], name="n")
    out.append((c, lambda c: (f8(c.inputs["in0"]) - w(c, "n")) / np.sqrt(w(c, "n", 1))))

    c = Case3("k3_rescale_flip_hard_silu", (4, 4, 3), low=-4, high=4)
    c.add("Rescaling", {"scale": 0.5, "offset": -1.0})
    c.add("RandomFlip", {"mode": "horizontal"})
    c.add("Activation", {"activation": "hard_silu"})
    out.append((c, lambda c: (lambda v: v * np.clip(v + 3, 0, 6) / 6)(f8(c.inputs["in0"]) * 0.5 - 1)))

    c = Case3("k3_leaky_relu_gelu", (4,), low=-3, high=3)
    c.add("LeakyReLU", {"negative_slope": 0.1})
    c.add("Activation", {"activation": {"module": "keras.activations", "class_name": "function", "config": "gelu", "registered_name": "gelu"}})

    def gelu(c):
        from math import erf
        x = f8(c.inputs["in0"])
        x = np.where(x > 0, x, 0.1 * x)
        return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))
    out.append((c, gelu))

    def bi(c):
        x, a = f8(c.inputs["in0"]), [f8(v) for _, v in c.weights["bi"]]
        sig = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731

        def one(x, k, r, b):
            h = s = np.zeros((len(x), 2))
            for t in range(x.shape[1]):
                i, f, g, o = np.split(x[:, t] @ k + h @ r + b, 4, 1)
                s = sig(f) * s + sig(i) * np.tanh(g)
                h = sig(o) * np.tanh(s)
            return h
        return np.concatenate([one(x, *a[:3]), one(x[:, ::-1], *a[3:])], 1)
    c = Case3("k3_bidirectional", (5, 3))
    inner = {"module": "keras.layers", "class_name": "LSTM", "config": {"name": "lstm", "trainable": True, **rnn_config(2)}, "registered_name": None}
    one = [("kernel", (3, 8)), ("recurrent_kernel", (2, 8)), ("bias", (8,))]
    c.add("Bidirectional", {"layer": inner, "merge_mode": "concat"}, name="bi", parts=[("/forward_layer/cell", one), ("/backward_layer/cell", one)])
    out.append((c, bi))

    c = Case3("k3_two_inputs", (4,), (3,))
    c.add("Dense", {"units": 3, "activation": "linear", "use_bias": False}, [("kernel", (4, 3))], inputs=["in0"], name="d")
    c.add("Subtract", {}, inputs=["d", "in1"], name="s")
    out.append((c, lambda c: f8(c.inputs["in0"]) @ w(c, "d") - f8(c.inputs["in1"])))

    def luong(c):
        q, v = f8(c.inputs["in0"]), f8(c.inputs["in1"])
        s = np.exp(q @ v.transpose(0, 2, 1))
        return s / s.sum(-1, keepdims=True) @ v
    c = Case3("k3_attention", (3, 4), (5, 4))
    c.add("Attention", {"use_scale": False, "score_mode": "dot", "dropout": 0.0}, inputs=["in0", "in1"])
    out.append((c, luong))

    def bahdanau(c):
        q, v = f8(c.inputs["in0"]), f8(c.inputs["in1"])
        s = np.exp((w(c, "a") * np.tanh(q[:, :, None] + v[:, None])).sum(-1))
        return s / s.sum(-1, keepdims=True) @ v
    c = Case3("k3_additive_attention", (3, 4), (5, 4))
    c.add("AdditiveAttention", {"use_scale": True, "dropout": 0.0}, [("scale", (4,))], inputs=["in0", "in1"], name="a")
    out.append((c, bahdanau))

    c = Case3("k3_einsum_dense", (5, 4))
    c.add("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "de", "activation": "relu"},
          [("kernel", (4, 2, 3)), ("bias", (2, 3))], name="e")
    out.append((c, lambda c: np.maximum(np.einsum("abc,cde->abde", f8(c.inputs["in0"]), w(c, "e")) + w(c, "e", 1), 0)))

    def bilinear(x, height, width):
        def axis(a, n, at):
            src = np.clip((np.arange(n) + 0.5) * a.shape[at] / n - 0.5, 0, a.shape[at] - 1)
            lo = np.floor(src).astype(int)
            hi, f = np.minimum(lo + 1, a.shape[at] - 1), src - lo
            shape = [1] * a.ndim
            shape[at] = n
            return a.take(lo, at) * (1 - f).reshape(shape) + a.take(hi, at) * f.reshape(shape)
        return axis(axis(x, height, 1), width, 2)
    c = Case3("k3_upsampling_bilinear", (3, 4, 2))
    c.add("UpSampling2D", {"size": [2, 3], "data_format": "channels_last", "interpolation": "bilinear"})
    out.append((c, lambda c: bilinear(f8(c.inputs["in0"]), 6, 12)))
    c = Case3("k3_resizing", (6, 5, 3))
    c.add("Resizing", {"height": 9, "width": 8, "interpolation": "bilinear", "crop_to_aspect_ratio": False, "data_format": "channels_last"})
    out.append((c, lambda c: bilinear(f8(c.inputs["in0"]), 9, 8)))

    def transposed(c):
        x, k, b = f8(c.inputs["in0"]), w(c, "t"), w(c, "t", 1)
        out_ = np.zeros((len(x), (x.shape[1] - 1) * 2 + 3, 2))
        for t in range(x.shape[1]):
            out_[:, 2 * t:2 * t + 3] += np.einsum("bi,koi->bko", x[:, t], k)
        return out_ + b
    c = Case3("k3_conv1d_transpose", (5, 3))
    c.add("Conv1DTranspose", {**conv_config(2, (3,), strides=[2]), "output_padding": None}, [("kernel", (3, 2, 3)), ("bias", (2,))], name="t")
    out.append((c, transposed))

    c = Case3("k3_cudnn_free_masked_mean", (6,), integers=3)
    c.add("Embedding", {"input_dim": 3, "output_dim": 2, "mask_zero": True}, [("embeddings", (3, 2))], name="e")
    c.add("GlobalAveragePooling1D", {"data_format": "channels_last", "keepdims": False})

    def masked_mean(c):
        ids = c.inputs["in0"].astype(int)
        m = (ids != 0)[..., None]
        return (w(c, "e")[ids] * m).sum(1) / m.sum(1)
    out.append((c, masked_mean))

    for rank, cls, cfg, ref in (
            (1, "ZeroPadding1D", {"padding": [1, 2]}, lambda x: np.pad(x, ((0, 0), (1, 2), (0, 0)))),
            (1, "Cropping1D", {"cropping": [1, 2]}, lambda x: x[:, 1:-2]),
            (1, "UpSampling1D", {"size": 3}, lambda x: x.repeat(3, 1)),
            (3, "ZeroPadding3D", {"padding": [[1, 0], [0, 1], [2, 2]]}, lambda x: np.pad(x, ((0, 0), (1, 0), (0, 1), (2, 2), (0, 0)))),
            (3, "Cropping3D", {"cropping": [[1, 1], [0, 1], [1, 0]]}, lambda x: x[:, 1:-1, :-1, 1:]),
            (3, "UpSampling3D", {"size": [2, 1, 3]}, lambda x: x.repeat(2, 1).repeat(3, 3)),
            (2, "UnitNormalization", {"axis": -1}, lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)),
            (2, "CenterCrop", {"height": 2, "width": 3}, lambda x: x[:, 1:3, 1:4])):
        c = Case3(f"k3_{cls.lower()}", *[(5, 5, 5, 2)[3 - rank:]])
        c.add(cls, {"data_format": "channels_last", **cfg})
        out.append((c, lambda c, ref=ref: ref(f8(c.inputs["in0"]))))
    return out
