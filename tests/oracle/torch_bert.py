#!/usr/bin/python3
"""Classes that people build around models of the transformers package:
torch_bert.py DIR, or FILE.tar.xz, writes for each NAME.py (the class), NAME.pth
(state_dict), NAME.npz (inputs and answers) and NAME.json (import.json beside a
model). What from_pretrained() would fetch is a small model with random weights
of few different values, so that the archive is small."""
import io
import json
import pathlib
import sys
import tarfile
import types
import warnings

import numpy as np
import torch
import transformers

warnings.filterwarnings("ignore")
SIZES = {"vocab_size": 24, "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48, "max_position_embeddings": 16}
BERT = transformers.BertConfig(**SIZES)
ROBERTA = transformers.RobertaConfig(**{**SIZES, "max_position_embeddings": 18, "type_vocab_size": 1})
DISTIL = transformers.DistilBertConfig(vocab_size=24, dim=128, n_layers=2, n_heads=2, hidden_dim=48, max_position_embeddings=16)


class Bert(transformers.BertModel):
    @classmethod
    def from_pretrained(cls, name, **options):
        return cls(BERT, **{k: v for k, v in options.items() if k == "add_pooling_layer"})


class Roberta(transformers.RobertaModel):
    @classmethod
    def from_pretrained(cls, name, **options):
        return cls(ROBERTA)


class Distil(transformers.DistilBertModel):
    @classmethod
    def from_pretrained(cls, name, **options):
        return cls(DISTIL)


HEAD = "import torch\nimport torch.nn as nn\n"
CASES = {
    "pooled": ("""from transformers import BertModel, BertTokenizer

NAME = "./pretrained"
tokenizer = BertTokenizer.from_pretrained(NAME)


class Net(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.bert = BertModel.from_pretrained(NAME)
        for p in self.bert.parameters():
            p.requires_grad = False
        self.out = nn.Linear(self.bert.config.hidden_size, n_classes)

    def forward(self, input_ids, attention_mask, token_type_ids):
        _, pooled = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids, return_dict=False)
        return self.out(pooled)
""", "Net(3)", 3),
    "tagger": ("""from transformers import BertModel, BertConfig


class Net(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.bert = BertModel.from_pretrained(args.model, add_pooling_layer=False)
        self.rnn = nn.GRU(self.bert.config.hidden_size, 5, batch_first=True, bidirectional=True)
        self.tags = nn.Linear(10, args.tags)

    def forward(self, ids):
        out = self.bert(ids, output_hidden_states=True)
        return self.tags(self.rnn(out.last_hidden_state)[0]), torch.stack(out.hidden_states[-2:]).mean(0)
""", "Net(types.SimpleNamespace(model='x', tags=4))", 1),
    "mean_of_words": ("""from transformers import AutoModel


class Net(nn.Module):
    def __init__(self, n_classes=10):
        super().__init__()
        self.model = AutoModel.from_pretrained("somebody/small-roberta")
        self.out = nn.Linear(self.model.config.hidden_size, n_classes)

    def forward(self, input_ids, attention_mask):
        words = self.model(input_ids, attention_mask=attention_mask)[0]
        weight = attention_mask.unsqueeze(-1).expand(words.size()).float()
        return self.out((words * weight).sum(1) / weight.sum(1).clamp(min=1e-9))
""", "Net(3)", 2),
    "distilled": ("""from transformers import DistilBertModel


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = DistilBertModel.from_pretrained("distilbert-base-uncased")
        self.out = nn.Linear(self.words.config.dim, 2)

    def forward(self, input_ids, attention_mask):
        return self.out(self.words(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state[:, 0])
""", "Net()", 2),
}


def record(name, add):
    source, make, n = CASES[name]
    space = {"torch": torch, "nn": torch.nn, "types": types, "BertModel": Bert, "AutoModel": Roberta, "DistilBertModel": Distil}
    exec("\n".join(line for line in source.split("\n") if not line.startswith(("from transformers", "tokenizer"))), space)
    torch.manual_seed(len(name))
    m = eval(make, space).eval()
    for t in m.state_dict().values():
        if t.dtype == torch.float32:
            t.copy_((torch.randn(t.shape) * 3).round() / 32)
    ids = torch.randint(2, 24, (2, 7))
    mask = torch.ones(2, 7, dtype=torch.long)
    ids[1, 5:], mask[1, 5:] = 1 if name == "mean_of_words" else 0, 0
    xs = [ids, mask, torch.tensor([[0, 0, 0, 1, 1, 1, 1]] * 2)][:n]
    with torch.no_grad():
        y = m(*xs)
    ys, buffer = [y] if isinstance(y, torch.Tensor) else list(y), io.BytesIO()
    torch.save(m.state_dict(), buffer)
    add(name + ".pth", buffer.getvalue())
    buffer = io.BytesIO()
    np.savez(buffer, **{f"x{i}": x.numpy() for i, x in enumerate(xs)}, **{f"y{i}": y.numpy() for i, y in enumerate(ys)})
    add(name + ".npz", buffer.getvalue())
    add(name + ".py", (HEAD + source).encode())
    add(name + ".json", json.dumps({"code": "net.py", "input": ";".join(["2,7:int64"] * n)}).encode())


def main():
    to = pathlib.Path(sys.argv[1])
    if to.name.endswith(".tar.xz"):
        with tarfile.open(to, "w:xz") as out:
            def add(name, data):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                out.addfile(info, io.BytesIO(data))
            for name in CASES:
                record(name, add)
        return
    to.mkdir(exist_ok=True)
    for name in CASES:
        record(name, lambda file, data: (to / file).write_bytes(data))


if __name__ == "__main__":
    main()
