#!/usr/bin/python3
"""Architectures of transformers with random weights: torch_transformers.py DIR
writes NAME.trace.pt, NAME.pt2, NAME.npz. Small configurations: what is compared
is the program, not the size. The first result of each model is kept."""
import pathlib
import sys
import warnings

import numpy as np
import torch
import transformers

TEXT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 50, "max_position_embeddings": 32}
IMAGE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 32, "patch_size": 8, "num_labels": 4}
# name: kind of input, model, configuration, its options
MODELS = {
    "bert": ("ids", "BertModel", "BertConfig", TEXT),
    "bert_cls": ("ids", "BertForSequenceClassification", "BertConfig", {**TEXT, "num_labels": 3}),
    "roberta": ("ids", "RobertaModel", "RobertaConfig", TEXT),
    "distilbert": ("ids", "DistilBertModel", "DistilBertConfig", {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50, "max_position_embeddings": 32}),
    "albert": ("ids", "AlbertModel", "AlbertConfig", {**TEXT, "embedding_size": 8}),
    "electra": ("ids", "ElectraModel", "ElectraConfig", {**TEXT, "embedding_size": 8}),
    "gpt2": ("ids", "GPT2LMHeadModel", "GPT2Config", {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50, "n_positions": 32}),
    "llama": ("ids", "LlamaForCausalLM", "LlamaConfig", {**TEXT, "num_key_value_heads": 2}),
    "mistral": ("ids", "MistralForCausalLM", "MistralConfig", {**TEXT, "num_key_value_heads": 1}),
    "qwen2": ("ids", "Qwen2ForCausalLM", "Qwen2Config", {**TEXT, "num_key_value_heads": 1}),
    "t5enc": ("ids", "T5EncoderModel", "T5Config", {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2, "vocab_size": 50}),
    "vit": ("image", "ViTForImageClassification", "ViTConfig", IMAGE),
    "swin": ("image", "SwinForImageClassification", "SwinConfig",
             {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [2, 2], "num_heads": [1, 2], "window_size": 4, "num_labels": 4}),
    "convnext": ("image", "ConvNextForImageClassification", "ConvNextConfig", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2, "num_labels": 4}),
    "resnet": ("image", "ResNetForImageClassification", "ResNetConfig", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "num_labels": 4}),
    "wav2vec2": ("audio", "Wav2Vec2Model", "Wav2Vec2Config",
                 {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "conv_dim": [8, 8], "conv_stride": [5, 2],
                  "conv_kernel": [10, 3], "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}),
}


class First(torch.nn.Module):
    """Programs return tensors, not the dataclasses of transformers."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)[0]


def record(folder, name):
    kind, model, config, options = MODELS[name]
    torch.manual_seed(0)
    m = getattr(transformers, model)(getattr(transformers, config)(**options)).eval()
    m.config.use_cache = False
    x = {"ids": lambda: torch.randint(2, 50, (2, 10)), "image": lambda: torch.randn(2, 3, 32, 32), "audio": lambda: torch.randn(2, 400)}[kind]()
    w = First(m).eval()
    with torch.no_grad():
        np.savez(folder / f"{name}.npz", x0=x.numpy(), y0=w(x).numpy())
    torch.jit.trace(w, (x,), strict=False, check_trace=False).save(str(folder / f"{name}.trace.pt"))
    torch.export.save(torch.export.export(w, (x,)), folder / f"{name}.pt2")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for each in MODELS:
        record(out, each)
        print(each, flush=True)
