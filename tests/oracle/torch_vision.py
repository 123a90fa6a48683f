#!/usr/bin/python3
"""Constructors of torchvision with random weights: torch_vision.py record DIR
writes NAME.pth, NAME.trace.pt, NAME.script.pt, NAME.npz. Heads that are
initialised with zeros are made random, else every answer would be 0."""
import pathlib
import sys
import warnings

import numpy as np

NAMES = ("alexnet squeezenet1_0 squeezenet1_1 densenet121 densenet169 googlenet inception_v3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small mnasnet0_5 mnasnet0_75 "
         "mnasnet1_0 mnasnet1_3 resnet18 resnet34 resnet50 resnext50_32x4d wide_resnet50_2 shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 "
         "vgg11 vgg11_bn vgg13 efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_v2_s regnet_y_400mf regnet_y_800mf regnet_y_1_6gf "
         "regnet_x_400mf regnet_x_800mf regnet_x_1_6gf convnext_tiny convnext_small vit_b_16 vit_b_32 swin_t swin_s swin_v2_t maxvit_t fcn_resnet50 deeplabv3_resnet50 "
         "resnet101 resnet152 resnext101_32x8d densenet161 densenet201 efficientnet_b4 efficientnet_b5 efficientnet_v2_m regnet_y_3_2gf regnet_x_3_2gf regnet_x_8gf "
         "convnext_base deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large").split()


def make(name):
    import torch
    import torchvision
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if hasattr(torchvision.models, name):
        m = getattr(torchvision.models, name)(weights=None, **options)
    else:
        m = getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None, **({} if name[0] == "l" else {"aux_loss": True}))
    torch.manual_seed(1)
    for p in m.parameters():
        if p.abs().sum() == 0:
            torch.nn.init.normal_(p, std=0.05)
    for key, b in m.named_buffers():
        if key.endswith("running_mean"):
            b.normal_(std=0.1)
        if key.endswith("running_var"):
            b.uniform_(0.5, 1.5)
    return m.eval()


def record(folder):
    import torch
    warnings.filterwarnings("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        if (folder / f"{name}.npz").exists():
            continue
        torch.manual_seed(0)
        with torch.no_grad():
            m = make(name)
            size = 299 if name == "inception_v3" else 224 if name[:3] in ("vit", "swi", "max") else 64 if name[:3] in ("fcn", "dee", "lra") else 96
            x = torch.randn(2, 3, size, size)
            y = m(x)
            y = [y] if isinstance(y, torch.Tensor) else list(y.values()) if isinstance(y, dict) else list(y)[:1]
            torch.jit.trace(m, x[:1], strict=False).save(str(folder / f"{name}.trace.pt"))
            torch.jit.script(m).save(str(folder / f"{name}.script.pt"))
            torch.save(m.state_dict(), folder / f"{name}.pth")
        np.savez(folder / f"{name}.npz", x0=x.numpy(), **{f"y{i}": t.numpy() for i, t in enumerate(y)})
        print(name, flush=True)


if __name__ == "__main__":
    record(pathlib.Path(sys.argv[2]))
