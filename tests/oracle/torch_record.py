#!/usr/bin/python3
"""Runs the cases of torch_cases.py with the real framework: torch_record.py DIR
[NAME...]. For each: NAME.py (the class), NAME.pth (state_dict), NAME.npz
(inputs and outputs) and, where PyTorch can make them, NAME.trace.pt,
NAME.script.pt, NAME.module.pth and NAME.pt2."""
import importlib.util
import json
import pathlib
import sys
import warnings

import numpy as np
import torch

import torch_cases

warnings.filterwarnings("ignore")


def flat(y):
    if isinstance(y, torch.Tensor):
        return [y]
    if isinstance(y, dict):
        y = list(y.values())
    return [t for v in y for t in flat(v)] if isinstance(y, (list, tuple)) else []


def class_of(space, init):
    classes = [v for v in space.values() if isinstance(v, type) and issubclass(v, torch.nn.Module) and v.__module__ == "case"]
    return (space["Net"] if "Net" in space else space["make"] if "make" in space and init is None else classes[-1])


def record(name, out):
    source, inputs, init = torch_cases.CASES[name]
    torch.manual_seed(len(name))
    (out / f"{name}.py").write_text(source)  # torch.jit.script reads the file
    spec = importlib.util.spec_from_file_location("case", out / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["case"] = module
    spec.loader.exec_module(module)
    m = class_of(vars(module), init)(**(init or {})).eval()
    for key, t in m.state_dict().items():
        if t.dtype == torch.float32 and not key.endswith(".pe") and not key.endswith("attn.bias"):
            t.copy_(torch.rand(t.shape) + 0.5 if key.endswith("running_var") else torch.randn(t.shape) * 0.5)
    xs = [torch.randint(0, i[1], i[0]) if isinstance(i[0], list) else torch.randn(i) for i in inputs]
    with torch.no_grad():
        ys = flat(m(*[x.clone() for x in xs]))
    torch.save(m.state_dict(), out / f"{name}.pth")
    np.savez(out / f"{name}.npz", **{f"x{i}": x.numpy() for i, x in enumerate(xs)}, **{f"y{i}": y.numpy() for i, y in enumerate(ys)})
    (out / f"{name}.json").write_text(json.dumps({"init": init}))
    for kind, make in (("trace.pt", lambda: torch.jit.trace(m, tuple(x.clone() for x in xs), strict=False, check_trace=False).save(str(out / f"{name}.trace.pt"))),
                       ("script.pt", lambda: torch.jit.script(m).save(str(out / f"{name}.script.pt")))):
        try:
            make()
        except Exception as e:
            if kind == "trace.pt":
                print(f"{name}: no {kind}: {str(e).splitlines()[0][:100]}")
    if hasattr(torch, "export") and "pt2" in sys.argv:
        try:
            torch.export.save(torch.export.export(m, tuple(xs)), out / f"{name}.pt2")
        except Exception as e:
            print(f"{name}: no pt2: {str(e).splitlines()[0][:100]}")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    names = [a for a in sys.argv[2:] if a != "pt2"] or list(torch_cases.CASES)
    for case in names:
        try:
            record(case, folder)
        except Exception as e:
            print(f"{case}: {type(e).__name__}: {str(e)[:150]}")
