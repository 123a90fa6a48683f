"""Models for the comparison of the PyTorch importer with PyTorch itself: every
layer and every option that changes the arithmetic, functions, recurrent and
attention layers, odd shapes, and classes as people write them.

A case is (source of the class, inputs, arguments of the constructor or None).
tests/oracle/torch_record.py runs them with the real framework."""

HEAD = "import math\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"


def net(init, forward, args="x"):
    lines = [f"        self.{line}" for line in init.split("; ") if line]
    body = [f"        {line}" for line in forward.split("; ")]
    return (HEAD + "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n" + "\n".join(lines) +
            f"\n\n    def forward(self, {args}):\n" + "\n".join(body) + "\n")


CASES = {}


def layer(name, expression, *shapes):
    CASES[name] = (net(f"l = nn.{expression}", "return self.l(x)"), [list(s) for s in shapes], None)


def function(name, expression, *shape, first="nn.Linear({n}, {n})"):
    CASES["f_" + name] = (net("l = " + first.format(n=shape[-1]), f"x = self.l(x); return {expression}"), [list(shape)], None)


# convolutions
for i, (n, shape) in enumerate([(1, (2, 4, 13)), (2, (2, 4, 9, 11)), (3, (2, 4, 6, 5, 7))]):
    for tag, options in [("", "4, 6, 3"), ("_stride", "4, 6, 3, stride=2, padding=1"), ("_dilation", "4, 6, 3, dilation=2"), ("_groups", "4, 8, 3, groups=2, bias=False"),
                         ("_depthwise", "4, 4, 3, padding=1, groups=4"), ("_same", "4, 6, 3, padding='same'"), ("_same_even", "4, 6, 4, padding='same'"),
                         ("_valid", "4, 6, 3, padding='valid'"), ("_circular", "4, 6, 3, padding=1, padding_mode='circular'"),
                         ("_replicate", "4, 6, 3, padding=1, padding_mode='replicate'"), ("_1x1", "4, 6, 1")]:
        layer(f"conv{n}d{tag}", f"Conv{n}d({options})", shape)
    if n < 3:
        layer(f"conv{n}d_reflect", f"Conv{n}d(4, 6, 3, padding=1, padding_mode='reflect')", shape)
    for tag, options in [("", "4, 6, 3"), ("_stride", "4, 6, 3, stride=2, padding=1, output_padding=1"), ("_groups", "4, 6, 3, groups=2, bias=False"), ("_dilation", "4, 6, 3, dilation=2")]:
        layer(f"conv_transpose{n}d{tag}", f"ConvTranspose{n}d({options})", shape)
layer("conv2d_rect", "Conv2d(4, 6, (3, 5), stride=(1, 2), padding=(1, 2))", (2, 4, 9, 11))

# pooling
for n, shape in [(1, (2, 3, 17)), (2, (2, 3, 17, 14)), (3, (2, 3, 9, 8, 7))]:
    for tag, options in [("", "2"), ("_stride", "3, stride=2, padding=1"), ("_ceil", "3, stride=2, ceil_mode=True"), ("_ceil_pad", "3, stride=2, padding=1, ceil_mode=True")]:
        layer(f"max_pool{n}d{tag}", f"MaxPool{n}d({options})", shape)
        layer(f"avg_pool{n}d{tag}", f"AvgPool{n}d({options})", shape)
    layer(f"max_pool{n}d_dilation", f"MaxPool{n}d(2, stride=1, dilation=2)", shape)
    layer(f"avg_pool{n}d_no_pad", f"AvgPool{n}d(3, stride=2, padding=1, count_include_pad=False)", shape)
    layer(f"avg_pool{n}d_no_pad_ceil", f"AvgPool{n}d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)", shape)
    for tag, size in [("1", "1"), ("even", "1" if n == 3 else "2" if n == 2 else "17"), ("odd", "5"), ("two", "3")]:
        layer(f"adaptive_avg_pool{n}d_{tag}", f"AdaptiveAvgPool{n}d({size})", shape)
        layer(f"adaptive_max_pool{n}d_{tag}", f"AdaptiveMaxPool{n}d({size})", shape)
layer("avg_pool2d_divisor", "AvgPool2d(2, divisor_override=3)", (2, 3, 8, 8))
layer("adaptive_avg_pool2d_none", "AdaptiveAvgPool2d((None, 7))", (2, 3, 17, 14))
layer("lp_pool2d", "LPPool2d(2, 3, stride=2)", (2, 3, 9, 9))
layer("lp_pool1d", "LPPool1d(2, 3)", (2, 3, 9))

# normalization
for n, shape in [(1, (2, 6, 5)), (2, (2, 6, 5, 4)), (3, (2, 6, 3, 4, 5))]:
    layer(f"batch_norm{n}d", f"BatchNorm{n}d(6)", shape)
    layer(f"batch_norm{n}d_eps", f"BatchNorm{n}d(6, eps=0.1, affine=False)", shape)
    layer(f"instance_norm{n}d", f"InstanceNorm{n}d(6)", shape)
    layer(f"instance_norm{n}d_affine", f"InstanceNorm{n}d(6, affine=True, eps=0.01)", shape)
    layer(f"instance_norm{n}d_running", f"InstanceNorm{n}d(6, affine=True, track_running_stats=True)", shape)
layer("batch_norm1d_2", "BatchNorm1d(6)", (4, 6))
layer("layer_norm", "LayerNorm(6)", (2, 5, 6))
layer("layer_norm_2", "LayerNorm([5, 6], eps=0.1)", (2, 5, 6))
layer("layer_norm_plain", "LayerNorm(6, elementwise_affine=False)", (2, 5, 6))
layer("group_norm", "GroupNorm(3, 6)", (2, 6, 5, 4))
layer("group_norm_plain", "GroupNorm(2, 6, affine=False, eps=0.1)", (2, 6, 7))
layer("local_response_norm", "LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0)", (2, 6, 5, 4))

# activations
for name, options in [("ReLU", ""), ("ReLU6", ""), ("LeakyReLU", "0.2"), ("ELU", "0.7"), ("SELU", ""), ("CELU", "1.3"), ("GELU", ""), ("GELU", "approximate='tanh'"), ("SiLU", ""),
                      ("Mish", ""), ("Sigmoid", ""), ("Tanh", ""), ("Softplus", ""), ("Softplus", "beta=2.0, threshold=1.0"), ("Softsign", ""), ("Softshrink", "0.3"), ("Hardshrink", "0.3"),
                      ("Hardtanh", "-0.5, 0.7"), ("Hardswish", ""), ("Hardsigmoid", ""), ("LogSigmoid", ""), ("Tanhshrink", ""), ("Threshold", "0.1, 5.0"), ("RReLU", ""), ("GLU", ""), ("GLU", "1"),
                      ("Softmax", "dim=1"), ("Softmax", "dim=-1"), ("LogSoftmax", "dim=1"), ("Softmin", "dim=1"), ("Softmax2d", ""), ("PReLU", ""), ("PReLU", "4"), ("Dropout", "0.5"),
                      ("Dropout2d", ""), ("AlphaDropout", ""), ("Identity", "")]:
    tag = "".join(c if c.isalnum() else "_" for c in options).strip("_")
    layer(f"act_{name}_{tag}".strip("_"), f"Sequential(nn.Conv2d(4, 4, 1), nn.{name}({options}))", (2, 4, 6, 4))

# padding, shapes, images
for name, options, shape in [("ConstantPad1d", "(1, 2), 3.5", (2, 3, 7)), ("ConstantPad2d", "(1, 2, 0, 3), -1.0", (2, 3, 7, 5)), ("ZeroPad2d", "2", (2, 3, 7, 5)), ("ReflectionPad1d", "2", (2, 3, 7)),
                             ("ReflectionPad2d", "(1, 2, 3, 0)", (2, 3, 7, 5)), ("ReplicationPad1d", "2", (2, 3, 7)), ("ReplicationPad2d", "2", (2, 3, 7, 5)), ("ReplicationPad3d", "1", (2, 3, 4, 5, 6)),
                             ("ConstantPad3d", "1, 2.0", (2, 3, 4, 5, 6)), ("ZeroPad2d", "(-1, 1, -2, 0)", (2, 3, 7, 5))]:
    tag = "".join(c if c.isalnum() else "_" for c in options).strip("_")
    layer(f"{name}_{tag}", f"{name}({options})", shape)
for name, options, shape in [("Upsample", "scale_factor=2", (2, 3, 5, 4)), ("Upsample", "size=(7, 9)", (2, 3, 5, 4)), ("Upsample", "scale_factor=2, mode='bilinear'", (2, 3, 5, 4)),
                             ("Upsample", "scale_factor=2, mode='bilinear', align_corners=True", (2, 3, 5, 4)), ("Upsample", "size=(7, 9), mode='bilinear'", (2, 3, 5, 4)),
                             ("Upsample", "scale_factor=1.5, mode='bilinear'", (2, 3, 6, 4)), ("Upsample", "scale_factor=2, mode='bicubic'", (2, 3, 5, 4)),
                             ("Upsample", "scale_factor=3, mode='linear'", (2, 3, 5)), ("Upsample", "scale_factor=2, mode='trilinear'", (2, 3, 3, 4, 5)), ("Upsample", "scale_factor=2", (2, 3, 5)),
                             ("Upsample", "scale_factor=2", (2, 3, 3, 4, 5)), ("Upsample", "size=(3, 2), mode='bilinear'", (2, 3, 5, 4)), ("UpsamplingBilinear2d", "scale_factor=2", (2, 3, 5, 4)),
                             ("UpsamplingNearest2d", "size=8", (2, 3, 5, 4)), ("Upsample", "scale_factor=(2, 3)", (2, 3, 5, 4)), ("Upsample", "scale_factor=2.3", (2, 3, 7, 9)),
                             ("PixelShuffle", "2", (2, 8, 3, 4)), ("PixelUnshuffle", "2", (2, 3, 4, 6)), ("ChannelShuffle", "2", (2, 8, 3, 4)), ("Unfold", "(2, 3), padding=1, stride=2", (2, 3, 6, 7)),
                             ("Unfold", "2, dilation=2", (2, 3, 6, 7)), ("Flatten", "", (2, 3, 4)), ("Flatten", "0, 1", (2, 3, 4)), ("Unflatten", "1, (2, 3)", (2, 6, 4))]:
    tag = "".join(c if c.isalnum() else "_" for c in options).strip("_")
    layer(f"{name}_{tag}_{len(shape)}", f"{name}({options})", shape)

# linear and embedding
layer("linear", "Linear(5, 3)", (2, 5))
layer("linear_3", "Linear(5, 3)", (2, 4, 5))
layer("linear_no_bias", "Linear(5, 3, bias=False)", (2, 4, 5))
CASES["bilinear"] = (net("l = nn.Bilinear(5, 4, 3)", "return self.l(x, y)", "x, y"), [[2, 5], [2, 4]], None)
CASES["embedding"] = (net("l = nn.Embedding(11, 5, padding_idx=0)", "return self.l(x)"), [[[2, 7], 11]], None)
CASES["embedding_bag"] = (net("l = nn.EmbeddingBag(11, 5)", "return self.l(x)"), [[[2, 7], 11]], None)
CASES["embedding_bag_sum"] = (net("l = nn.EmbeddingBag(11, 5, mode='sum')", "return self.l(x)"), [[[2, 7], 11]], None)
CASES["embedding_bag_max"] = (net("l = nn.EmbeddingBag(11, 5, mode='max')", "return self.l(x)"), [[[2, 7], 11]], None)

# recurrent
for kind in ("LSTM", "GRU", "RNN"):
    for tag, options in [("", "5, 4"), ("_first", "5, 4, batch_first=True"), ("_two", "5, 4, num_layers=2"), ("_both", "5, 4, bidirectional=True, batch_first=True"),
                         ("_two_both", "5, 4, 2, bidirectional=True"), ("_no_bias", "5, 4, bias=False")]:
        CASES[f"{kind.lower()}{tag}"] = (net(f"l = nn.{kind}({options})", "return self.l(x)"), [[3, 2, 5]], None)
    CASES[f"{kind.lower()}_last"] = (net(f"l = nn.{kind}(5, 4, batch_first=True); fc = nn.Linear(4, 2)", "y, _ = self.l(x); return self.fc(y[:, -1, :])"), [[3, 2, 5]], None)
    CASES[f"{kind.lower()}_cell"] = (net(f"l = nn.{kind}Cell(5, 4)", "return self.l(x)"), [[3, 5]], None)
    h = "(h, h)" if kind == "LSTM" else "h"
    CASES[f"{kind.lower()}_state"] = (net(f"l = nn.{kind}(5, 4, batch_first=True)", f"h = torch.zeros(1, x.size(0), 4); y, _ = self.l(x, {h}); return y.mean(dim=1)"), [[3, 2, 5]], None)
for tag, options in [("", "5, 4, proj_size=3"), ("_two_both", "5, 4, 2, bidirectional=True, proj_size=3"), ("_first", "5, 4, batch_first=True, bias=False, proj_size=2")]:
    CASES["lstm_proj" + tag] = (net(f"l = nn.LSTM({options})", "return self.l(x)"), [[3, 2, 5]], None)
CASES["rnn_relu"] = (net("l = nn.RNN(5, 4, nonlinearity='relu')", "return self.l(x)"), [[3, 2, 5]], None)
CASES["gru_given"] = (net("l = nn.GRU(5, 4)", "return self.l(x, h)", "x, h"), [[3, 2, 5], [1, 2, 4]], None)
CASES["lstm_loop"] = (net("c = nn.LSTMCell(5, 4)", "h = torch.zeros(x.size(0), 4); c = torch.zeros(x.size(0), 4); out = []\n        for t in range(x.size(1)):\n"
                          "            h, c = self.c(x[:, t], (h, c))\n            out.append(h); return torch.stack(out, 1)"), [[3, 4, 5]], None)

# attention
CASES["mha"] = (net("l = nn.MultiheadAttention(8, 2)", "return self.l(x, x, x)"), [[5, 3, 8]], None)
CASES["mha_first"] = (net("l = nn.MultiheadAttention(8, 2, batch_first=True)", "return self.l(x, x, x, need_weights=False)[0]"), [[3, 5, 8]], None)
CASES["mha_cross"] = (net("l = nn.MultiheadAttention(8, 2, batch_first=True, kdim=6, vdim=4)", "return self.l(x, y, z)[0]", "x, y, z"), [[3, 5, 8], [3, 7, 6], [3, 7, 4]], None)
CASES["mha_bias_kv"] = (net("l = nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True)", "return self.l(x, x, x)[0]"), [[5, 3, 8]], None)
CASES["mha_mask"] = (net("l = nn.MultiheadAttention(8, 2)", "m = torch.triu(torch.ones(x.size(0), x.size(0)), diagonal=1).bool(); return self.l(x, x, x, attn_mask=m)[0]"), [[5, 3, 8]], None)
for tag, options in [("", "8, 2, 16"), ("_first", "8, 2, 16, batch_first=True"), ("_pre", "8, 2, 16, norm_first=True"), ("_gelu", "8, 2, 16, activation='gelu', layer_norm_eps=0.01")]:
    CASES[f"encoder_layer{tag}"] = (net(f"l = nn.TransformerEncoderLayer({options})", "return self.l(x)"), [[3, 5, 8]], None)
CASES["encoder"] = (net("l = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, nn.LayerNorm(8))", "return self.l(x)"), [[3, 5, 8]], None)
CASES["decoder"] = (net("l = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2)", "return self.l(x, y)", "x, y"), [[5, 3, 8], [7, 3, 8]], None)
CASES["transformer"] = (net("l = nn.Transformer(8, 2, 1, 1, 16)", "return self.l(x, y)", "x, y"), [[5, 3, 8], [4, 3, 8]], None)

# functions of tensors
for name, expression in {
    "exp": "torch.exp(x)", "log": "torch.log(x.abs() + 1)", "sqrt": "torch.sqrt(x.abs())", "rsqrt": "torch.rsqrt(x.abs() + 1)", "sin_cos": "torch.sin(x) + x.cos()", "tan": "torch.tan(x)",
    "asin": "torch.asin(torch.tanh(x))", "atan2": "torch.atan2(x, x.flip(1))", "sinh": "torch.sinh(x) - torch.cosh(x)", "erf": "torch.erf(x)", "sign": "torch.sign(x)",
    "floor": "torch.floor(x * 3) + torch.ceil(x) + torch.round(x * 2)", "trunc": "torch.trunc(x * 3)", "abs": "x.abs()", "neg": "-x", "reciprocal": "torch.reciprocal(x.abs() + 1)",
    "log2": "torch.log2(x.abs() + 1) + torch.log10(x.abs() + 1) + torch.log1p(x.abs())", "expm1": "torch.expm1(x)", "pow": "x.abs() ** 1.5 + x ** 2 + 2 ** x",
    "div_modes": "torch.div(x, 0.3, rounding_mode='floor') + torch.div(x, 0.3, rounding_mode='trunc')", "floor_divide": "x // 0.3", "remainder": "x % 0.7 + torch.fmod(x, 0.7)",
    "min_max": "torch.maximum(x, -x) + torch.minimum(x, x * 2) + torch.max(x, x * 3)", "clamp": "x.clamp(-0.5, 0.5) + torch.clamp(x, min=0.1) + x.clamp(max=0.2)",
    "where": "torch.where(x > 0, x, x * 0.1)", "masked_fill": "x.masked_fill(x < 0, -9.0)", "compare": "(x > 0).float() + (x <= 0.1).float() + (x == x).float() + (x != 0).float()",
    "logical": "((x > 0) & (x < 1) | ~(x > -1)).float()", "lerp": "torch.lerp(x, x * 2, 0.3)", "addcmul": "torch.addcmul(x, x, x, value=0.5) + torch.addcdiv(x, x, x.abs() + 1, value=2.0)",
    "sum": "x.sum() + x.sum(1, keepdim=True) + x.sum((1, 2), keepdim=True)", "mean": "x.mean(dim=(1, 2))", "var": "x.var(1) + x.std(dim=1, unbiased=False)", "prod": "x.prod(1)",
    "amax": "x.amax(1) - x.amin(1)", "max_dim": "x.max(dim=1)", "min_dim": "torch.min(x, 2)[0]", "argmax": "x.argmax(1)", "norm": "x.norm(dim=1) + x.norm(p=1, dim=1) + torch.norm(x, 3, 1)",
    "logsumexp": "torch.logsumexp(x, 1)", "cumsum": "torch.cumsum(x, 1)", "softmax": "F.softmax(x, dim=1) + F.log_softmax(x, dim=-1)", "topk": "torch.topk(x, 2, dim=1)", "sort": "torch.sort(x, dim=1, descending=True)",
    "normalize": "F.normalize(x, dim=1)", "matmul": "torch.matmul(x, x.transpose(1, 2))", "bmm": "torch.bmm(x, x.permute(0, 2, 1))", "einsum": "torch.einsum('bij,bkj->bik', x, x)",
    "outer": "torch.outer(x[0, 0], x[0, 1])", "view": "x.view(x.size(0), -1)", "reshape": "x.reshape(-1, x.shape[-1]).reshape(x.shape)", "flatten": "torch.flatten(x, 1)",
    "squeeze": "x.unsqueeze(1).squeeze(1).unsqueeze(-1)", "permute": "x.permute(2, 0, 1)", "expand": "x[:, :1].expand(-1, 4, -1) + x[:, :1].expand_as(x)[:, :1]", "repeat": "x.repeat(1, 2, 3)",
    "tile": "torch.tile(x, (2, 1))", "repeat_interleave": "torch.repeat_interleave(x, 2, dim=1)", "cat": "torch.cat([x, x * 2, -x], dim=1)", "stack": "torch.stack([x, -x], dim=1)",
    "split": "x.split(2, dim=1)[0] + torch.split(x, [2, 1], dim=1)[0]", "chunk": "torch.chunk(x, 3, dim=-1)[1]", "unbind": "torch.unbind(x, 1)[1]", "narrow": "x.narrow(1, 1, 2)", "flip": "torch.flip(x, [1, 2])",
    "roll": "torch.roll(x, shifts=(1, -2), dims=(1, 2))", "index": "x[:, [0, 2, 1]] + x[:, torch.tensor([1, 1, 0])]", "index_2": "x[:, torch.tensor([0, 1]), torch.tensor([1, 2])]", "slices": "x[:, ::2, 1:-1]",
    "ellipsis": "x[..., 0] + x[..., -1]", "none": "x[:, None, :, 0]", "index_select": "torch.index_select(x, 1, torch.tensor([2, 0]))", "gather": "torch.gather(x, 1, torch.zeros(x.size(0), 1, x.size(2), dtype=torch.long))",
    "triu": "torch.triu(x) + torch.tril(x, -1)", "movedim": "x.movedim(1, 2)", "arange": "x + torch.arange(x.size(1), dtype=torch.float32).unsqueeze(1)", "linspace": "x * torch.linspace(0, 1, x.size(2))",
    "zeros_like": "x + torch.zeros_like(x) + torch.ones_like(x) + torch.full_like(x, 2.5)", "new_ones": "x + x.new_ones(x.shape[1:]) + x.new_full((1,), 3.0)", "eye": "x[:, :, :3] + torch.eye(3)",
    "meshgrid": "x + torch.stack(torch.meshgrid(torch.arange(3.0), torch.arange(6.0), indexing='ij')).sum(0)", "tensor": "x * torch.tensor([1.0, 2, 3, 4, 5, 6])", "glu": "F.glu(x, -1)",
    "gelu": "F.gelu(x) + F.silu(x) + F.elu(x) + F.hardtanh(x) + F.relu6(x) + F.leaky_relu(x, 0.3)", "one_hot": "F.one_hot(x.argmax(1), 3).float()", "cosine": "F.cosine_similarity(x, x.flip(1), dim=1)",
    "pairwise": "F.pairwise_distance(x, x.flip(1))", "cdist": "torch.cdist(x, x)", "pad": "F.pad(x, (1, 2, 3, 0), value=0.5)", "unfold": "x.unfold(2, 3, 2)", "layer_norm": "F.layer_norm(x, (6,))",
    "int_float": "(x * 10).int().float() + (x * 3).long() + 1", "size_of_batch": "x / x.size(0) + x.shape[0]", "numel": "x * (x.numel() // x.size(0))", "std_all": "x.std()", "median": "x[:, 0].sum() + x.max() - x.min()",
    "any": "x + (x > 10).any().float() + (x < 10).all().float()", "dict": "{'a': x, 'b': x.sum(1)}", "tuple": "(x, [x.mean(1), x + 1])", "nan": "torch.nan_to_num(x / 0 * 0, nan=1.5)", "diff_t": "x.transpose(-1, -2).contiguous().view(x.size(0), -1)",
    "baddbmm": "torch.baddbmm(x @ x.transpose(1, 2), x, x.transpose(1, 2), beta=0.5, alpha=2.0)", "addmm": "torch.addmm(x[0, 0, :3], x[0], x[0].t()[:, :3])", "softplus": "F.softplus(x) + F.softsign(x) + F.logsigmoid(x)",
    "scalar_types": "x * 2 + x / 3 - 1 + 4 - 2 * x + 1 / (x.abs() + 1)", "bool_sum": "(x > 0).sum(1) + (x > 0).long().sum(1)", "mean_keep": "x - x.mean(-1, keepdim=True)", "t": "x[0].t() + x[0].T",
}.items():
    function(name, expression, 2, 3, 6)
function("interpolate", "F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False) + F.interpolate(x, size=(8, 8))", 2, 3, 4, 4, first="nn.Conv2d(3, 3, 1)")
function("area", "F.interpolate(x, size=(2, 3), mode='area')", 2, 3, 4, 6, first="nn.Conv2d(3, 3, 1)")
function("grid_sample", "F.grid_sample(x, F.affine_grid(torch.tensor([[[0.8, 0.1, 0.0], [0.0, 1.1, 0.2]]]).repeat(x.size(0), 1, 1), x.size(), align_corners=False), align_corners=False)", 2, 3, 5, 6, first="nn.Conv2d(3, 3, 1)")
function("pool", "F.max_pool2d(F.relu(x), 2) + F.avg_pool2d(x, 2) + F.adaptive_avg_pool2d(x, (2, 3))", 2, 3, 4, 6, first="nn.Conv2d(3, 3, 1)")

# in place and aliases
for name, lines in {
    "add_": "y = x; x.add_(1); return x + y", "relu_": "y = x; F.relu(x, inplace=True); return y", "mul_": "x *= 2; return x", "view_write": "v = x.view(-1); v[0] = 5.0; return x",
    "slice_write": "x[:, 0] = 7.0; return x", "slice_write_2": "y = x.clone(); y[:, 1:, ::2] = x[:, 1:, ::2] * 3; return y + x", "select_add": "x[:, 1] += 2; return x", "fill": "x[:, 0].fill_(3.0); return x",
    "mask_write": "x[x < 0] = 0.25; return x", "copy_": "y = torch.zeros_like(x); y.copy_(x); y[:, 2].zero_(); return y", "transpose_write": "t = x.transpose(1, 2); t[:, 0] = 1.0; return x",
    "chunk_write": "a, b = x.chunk(2, dim=2); a.mul_(0); return x + b.sum()", "list_index": "x[:, [0, 2]] = 1.5; return x.sum(2)", "clamp_": "x.clamp_(min=0); return x", "detach": "y = x.detach(); y.add_(1); return x",
}.items():
    CASES["alias_" + name] = (net("l = nn.Linear(6, 6)", "x = self.l(x); " + lines if name != "mask_write" else "x = self.l(x); " + lines), [[2, 3, 6]], None)

# classes as people write them
PEOPLE = {
    "mnist": ("""
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=5)
        self.conv2 = nn.Conv2d(8, 12, kernel_size=5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(192, 20)
        self.fc2 = nn.Linear(20, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.view(-1, 192)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)
""", [[2, 1, 28, 28]], None),
    "arguments": ("""
class NeuralNet(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes):
        super(NeuralNet, self).__init__()
        self.l1 = nn.Linear(input_size, hidden_size)
        self.relu = nn.ReLU()
        self.l2 = nn.Linear(hidden_size, hidden_size)
        self.l3 = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        out = self.l1(x)
        out = self.relu(out)
        out = self.relu(self.l2(out))
        return self.l3(out)
""", [[2, 13]], {"input_size": 13, "hidden_size": 8, "num_classes": 5}),
    "lstm_arguments": ("""
class Model(nn.Module):
    def __init__(self, vocab_size, embedding_dim, hidden_dim, n_layers, output_dim=1, dropout=0.5):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.n_layers = n_layers
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, n_layers, dropout=dropout, batch_first=True)
        self.fc = nn.Linear(hidden_dim, output_dim)

    def forward(self, x):
        h0 = torch.zeros(self.n_layers, x.size(0), self.hidden_dim).to(x.device)
        c0 = torch.zeros(self.n_layers, x.size(0), self.hidden_dim).to(x.device)
        e = self.embedding(x)
        out, _ = self.lstm(e, (h0, c0))
        return torch.sigmoid(self.fc(out[:, -1]))
""", [[[2, 7], 11]], {"vocab_size": 11, "embedding_dim": 6, "hidden_dim": 5, "n_layers": 3, "output_dim": 2}),
    "resnet": ("""
class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super(BasicBlock, self).__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != self.expansion * planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, self.expansion * planes, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(self.expansion * planes))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class ResNet(nn.Module):
    def __init__(self, block, num_blocks, num_classes=10):
        super(ResNet, self).__init__()
        self.in_planes = 8
        self.conv1 = nn.Conv2d(3, 8, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = self._make_layer(block, 8, num_blocks[0], stride=1)
        self.layer2 = self._make_layer(block, 12, num_blocks[1], stride=2)
        self.linear = nn.Linear(12 * block.expansion, num_classes)

    def _make_layer(self, block, planes, num_blocks, stride):
        strides = [stride] + [1] * (num_blocks - 1)
        layers = []
        for stride in strides:
            layers.append(block(self.in_planes, planes, stride))
            self.in_planes = planes * block.expansion
        return nn.Sequential(*layers)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer2(self.layer1(out))
        out = F.avg_pool2d(out, 4)
        out = out.view(out.size(0), -1)
        return self.linear(out)


def ResNet10():
    return ResNet(BasicBlock, [1, 2])


def Net():
    return ResNet10()
""", [[2, 3, 8, 8]], None),
    "unet": ("""
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, mid_channels=None):
        super().__init__()
        if not mid_channels:
            mid_channels = out_channels
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, mid_channels, kernel_size=3, padding=1, bias=False), nn.BatchNorm2d(mid_channels), nn.ReLU(inplace=True),
            nn.Conv2d(mid_channels, out_channels, kernel_size=3, padding=1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))

    def forward(self, x):
        return self.double_conv(x)


class Up(nn.Module):
    def __init__(self, in_channels, out_channels, bilinear=True):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)
            self.conv = DoubleConv(in_channels, out_channels, in_channels // 2)
        else:
            self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, kernel_size=2, stride=2)
            self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        diffY = x2.size()[2] - x1.size()[2]
        diffX = x2.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [diffX // 2, diffX - diffX // 2, diffY // 2, diffY - diffY // 2])
        x = torch.cat([x2, x1], dim=1)
        return self.conv(x)


class UNet(nn.Module):
    def __init__(self, n_channels, n_classes, bilinear=False):
        super(UNet, self).__init__()
        self.inc = DoubleConv(n_channels, 4)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(4, 8))
        self.up1 = Up(8, 4, bilinear)
        self.outc = nn.Conv2d(4, n_classes, kernel_size=1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x = self.up1(x2, x1)
        return self.outc(x)


if __name__ == '__main__':
    net = UNet(n_channels=3, n_classes=2)
""", [[2, 3, 11, 12]], {"n_channels": 3, "n_classes": 2}),
    "gpt": ("""
from dataclasses import dataclass


@dataclass
class Config:
    block_size: int = 16
    vocab_size: int = 13
    n_layer: int = 2
    n_head: int = 2
    n_embd: int = 8
    bias: bool = True


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        assert config.n_embd % config.n_head == 0
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.n_head = config.n_head
        self.n_embd = config.n_embd
        self.register_buffer("bias", torch.tril(torch.ones(config.block_size, config.block_size))
                             .view(1, 1, config.block_size, config.block_size))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float('-inf'))
        att = F.softmax(att, dim=-1)
        y = att @ v
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.c_proj(y)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = nn.Sequential(nn.Linear(config.n_embd, 4 * config.n_embd), nn.GELU(), nn.Linear(4 * config.n_embd, config.n_embd))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


class GPT(nn.Module):
    def __init__(self, config=Config()):
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(config.vocab_size, config.n_embd),
            wpe=nn.Embedding(config.block_size, config.n_embd),
            h=nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
            ln_f=nn.LayerNorm(config.n_embd)))
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)

    def forward(self, idx, targets=None):
        device = idx.device
        b, t = idx.size()
        assert t <= self.config.block_size, f"Cannot forward sequence of length {t}"
        pos = torch.arange(0, t, dtype=torch.long, device=device)
        x = self.transformer.wte(idx) + self.transformer.wpe(pos)
        for block in self.transformer.h:
            x = block(x)
        x = self.transformer.ln_f(x)
        if targets is not None:
            logits = self.lm_head(x)
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        else:
            logits = self.lm_head(x[:, [-1], :])
            loss = None
        return logits, loss
""", [[[2, 7], 13]], None),
    "dqn": ("""
class DQN(nn.Module):

    def __init__(self, n_observations, n_actions, hidden=(24, 12), act=nn.Tanh):
        super(DQN, self).__init__()
        sizes = [n_observations] + list(hidden)
        layers = []
        for a, b in zip(sizes[:-1], sizes[1:]):
            layers += [nn.Linear(a, b), act()]
        self.body = nn.Sequential(*layers)
        self.value, self.advantage = nn.Linear(hidden[-1], 1), nn.Linear(hidden[-1], n_actions)

    def forward(self, x):
        h = self.body(x)
        a = self.advantage(h)
        return self.value(h) + a - a.mean(dim=1, keepdim=True)


def make():
    n = 4
    return DQN(n, 3)
""", [[2, 4]], {"n_observations": 4, "n_actions": 3}),
    "se_block": ("""
class SE(nn.Module):
    def __init__(self, ch, r=4):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(ch, ch // r, bias=False), nn.ReLU(inplace=True), nn.Linear(ch // r, ch, bias=False), nn.Sigmoid())

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.pool(x).view(b, c)
        y = self.fc(y).view(b, c, 1, 1)
        return x * y.expand_as(x)


class Net(nn.Module):
    cfg = {'A': [8, 'M', 16, 'M']}

    def __init__(self, num_classes: int = 3, kind: str = 'A', **kwargs):
        super().__init__()
        layers, c = [], 3
        for v in self.cfg[kind]:
            if v == 'M':
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers.extend([nn.Conv2d(c, v, 3, padding=1), nn.BatchNorm2d(v), nn.LeakyReLU(0.1), SE(v)])
                c = v
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(16 * 2 * 2, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')
                if m.bias is not None:
                    m.bias.data.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)
        x = torch.flatten(x, start_dim=1)
        return self.head(x)
""", [[2, 3, 8, 8]], None),
    "vae": ("""
class VAE(nn.Module):
    def __init__(self, latent_dim=3, image_size=8):
        super().__init__()
        self.latent_dim, self.image_size = latent_dim, image_size
        self.enc = nn.Sequential(nn.Linear(image_size ** 2, 16), nn.ReLU())
        self.mu = nn.Linear(16, latent_dim)
        self.logvar = nn.Linear(16, latent_dim)
        self.dec = nn.Sequential(nn.Linear(latent_dim, 16), nn.ReLU(), nn.Linear(16, image_size ** 2), nn.Sigmoid())

    def encode(self, x):
        h = self.enc(x)
        return self.mu(h), self.logvar(h)

    def reparameterize(self, mu, logvar):
        if self.training:
            std = torch.exp(0.5 * logvar)
            return mu + torch.randn_like(std) * std
        return mu

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, self.image_size ** 2))
        z = self.reparameterize(mu, logvar)
        return self.dec(z), mu, logvar
""", [[2, 1, 8, 8]], None),
    "pos_encoding": ("""
class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=20):
        super(PositionalEncoding, self).__init__()
        self.dropout = nn.Dropout(p=dropout)
        pe = torch.zeros(max_len, d_model)
        position = torch.arange(0, max_len, dtype=torch.float).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term)
        pe = pe.unsqueeze(0).transpose(0, 1)
        self.register_buffer('pe', pe)

    def forward(self, x):
        x = x + self.pe[:x.size(0), :]
        return self.dropout(x)


class Net(nn.Module):
    def __init__(self, ntoken=9, d_model=8, nhead=2, d_hid=16, nlayers=2):
        super().__init__()
        self.pos_encoder = PositionalEncoding(d_model)
        layer = nn.TransformerEncoderLayer(d_model, nhead, d_hid)
        self.transformer_encoder = nn.TransformerEncoder(layer, nlayers)
        self.encoder = nn.Embedding(ntoken, d_model)
        self.d_model = d_model
        self.decoder = nn.Linear(d_model, ntoken)

    def forward(self, src):
        src = self.encoder(src) * math.sqrt(self.d_model)
        src = self.pos_encoder(src)
        return self.decoder(self.transformer_encoder(src))
""", [[[5, 3], 9]], None),
}
for key, (source, inputs, init) in PEOPLE.items():
    CASES["people_" + key] = (HEAD + source.lstrip("\n"), inputs, init)
