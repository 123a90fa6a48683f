#!/usr/bin/python3
"""Sources that leave things open, as people's files do: arguments that come
from data, from a command line, from a file that is not there. torch_open.py
FILE.tar.xz writes for each NAME.py (what a person has), NAME.pth, NAME.npz with
the answers of PyTorch, and NAME.json (the input as --input wants it).

A case is the source; an expression over its names that makes the model, or
another source that makes the same one where the first cannot run; the inputs;
and what stands around the state_dict in the checkpoint."""
import io
import json
import sys
import tarfile
import types
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
CASES = {}


def case(name, source, make, *inputs, wrap=None, plain=None, shape=None):
    CASES[name] = (HEAD + source, make, inputs, wrap, HEAD + (plain if plain is not None else source), shape)


RECORD = """
class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        assert config.width % config.heads == 0
        self.heads = config.heads
        self.emb = nn.Embedding(config.vocab, config.width)
        self.blocks = nn.ModuleList([nn.Linear(config.width, config.width, bias=config.bias) for _ in range(config.n_layer)])
        self.out = nn.Linear(config.width, config.vocab)

    def forward(self, i):
        x = self.emb(i)
        for b in self.blocks:
            x = x + torch.tanh(b(x)).view(*x.shape[:2], self.heads, -1).softmax(-1).flatten(2)
        return self.out(x)
"""
NAMESPACE = "types.SimpleNamespace(vocab=19, width=12, heads=3, n_layer=2, bias=False)"
case("record_in_the_checkpoint", RECORD, f"Net({NAMESPACE})", ("int", (2, 5), 19),
     wrap=lambda sd: {"model": sd, "model_args": {"vocab": 19, "width": 12, "heads": 3, "n_layer": 2, "bias": False}})
case("record_as_a_namespace", RECORD, f"Net({NAMESPACE})", ("int", (2, 5), 19),
     wrap=lambda sd: {"state_dict": sd, "args": __import__("argparse").Namespace(vocab=19, width=12, heads=3, n_layer=2, bias=False)})
case("record_by_key", """
class Net(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.a = nn.Conv2d(cfg["in"] + 1, cfg["mid"], 3, padding=1)
        self.b = nn.Conv2d(cfg["mid"] * 2, cfg.get("out", 4), 1)

    def forward(self, x):
        y = self.a(torch.cat([x, x.mean(1, keepdim=True)], 1))
        return self.b(torch.cat([y, -y], 1))
""", 'Net({"in": 3, "mid": 5})', (2, 3, 8, 8))
LISTS = """
class Net(nn.Module):
    def __init__(self, n_in, hidden, n_out):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(n_in, hidden[0])])
        self.layers.extend([nn.Linear(a, b) for a, b in zip(hidden[:-1], hidden[1:])])
        self.last = nn.Linear(hidden[-1], n_out)

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.last(x)
"""
case("list_from_shapes", LISTS, "Net(7, [9, 11, 6], 3)", (2, 7))
case("list_in_the_checkpoint", LISTS, "Net(7, [9, 11], 3)", (2, 7), wrap=lambda sd: {"hidden": [9, 11], "n_in": 7, "n_out": 3, "weights": sd})
case("word_of_a_table", """
PLANS = {"small": [4, "pool", 8], "large": [4, 6, "pool", 8, 8]}


class Net(nn.Module):
    def __init__(self, plan):
        super().__init__()
        layers, c = [], 3
        for step in PLANS[plan]:
            if step == "pool":
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(c, step, 3, padding=1), nn.ReLU()]
            c = step
        self.features = nn.Sequential(*layers)

    def forward(self, x):
        return self.features(x).mean((2, 3))


probe = Net("small")
""", 'Net("large")', (2, 3, 8, 8))
case("words_that_are_compared", """
import functools


def norm_of(kind):
    if kind == "batch":
        return functools.partial(nn.BatchNorm2d, affine=True)
    elif kind == "group":
        return functools.partial(nn.GroupNorm, 2)
    raise NotImplementedError(kind)


class Net(nn.Module):
    def __init__(self, c_in, width, depth, norm):
        super().__init__()
        bias = norm.func == nn.GroupNorm
        self.stem = nn.Conv2d(c_in, width, 3, bias=bias)
        self.body = nn.Sequential(*[nn.Sequential(nn.Conv2d(width, width, 1, bias=bias), norm(width)) for _ in range(depth)])

    def forward(self, x):
        return self.body(self.stem(x))


def build(c_in, width, size, norm="batch"):
    if size == "small":
        return Net(c_in, width, 2, norm_of(norm))
    elif size == "large":
        return Net(c_in, width, 3, norm_of(norm))
""", 'build(3, 4, "large", "group")', (2, 3, 6, 6))
case("flag_against_its_default", """
class Net(nn.Module):
    def __init__(self, c=3, width=4, up=False):
        super().__init__()
        k = 2 if up else 1
        self.a = nn.Conv2d(c, width * k, 3, padding=1)
        self.b = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True) if up else nn.ConvTranspose2d(width, width, 2, 2)

    def forward(self, x):
        return self.b(self.a(x))
""", "Net(up=True)", (2, 3, 5, 5))
case("sizes_from_a_table", """
import pandas as pd
from sklearn.model_selection import train_test_split
table = pd.read_csv("data.csv")
X, y = table.drop("y", axis=1).values, table["y"].values
X_train, X_test, y_train, y_test = train_test_split(X, y)
HIDDEN = 10
classes = sorted(set(y))
with open("names.txt") as f:
    names = f.read()
model = nn.Sequential(nn.Linear(X_train.shape[1], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, len(classes)))
for epoch in range(100):
    loss = F.cross_entropy(model(X_train), y_train)
    loss.backward()
""", "model", (2, 6), plain="model = nn.Sequential(nn.Linear(6, 10), nn.Tanh(), nn.Linear(10, 4))\n")
COMMAND = """
import argparse
parser = argparse.ArgumentParser()
group = parser.add_argument_group("model")
group.add_argument("--hidden", type=int, default=16)
parser.add_argument("-s", "--slope", type=float, default=0.3)
parser.add_argument("--no-bias", action="store_true")
parser.add_argument("data")
args = parser.parse_args()
args.cuda = torch.cuda.is_available()


class Net(nn.Module):
    def __init__(self, n_in, hidden, n_out, slope, bias):
        super().__init__()
        self.slope = slope
        self.a = nn.Linear(n_in, hidden, bias=bias)
        self.b = nn.Linear(hidden, n_out)

    def forward(self, x):
        return self.b(F.leaky_relu(self.a(x), self.slope))


features = load(args.data)
net = Net(features.shape[1], args.hidden, int(labels.max()) + 1, args.slope, not args.no_bias)
"""
CUT = COMMAND[COMMAND.index("class Net"):COMMAND.index("features =")]
case("command_line_as_it_is_by_default", COMMAND, "Net(5, 16, 3, 0.3, True)", (2, 5), plain=CUT)
case("command_line_with_other_values", COMMAND, "Net(5, 24, 3, 0.3, False)", (2, 5), plain=CUT)
case("settings_of_another_file", """
import settings
from paths import *


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(settings.N_IN, settings.HIDDEN, settings.LAYERS, batch_first=True, dropout=settings.DROPOUT)
        self.out = nn.Linear(settings.HIDDEN, settings.N_OUT)

    def forward(self, x):
        h = torch.zeros(settings.LAYERS, x.size(0), settings.HIDDEN)
        y, h = self.rnn(x, h)
        return self.out(y[:, -1])
""", "Net()", (2, 5, 3), plain="""
settings = __import__("types").SimpleNamespace(N_IN=3, HIDDEN=7, LAYERS=2, DROPOUT=0.1, N_OUT=4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(settings.N_IN, settings.HIDDEN, settings.LAYERS, batch_first=True, dropout=settings.DROPOUT)
        self.out = nn.Linear(settings.HIDDEN, settings.N_OUT)

    def forward(self, x):
        y, h = self.rnn(x)
        return self.out(y[:, -1])
""")
case("builder_with_words_of_the_checkpoint", """
def build(kind, units):
    body = {"plain": nn.Identity(), "wide": nn.Sequential(nn.Linear(6, 6), nn.ReLU())}[kind]
    return nn.Sequential(body, nn.Linear(6, units), nn.ReLU(), nn.Linear(units, 2))


def load(path):
    saved = torch.load(path)
    model = build(saved["kind"], saved["units"])
    model.load_state_dict(saved["state_dict"])
    return model, saved["epoch"]
""", 'build("wide", 5)', (2, 6), wrap=lambda sd: {"kind": "wide", "units": 5, "epoch": 9, "state_dict": sd})
case("kept_by_a_function", """
from torchvision import models


def main():
    data = read_data("train")
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
    n = data.n_classes
    model.add_module("head", nn.Linear(4 * 6 * 6, n))
    optimizer = torch.optim.Adam(model.parameters())
    for epoch in range(3):
        optimizer.step()


if __name__ == "__main__":
    main()
""", "model", (2, 1, 8, 8), plain='model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())\nmodel.add_module("head", nn.Linear(144, 3))\n')
case("kept_by_an_object", """
class Half(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(a, 8), nn.ReLU(), nn.Linear(8, b))

    def forward(self, x):
        return self.net(x)


class Whole(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x):
        return self.second(self.first(x))


class Trainer:
    def __init__(self, data, latent):
        n = data.shape[1]
        self.first = Half(n, latent)
        self.second = Half(latent, n)
        self.model = Whole(self.first, self.second)
""", "Whole(Half(11, 3), Half(3, 11))", (2, 11))
case("shape_of_the_input", """
import numpy as np
import gym


class Net(nn.Module):
    def __init__(self, shape, n_actions):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(shape[0], 4, 3, 2), nn.ReLU(), nn.Conv2d(4, 6, 3))
        size = int(np.prod(self.conv(torch.zeros(1, *shape)).size()))
        self.fc = nn.Linear(size, n_actions)

    def forward(self, x):
        return self.fc(self.conv(x.float() / 255).view(x.size(0), -1))


env = gym.make("Some-v0")
net = Net(env.observation_space.shape, env.action_space.n)
""", "Net((2, 12, 14), 3)", (2, 2, 12, 14), plain=None)
case("loop_that_builds", """
sizes = [6, 5, 4]
layers = []
for a, b in zip(sizes, sizes[1:]):
    layers.append(nn.Linear(a, b))
    layers.append(nn.ELU())
layers.append(nn.Linear(sizes[-1], 2))
model = nn.Sequential(*layers)
for epoch in range(10):
    for x, y in loader:
        F.mse_loss(model(x), y).backward()
""", "model", (2, 6), plain="model = nn.Sequential(nn.Linear(6, 5), nn.ELU(), nn.Linear(5, 4), nn.ELU(), nn.Linear(4, 2))\n")
case("flag_that_changes_nothing", """
class Net(nn.Module):
    def __init__(self, n, static, seed, noisy):
        super().__init__()
        torch.manual_seed(seed)
        self.noisy = noisy
        self.emb = nn.Embedding(n, 4)
        if static:
            self.emb.weight.requires_grad = False
        self.fc = nn.Linear(4, 3)

    def forward(self, i):
        x = self.emb(i).mean(1)
        if self.training and self.noisy:
            x = x + torch.randn_like(x)
        return self.fc(x)
""", "Net(9, True, 1, False)", ("int", (2, 4), 9))
case("packed_sequences", """
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Net(nn.Module):
    def __init__(self, n, width, hidden):
        super().__init__()
        self.emb = nn.Embedding(n, width)
        self.rnn = nn.LSTM(width, hidden, bidirectional=True, batch_first=True)
        self.out = nn.Linear(2 * hidden, 3)

    def forward(self, text, lengths):
        packed = pack_padded_sequence(self.emb(text), lengths.cpu(), batch_first=True, enforce_sorted=False)
        y, (h, c) = self.rnn(packed)
        y, _ = pad_packed_sequence(y, batch_first=True)
        return self.out(y), torch.cat([h[-2], h[-1]], 1)
""", "Net(20, 5, 4)", ("int", (3, 6), 20), ("values", [4, 6, 2]), shape="3,6:int64;3:int64")
case("states_as_a_tuple", """
class Net(nn.Module):
    def __init__(self, n_in, hidden, n_out):
        super().__init__()
        self.rnn = nn.LSTM(n_in, hidden, 2)
        self.out = nn.Linear(hidden, n_out)

    def forward(self, x, state):
        y, state = self.rnn(x, state)
        return self.out(y), state
""", "Net(4, 5, 3)", (7, 1, 4), ((2, 1, 5), (2, 1, 5)), shape="7,1,4;(2,1,5;2,1,5)")
case("einops", """
from einops import rearrange, repeat, reduce
from einops.layers.torch import Rearrange


class Net(nn.Module):
    def __init__(self, *, patch=4, dim=6, heads=2):
        super().__init__()
        self.heads = heads
        self.embed = nn.Sequential(Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=patch, q=patch), nn.Linear(patch * patch * 3, dim))
        self.cls = nn.Parameter(torch.randn(1, 1, dim))
        self.qk = nn.Linear(dim, 2 * dim, bias=False)
        self.out = nn.Linear(dim, 4)

    def forward(self, x):
        x = self.embed(x)
        x = torch.cat([repeat(self.cls, "1 1 d -> b 1 d", b=x.shape[0]), x], 1)
        q, k = map(lambda t: rearrange(t, "b n (h d) -> b h n d", h=self.heads), self.qk(x).chunk(2, dim=-1))
        x = rearrange((q @ k.transpose(-1, -2)).softmax(-1) @ q, "b h n d -> b n (h d)")
        return self.out(reduce(x, "b n d -> b d", "mean"))
""", "Net()", (2, 3, 8, 12), plain="""
class Net(nn.Module):
    def __init__(self, patch=4, dim=6, heads=2):
        super().__init__()
        self.heads = heads
        self.embed = nn.Sequential(nn.Identity(), nn.Linear(patch * patch * 3, dim))
        self.cls = nn.Parameter(torch.randn(1, 1, dim))
        self.qk = nn.Linear(dim, 2 * dim, bias=False)
        self.out = nn.Linear(dim, 4)

    def forward(self, x):
        b, c, h, w = x.shape
        x = x.reshape(b, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(b, h * w // 16, 16 * c)
        x = self.embed(x)
        x = torch.cat([self.cls.expand(b, -1, -1), x], 1)
        q, k = [t.reshape(b, -1, self.heads, 3).transpose(1, 2) for t in self.qk(x).chunk(2, dim=-1)]
        x = ((q @ k.transpose(-1, -2)).softmax(-1) @ q).transpose(1, 2).reshape(b, -1, 6)
        return self.out(x.mean(1))
""")
case("layers_of_timm", """
from timm.models.layers import DropPath, Mlp, PatchEmbed, to_2tuple, trunc_normal_


class Net(nn.Module):
    def __init__(self, img_size=8, patch_size=4, dim=6, drop=0.2):
        super().__init__()
        self.embed = PatchEmbed(img_size, patch_size, 3, dim)
        self.pos = nn.Parameter(torch.zeros(1, self.embed.num_patches, dim))
        trunc_normal_(self.pos, std=0.02)
        self.path = DropPath(drop)
        self.mlp = Mlp(dim, to_2tuple(dim)[0] * 2)

    def forward(self, x):
        x = self.embed(x) + self.pos
        return x + self.path(self.mlp(x))
""", "Net()", (2, 3, 8, 8), plain="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Module()
        self.embed.proj = nn.Conv2d(3, 6, 4, 4)
        self.pos = nn.Parameter(torch.zeros(1, 4, 6))
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(6, 12), nn.Linear(12, 6)

    def forward(self, x):
        x = self.embed.proj(x).flatten(2).transpose(1, 2) + self.pos
        return x + self.mlp.fc2(F.gelu(self.mlp.fc1(x)))
""")
case("lightning", """
import pytorch_lightning as pl
from torchmetrics import Accuracy


class Net(pl.LightningModule):
    def __init__(self, n_in: int, width: int = 16, **kwargs):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(n_in, self.hparams.width), nn.ReLU(), nn.Linear(width, 3))
        self.accuracy = Accuracy(task="multiclass", num_classes=3)

    def forward(self, x):
        return self.net(x).softmax(-1)

    def training_step(self, batch, i):
        self.log("accuracy", self.accuracy(self(batch[0]), batch[1]))
""", "Net(5, 9)", (2, 5), wrap=lambda sd: {"epoch": 2, "state_dict": sd, "hyper_parameters": {"n_in": 5, "width": 9}, "optimizer_states": [{"lr": 0.1}]}, plain="""
class Net(nn.Module):
    def __init__(self, n_in, width):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, x):
        return self.net(x).softmax(-1)
""")
case("functions_and_arrays", """
import numpy as np
from torch.distributions import Categorical


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a):
        ctx.save_for_backward(x)
        ctx.a = a
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.a * g, None


class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        steps = np.linspace(0, 1, 4)
        basis = np.array([steps ** i for i in range(3)])
        self.basis = torch.tensor(basis).float()
        self.fc = nn.Linear(n, 3)

    def forward(self, x, a=1.0):
        eye = torch.from_numpy(np.array([1, 0, 0, 1]).astype(np.float32)).view(2, 2)
        y = self.fc(Reverse.apply(x, a))
        return Categorical(logits=y).probs @ self.basis, y.sum() + eye.sum()
""", "Net(5)", (2, 5))
case("a_table_that_older_versions_kept", """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        if not hasattr(F, "scaled_dot_product_attention"):
            self.register_buffer("mask", torch.tril(torch.ones(6, 6)).view(1, 1, 6, 6))

    def forward(self, x):
        q = self.fc(x)
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(q, q, q, is_causal=True)
        w = (q @ q.transpose(-2, -1)) / 2
        return w.masked_fill(self.mask[0, 0, :x.size(1), :x.size(1)] == 0, float("-inf")).softmax(-1) @ q
""", "Net()", (2, 5, 4))


case("layers_replaced_by_place", """
from torchvision import models
model = models.resnet18(pretrained=True)
model = nn.Sequential(*list(model.children())[:4])
model[0] = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
model.append(nn.Sequential(nn.Flatten(), nn.LazyLinear(7) if False else nn.Linear(64 * 4 * 4, 7), nn.ReLU(), nn.Dropout(0.5)))
del model[-1][-1]
model[-1]._modules["1"] = nn.Linear(64 * 4 * 4, n_classes)
model[4].add_module("3", nn.Softmax(dim=1))
print(model)
""", "model", (2, 1, 16, 16), plain="""
import torchvision
model = nn.Sequential(*list(torchvision.models.resnet18().children())[:4])
model[0] = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
model.append(nn.Sequential(nn.Flatten(), nn.Linear(64 * 4 * 4, 5), nn.ReLU(), nn.Softmax(dim=1)))
""")
case("steps_of_the_input", """
class Net(nn.Module):
    def __init__(self, seq_len, n_features, width=6):
        super().__init__()
        self.seq_len, self.n_features = seq_len, n_features
        self.enc = nn.LSTM(n_features, width, batch_first=True)
        self.dec = nn.LSTM(width, width, batch_first=True)
        self.out = nn.Linear(width, n_features)

    def forward(self, x):
        x = x.reshape(-1, self.seq_len, self.n_features)
        _, (h, _) = self.enc(x)
        y, _ = self.dec(h[-1].unsqueeze(1).repeat(1, self.seq_len, 1))
        return self.out(y)


data, seq_len, n_features = prepare("data.csv")
net = Net(seq_len, n_features)
""", "Net(9, 3)", (2, 9, 3), plain=None)


case("pooled_places_and_windows", """
class Net(nn.Module):
    def __init__(self, c=2):
        super().__init__()
        self.conv = nn.Conv2d(c, 3, 3, padding=1)
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.unfold, self.fold = nn.Unfold(3, padding=1, stride=2), nn.Fold((6, 8), 3, padding=1, stride=2)
        self.loss = nn.TripletMarginLoss()

    def forward(self, x):
        y, places = self.pool(self.conv(x))
        return self.unpool(y * 2, places), self.fold(self.unfold(x)), places
""", "Net()", (2, 2, 6, 8))
case("sizes_left_to_the_first_input", """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.LazyConv2d(4, 3)
        self.bn = nn.LazyBatchNorm2d()
        self.a, self.b = nn.LazyLinear(5), nn.LazyLinear(3, bias=False)

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x))).flatten(1)
        return self.b(torch.tanh(self.a(x)))
""", "Net()", (2, 3, 6, 6), plain="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.a, self.b = nn.Linear(64, 5), nn.Linear(5, 3, bias=False)

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x))).flatten(1)
        return self.b(torch.tanh(self.a(x)))
""")
case("questions_about_the_machine", """
import os
import sys
import numpy as np


class Net(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        self.fc = nn.Linear(int(np.sum([1, 2])), n)
        if torch.cuda.is_available() and torch.cuda.device_count() > 1:
            self.fc = nn.DataParallel(self.fc).cuda()
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.new = int(torch.__version__.split(".")[0]) >= 2
        self.to(self.device)

    def forward(self, x):
        if torch.cuda.is_available():
            x = x.cuda()
        zeros = torch.zeros(x.shape[0], 1, device=self.device)
        if x.is_cuda:
            zeros = zeros.cuda()
        return self.fc(x.to(self.device)) + zeros.cpu()
""", "Net()", (2, 3))
case("two_classes_that_differ_in_type", """
class Wide(nn.Module):
    def __init__(self, n, z):
        super().__init__()
        self.a, self.b = nn.Linear(n, 5, dtype=torch.float64), nn.Linear(5, z, dtype=torch.float64)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


class Narrow(nn.Module):
    def __init__(self, n, z):
        super().__init__()
        self.a, self.b = nn.Linear(n, 5), nn.Linear(5, z)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))
""", "Wide(4, 3)", ("double", (2, 4)))
case("functions_in_terms_of_others", """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc(x)
        z = y[0]
        return (torch.tensordot(y, z, dims=([2], [0])), torch.kron(z, z), torch.diag(z), torch.diag_embed(z), torch.cross(z[:, :3], z[:, 1:], dim=-1),
                torch.logaddexp(y, x), y.tensor_split(3, dim=2)[1], torch.rot90(y, 1, [1, 2]), torch.block_diag(z, z), torch.bucketize(y, torch.tensor([-0.5, 0.5])),
                torch.count_nonzero(y > 0, 1), z[torch.tril_indices(4, 4)[0], torch.tril_indices(4, 4)[1]], torch.hypot(x, y), torch.copysign(x, y), torch.xlogy(x, x.abs() + 1))
""", "Net()", (2, 4, 4))

# ---- what stands between the person's call and the layers ---------------------

case("handed_on", """
class Net(nn.Module):
    def __init__(self, block, n, classes=100, width=8, groups=1):
        super().__init__()
        if groups != 1:
            raise ValueError("groups must be 1")
        self.stem = nn.Conv1d(2, width, 3, padding=1)
        self.body = nn.Sequential(*[block(width) for _ in range(n)])
        self.out = nn.Linear(width, classes)

    def forward(self, x):
        return self.out(self.body(self.stem(x)).mean(2))

class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = nn.Conv1d(c, c, 1)

    def forward(self, x):
        return x + F.relu(self.c(x))

def _make(block, n, pretrained, **kwargs):
    return Net(block, n, **kwargs)

def small(pretrained=False, **kwargs):
    return _make(Residual, 2, pretrained, **kwargs)

def large(pretrained=False, **kwargs):
    return _make(Residual, 4, pretrained, **kwargs)
""", "large(classes=5, width=6)", (2, 2, 9))

case("narrower", """
def even(x):
    return max(2, int(x) // 2 * 2)

class Net(nn.Module):
    def __init__(self, rows, width_mult=1.0, classes=3):
        super().__init__()
        layers, c = [], 3
        for out, stride in rows:
            out = even(out * width_mult)
            layers += [nn.Conv2d(c, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU6()]
            c = out
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(c, classes)

    def forward(self, x):
        return self.head(self.features(x).mean([2, 3]))

def net(**kwargs):
    return Net([(16, 2), (24, 1)], **kwargs)
""", "net(width_mult=0.5, classes=7)", (2, 3, 8, 8))

case("built_from_the_weights", """
class Net(nn.Module):
    def __init__(self, width, heads, depth):
        super().__init__()
        self.inner = nn.ModuleList([nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(depth)])

    def forward(self, x):
        for a in self.inner:
            x = x + a(x, x, x)[0]
        return x

def build(state_dict):
    width = state_dict["inner.0.out_proj.weight"].shape[0]
    depth = len(set(k.split(".")[1] for k in state_dict.keys() if k.startswith("inner.")))
    model = Net(width, width // 4, depth)
    model.load_state_dict(state_dict)
    return model.eval()
""", "Net(12, 3, 2)", (2, 5, 12))

case("record_of_a_class", """
from dataclasses import dataclass
from typing import Optional

@dataclass
class Settings:
    width: int
    depth: int
    heads: int = 2
    eps: float = 1e-3
    rank: str = "auto"
    inner: Optional[int] = None

    def __post_init__(self):
        self.hidden = self.width * 3
        if self.rank == "auto":
            self.rank = self.width // 4

class Net(nn.Module):
    def __init__(self, settings: Settings):
        super().__init__()
        inner = settings.inner or settings.hidden
        self.heads = settings.heads
        self.layers = nn.ModuleList([nn.ModuleList([nn.LayerNorm(settings.width, eps=settings.eps), nn.Linear(settings.width, inner),
                                                    nn.Linear(inner, settings.rank), nn.Linear(settings.rank, settings.width)]) for _ in range(settings.depth)])

    def forward(self, x):
        for norm, a, b, c in self.layers:
            x = x + c(b(F.gelu(a(norm(x))))).view(*x.shape[:-1], self.heads, -1).softmax(-1).flatten(-2)
        return x
""", "Net(Settings(8, 2))", (2, 8))

case("defaults_of_the_function_around", """
import copy

class Attention(nn.Module):
    def __init__(self, heads, width):
        super().__init__()
        self.heads = heads
        self.maps = nn.ModuleList([copy.deepcopy(nn.Linear(width, width)) for _ in range(2)])

    def forward(self, x):
        q = self.maps[0](x).view(*x.shape[:2], self.heads, -1).transpose(1, 2)
        return self.maps[1]((q @ q.transpose(-2, -1)).softmax(-1).matmul(q).transpose(1, 2).flatten(2))

class Net(nn.Module):
    def __init__(self, attention, words, out):
        super().__init__()
        self.attention = attention
        self.words = words
        self.out = out

    def forward(self, i):
        return self.out(self.attention(self.words(i)))

def make(n_words, width=8, heads=2):
    return Net(Attention(heads, width), nn.Embedding(n_words, width), nn.Linear(width, n_words))
""", "make(13)", ("int", (2, 4), 13))

# ---- arrays that nobody has ---------------------------------------------------

case("words_of_another_file", """
import numpy as np
import pandas as pd

class Net(nn.Module):
    def __init__(self, path, hidden):
        super().__init__()
        table = pd.read_csv(path, sep=" ").values[:, 1:]
        rows, cols = table.shape
        table = torch.from_numpy(np.concatenate([np.zeros((1, cols)), table], axis=0).astype(np.float32))
        self.words = nn.Embedding(rows + 1, cols).from_pretrained(table)
        self.rnn = nn.GRU(cols, hidden, batch_first=True)

    def forward(self, i):
        return self.rnn(self.words(i))[1][0]
""", "Net()", ("int", (2, 4), 11), plain="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.rnn = nn.GRU(6, 5, batch_first=True)

    def forward(self, i):
        return self.rnn(self.words(i))[1][0]
""")

case("matrix_as_an_argument", """
class Net(nn.Module):
    def __init__(self, embedding_matrix, hidden=4):
        super().__init__()
        self.words = nn.Embedding.from_pretrained(torch.FloatTensor(embedding_matrix))
        self.again = nn.Parameter(torch.tensor(embedding_matrix, dtype=torch.float32))
        self.out = nn.Linear(embedding_matrix.shape[1], hidden)

    def forward(self, i):
        return self.out(self.words(i) + F.embedding(i, self.again))
""", "Net(torch.randn(9, 6).tolist())", ("int", (2, 4), 9), plain="""
class Net(nn.Module):
    def __init__(self, m, hidden=7):
        super().__init__()
        self.words = nn.Embedding(9, 6)
        self.again = nn.Parameter(torch.zeros(9, 6))
        self.out = nn.Linear(6, hidden)

    def forward(self, i):
        return self.out(self.words(i) + F.embedding(i, self.again))
""")

case("graph_that_is_not_here", """
from skeleton.graph import Graph

class Net(nn.Module):
    def __init__(self, channels, classes, weighting):
        super().__init__()
        self.graph = Graph(layout="hand")
        A = torch.tensor(self.graph.A, dtype=torch.float32, requires_grad=False)
        self.register_buffer("A", A)
        self.norm = nn.BatchNorm1d(channels * A.size(1))
        self.lift = nn.Conv2d(channels, 4 * A.size(0), 1)
        self.weight = nn.Parameter(torch.ones(self.A.size())) if weighting else 1
        self.out = nn.Linear(4, classes)

    def forward(self, x):
        n, c, t, v = x.shape
        x = self.norm(x.permute(0, 3, 1, 2).reshape(n, v * c, t)).view(n, v, c, t).permute(0, 2, 3, 1)
        x = self.lift(x).view(n, -1, 4, t, v)
        x = torch.einsum("nkctv,kvw->nctw", x, self.A * self.weight)
        return self.out(x.mean([2, 3]))
""", "Net(2, 5, True)", (2, 2, 6, 7), plain="""
class Net(nn.Module):
    def __init__(self, channels, classes, weighting):
        super().__init__()
        self.register_buffer("A", torch.rand(3, 7, 7))
        self.norm = nn.BatchNorm1d(channels * 7)
        self.lift = nn.Conv2d(channels, 12, 1)
        self.weight = nn.Parameter(torch.ones(3, 7, 7))
        self.out = nn.Linear(4, classes)

    def forward(self, x):
        n, c, t, v = x.shape
        x = self.norm(x.permute(0, 3, 1, 2).reshape(n, v * c, t)).view(n, v, c, t).permute(0, 2, 3, 1)
        x = self.lift(x).view(n, -1, 4, t, v)
        x = torch.einsum("nkctv,kvw->nctw", x, self.A * self.weight)
        return self.out(x.mean([2, 3]))
""")

case("sides_of_a_board", """
class Net(nn.Module):
    def __init__(self, game, args):
        self.x, self.y = game.getBoardSize()
        self.moves = game.getActionSize()
        self.args = args
        super().__init__()
        self.conv = nn.Conv2d(1, args.channels, 3)
        self.pi = nn.Linear(args.channels * (self.x - 2) * (self.y - 2), self.moves)

    def forward(self, s):
        s = F.relu(self.conv(s.view(-1, 1, self.x, self.y)))
        return F.log_softmax(self.pi(F.dropout(s.flatten(1), self.args.dropout, self.training)), 1)
""", "Net(types.SimpleNamespace(getBoardSize=lambda: (5, 5), getActionSize=lambda: 26), types.SimpleNamespace(channels=4, dropout=0.3))", (2, 5, 5))

case("windows_of_two_lengths", """
class Net(nn.Module):
    def __init__(self, args, data):
        super().__init__()
        self.window = args.window
        self.near = args.highway_window
        self.far = nn.Linear(args.window * data.m, data.m)
        self.highway = nn.Linear(self.near, 1)

    def forward(self, x):
        near = self.highway(x[:, -self.near:, :].transpose(1, 2)).squeeze(2)
        return near + self.far(x.reshape(-1, self.window * x.size(2)))
""", "Net(types.SimpleNamespace(window=9, highway_window=4), types.SimpleNamespace(m=3))", (2, 9, 3))

# ---- words of Python and numpy -------------------------------------------------

case("hooks", """
from math import sqrt

class Scaled:
    def __init__(self, name):
        self.name = name

    @staticmethod
    def apply(module, name):
        weight = getattr(module, name)
        del module._parameters[name]
        module.register_parameter(name + "_raw", nn.Parameter(weight.data))
        module.register_forward_pre_hook(Scaled(name))

    def __call__(self, module, input):
        raw = getattr(module, self.name + "_raw")
        setattr(module, self.name, raw * sqrt(2 / raw[0].numel()))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv1d(2, 4, 3)
        Scaled.apply(self.a, "weight")
        self.b = nn.Linear(4, 3)
        self.seen = {}
        self.a.register_forward_hook(lambda module, args, out: self.seen.update(a=out.mean(2)))
        self.b.register_forward_hook(lambda module, args, out: out * 2)

    def forward(self, x):
        y = self.b(self.a(x).amax(2))
        return y, self.seen["a"]
""", "Net()", (2, 2, 7))

case("words_of_python", """
import itertools, math, operator, string
import logging
import numpy as np
from collections import namedtuple

logger = logging.getLogger(__name__)
Parts = namedtuple("Parts", ["low", "high"])

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        logger.info("letters: %d", len(string.ascii_lowercase))
        self.pairs = list(itertools.combinations(range(3), 2)) + list(itertools.product([0], [1, 2]))
        self.sizes = np.array([2, 4, 8])
        n = self.sizes[0]
        n += self.sizes[2]
        self.a = nn.Linear(int(self.sizes[0]), int(n))
        self.b = nn.Conv1d(4, 6, 1, groups=math.gcd(4, 6))
        self.offsets = np.array((0, *np.cumsum([2, 3, 4])[:-1]), dtype=np.longlong)
        self.mask = nn.Parameter(torch.from_numpy(np.array([[0, 1], [1, 0]] * 2).astype(np.float32)), requires_grad=False)
        self.reach = math.comb(5, 2) + math.isqrt(17) + sum(itertools.accumulate([1, 2, 3]))
        self.first = operator.itemgetter(0)

    def forward(self, x):
        x = x + x.new_tensor(self.offsets[:1]) + self.mask[3]
        y = torch.stack([x[:, i % 2] * x[:, j % 2] for i, j in self.pairs], 1)[:, :4, None]
        p = Parts(low=self.a(x), high=self.b(y))
        return p[0] + self.reach, self.first(p[1].split(split_size=4, dim=1)), len(p) * p.low
""", "Net()", (3, 2))

case("densities", """
from torch import distributions

class Net(nn.Module):
    def __init__(self, prior):
        super().__init__()
        self.prior = prior
        self.a = nn.Linear(2, 2)
        self.p = nn.Linear(2, 3)

    def forward(self, x):
        b = distributions.Bernoulli(logits=self.p(x))
        n = distributions.Independent(distributions.Normal(self.a(x), torch.ones(2)), 1)
        return self.prior.log_prob(self.a(x)), b.log_prob((x[:, :1] > 0).float()), b.entropy(), n.log_prob(x)

prior = distributions.MultivariateNormal(torch.tensor([0.5, -1.0]), torch.tensor([[2.0, 0.6], [0.6, 1.0]]))
net = Net(prior)
""", "net", (4, 2))

case("odd_sizes_up", """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(1, 2, 3, padding=1)
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)

    def forward(self, x):
        y = self.c(x)
        return torch.cat([F.interpolate(self.pool(y), size=y.shape[2:], mode=m) for m in ("nearest", "bilinear")] + [y], 1)
""", "Net()", (1, 1, 21, 43))

case("classes_built_on_dict", """
class Settings(dict):
    def __init__(self, *args, **kwargs):
        super(Settings, self).__init__(*args, **kwargs)
        self.__dict__ = self

class Other(dict):
    __getattr__ = dict.get
    __setattr__ = dict.__setitem__

s = Settings({"rates": [2, 3], "width": 6})
o = Other()
o.kernel = 3
o.inner = Other({"bias": False})

class Net(nn.Module):
    def __init__(self, s, o):
        super().__init__()
        self.rates = len(s.rates)
        self.layers = nn.ModuleList([nn.Conv1d(2 if i == 0 else s.width, s["width"], o.kernel, dilation=r, bias=o.inner.bias) for i, r in enumerate(s.rates)])
        assert "width" in s and isinstance(s, dict) and sorted(s.keys()) == ["rates", "width"]

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x / self.rates

net = Net(s, o)
""", "net", (1, 2, 16))

case("registered_by_decorators", """
class Registry:
    def __init__(self):
        self._classes = {}

    def register(self, name=None):
        def keep(cls):
            self._classes[name or cls.__name__] = cls
            return cls
        return keep

    def build(self, cfg):
        args = cfg.copy()
        return self._classes[args.pop("type")](**args)

BODIES, HEADS = Registry(), Registry()

@BODIES.register()
class Body(nn.Module):
    widths = {18: (4, 6), 34: (4, 8)}

    def __init__(self, depth, act=dict(type="ReLU", inplace=True)):
        super().__init__()
        c = 3
        for i, w in enumerate(self.widths[depth]):
            self.add_module(f"stage{i}", nn.Sequential(nn.Conv2d(c, w, 3), getattr(nn, act["type"])(inplace=act.get("inplace", False))))
            c = w

    def forward(self, x):
        for i in range(2):
            x = getattr(self, f"stage{i}")(x)
        return x

@HEADS.register("linear")
class Head(nn.Module):
    def __init__(self, classes, width):
        super().__init__()
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        return self.fc(x.mean((2, 3)))

class Net(nn.Module):
    def __init__(self, body, head):
        super().__init__()
        self.body = BODIES.build(body)
        self.head = HEADS.build(head)

    def forward(self, x):
        return self.head(self.body(x))

model = Net(dict(type="Body", depth=34), dict(type="linear", classes=5, width=8))
""", "model", (1, 3, 9, 9))

case("the_files_word_before_the_default", """
import pytorch_lightning as pl

class Net(pl.LightningModule):
    def __init__(self, features: int, hidden=(8, 4), classes: int = 10, activation: str = "relu", norm: bool = False):
        super().__init__()
        self.save_hyperparameters()
        layers, n = [], self.hparams.features
        for h in self.hparams.hidden:
            layers.append(nn.Linear(n, h))
            if self.hparams.norm:
                layers.append(nn.BatchNorm1d(h))
            layers.append({"relu": nn.ReLU, "tanh": nn.Tanh}[self.hparams.activation]())
            n = h
        self.layers = nn.Sequential(*layers, nn.Linear(n, classes))
        self.loss = nn.CrossEntropyLoss(weight=torch.ones(classes))

    def forward(self, x):
        return self.layers(x)
""", "Net()", (3, 5), plain="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3))
        self.loss = nn.CrossEntropyLoss(weight=torch.ones(3))

    def forward(self, x):
        return self.layers(x)
""", wrap=lambda sd: {"state_dict": sd, "hyper_parameters": {"features": 5, "hidden": (6,), "classes": 3, "activation": "tanh", "norm": True},
                      "optimizer_states": [{"hyper": {"activation": "relu", "classes": 9}}]})

case("another_of_its_state_dicts", """
class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 3)
        self.b = nn.Linear(3, 1)

    def forward(self, x):
        return self.b(F.leaky_relu(self.a(x)))
""", "Critic()", (2, 4), wrap=lambda sd: {"step": 3, "mean": torch.zeros(4), "generator": {k: torch.zeros(2, 2) for k in "abcdefgh"}, "critic": sd})

case("what_fills_in_weights", """
import numpy as np
from torch.nn.modules.utils import _pair

def bilinear(c, k):
    grid = np.ogrid[:k, :k]
    weight = np.zeros((c, c, k, k), dtype=np.float64)
    weight[range(c), range(c), :, :] = (1 - abs(grid[0] - 1.5) / 2) * (1 - abs(grid[1] - 1.5) / 2)
    return torch.from_numpy(weight).float()

class Net(nn.Module):
    def __init__(self, path="start.npz"):
        super(Net, self).__init__()
        self.size = _pair(3)
        self.conv = nn.Conv2d(1, 2, self.size)
        self.up = nn.ConvTranspose2d(2, 2, 4, stride=2, bias=False)
        self.code = nn.Parameter(torch.zeros(3, 2))
        self._initialize_weights(path)

    def _initialize_weights(self, path):
        self.up.weight.data.copy_(bilinear(2, 4))
        self.code.data.copy_(torch.linalg.lstsq(torch.rand(5, 3), torch.rand(5, 2)).solution)
        start = np.load(path)
        for name, p in self.named_parameters():
            p.data.copy_(torch.from_numpy(start[name].reshape(p.shape)))

    def forward(self, x):
        adjacency = torch.eye(3)
        return self.up(self.conv(x)), torch.spmm(adjacency, self.code)
""", "Net()", (1, 1, 6, 6), plain="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.up = nn.ConvTranspose2d(2, 2, 4, stride=2, bias=False)
        self.code = nn.Parameter(torch.zeros(3, 2))

    def forward(self, x):
        return self.up(self.conv(x)), self.code + 0
""")

case("numbers_in_a_list", """
class Net(nn.Module):
    def __init__(self, width, attention_at, depth=3):
        super().__init__()
        self.steps = nn.ModuleList()
        for i in range(depth):
            part = [nn.Linear(width, width)]
            if i in attention_at:
                part.append(nn.MultiheadAttention(width, 2, batch_first=True))
            self.steps.append(nn.ModuleList(part))

    def forward(self, x):
        for part in self.steps:
            x = torch.tanh(part[0](x))
            for a in list(part)[1:]:
                x = x + a(x, x, x)[0]
        return x
""", "Net(4, [0, 2])", (2, 3, 4))

case("a_synchronized_norm", """
from modules.sync import SynchronizedBatchNorm2d

class Net(nn.Module):
    def __init__(self, norm=SynchronizedBatchNorm2d):
        super().__init__()
        self.a = nn.Conv2d(1, 3, 3)
        self.n = norm(3)
        for m in self.modules():
            if isinstance(m, SynchronizedBatchNorm2d):
                m.weight.data.fill_(1)

    def forward(self, x):
        return F.relu(self.n(self.a(x)))
""", "Net()", (1, 1, 5, 5), plain="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(1, 3, 3)
        self.n = nn.BatchNorm2d(3)

    def forward(self, x):
        return F.relu(self.n(self.a(x)))
""")

case("rotations_as_complex_numbers", """
class Net(nn.Module):
    def __init__(self, width=8, longest=16):
        super().__init__()
        self.q = nn.Linear(width, width, bias=False)
        angles = torch.outer(torch.arange(longest).float(), 10000.0 ** (-torch.arange(0, width, 2).float() / width))
        self.turns = torch.polar(torch.ones_like(angles), angles)
        self.register_buffer("back", torch.complex(angles.cos(), angles.sin()).conj(), persistent=False)

    def forward(self, x):
        z = torch.view_as_complex(self.q(x).float().reshape(*x.shape[:-1], -1, 2))
        turned = z * self.turns.to(x.device)[: x.shape[1]].view(1, *z.shape[1:])
        same = torch.view_as_real(turned * self.back[: x.shape[1]]).flatten(2)
        return torch.view_as_real(turned).flatten(2).type_as(x), same, turned.abs(), (2 * turned + z - -z).imag
""", "Net()", (2, 5, 8))

case("records_at_the_top", """
from enum import Enum
from torchvision.models._utils import IntermediateLayerGetter

class Kind(Enum):
    NARROW = "narrow"
    WIDE = "wide"

settings = {
    Kind.NARROW.value: dict(layers=2, width=3, layers_out={"a": "x", "b": "y"}, activation="relu"),
    Kind.WIDE.value: dict(layers=2, width=5, layers_out={"a": "x", "b": "y"}, activation="tanh", pool=2),
}

class Body(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a = nn.Conv1d(1, width, 3)
        self.b = nn.Conv1d(width, width, 3)
        self.c = nn.Conv1d(width, 99, 3)

class Net(nn.Module):
    def __init__(self, config=None, phase="train"):
        super().__init__()
        self.body = IntermediateLayerGetter(Body(config["width"]), config["layers_out"])
        self.act = {"relu": torch.relu, "tanh": torch.tanh}[config["activation"]]
        if "pool" in config:
            self.pool = nn.AvgPool1d(config["pool"])

    def forward(self, x):
        out = self.body(x)
        y = self.act(out["x"]).sum(2) + self.act(out["y"]).sum(2)
        if hasattr(self, "pool"):
            y = self.pool(y)
        base = y.new_zeros(4, y.shape[1])
        return base.index_add_(0, torch.tensor([0, 2, 0]), y)
""", "Net(settings['wide'])", (3, 1, 9))


def tensors(spec):
    if spec[0] == "int":
        return torch.randint(0, spec[2], spec[1])
    if spec[0] == "double":
        return torch.randn(spec[1]).double()
    if spec[0] == "values":
        return torch.tensor(spec[1])
    return tuple(torch.randn(s) for s in spec) if isinstance(spec[0], tuple) else torch.randn(spec)


def flat(v):
    if isinstance(v, torch.Tensor):
        return [v]
    v = list(v.values()) if isinstance(v, dict) else v
    return [t for m in v for t in flat(m)]


def record(name, add):
    source, make, inputs, wrap, plain, shape = CASES[name]
    space = {"types": types}
    torch.manual_seed(len(name))
    cut = plain.split("\nenv =")[0].split("\ndata, seq_len")[0].replace("import gym\n", "")
    exec(compile(cut, name, "exec"), space)
    m = eval(make, space).eval()
    for key, t in m.state_dict().items():
        if t.dtype == torch.float32 and key != "mask":
            t.copy_(torch.rand(t.shape) + 0.5 if key.endswith("running_var") else torch.randn(t.shape) * 0.5)
    xs = [tensors(i) for i in inputs]
    with torch.no_grad():
        ys = flat(m(*xs))
    xs, buffer = flat(xs), io.BytesIO()
    torch.save(wrap(m.state_dict()) if wrap else m.state_dict(), buffer)
    add(name + ".pth", buffer.getvalue())
    buffer = io.BytesIO()
    np.savez(buffer, **{f"x{i}": x.numpy() for i, x in enumerate(xs)}, **{f"y{i}": y.numpy() for i, y in enumerate(ys)})
    add(name + ".npz", buffer.getvalue())
    add(name + ".py", source.encode())
    described = ";".join(",".join(map(str, x.shape)) + ":" + str(x.dtype)[6:] for x in xs)
    add(name + ".json", json.dumps({"code": "net.py", "input": shape or described}).encode())


def main():
    with tarfile.open(sys.argv[1], "w:xz") as out:
        def add(name, data):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
        for name in CASES:
            record(name, add)


if __name__ == "__main__":
    main()
