#!/usr/bin/python3
"""Writes the PyTorch files of tests/fixtures/torch with the real framework
(Debian's python3-torch): one small network in every container."""
import pathlib

import torch
import torch.nn as nn

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures/torch"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.fc = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(torch.relu(self.bn(self.conv(x))).mean((2, 3)))


torch.manual_seed(0)
m = Net().eval()
old = {"_use_new_zipfile_serialization": False}
torch.save(m.state_dict(), OUT / "sd.pth")
torch.save(m.state_dict(), OUT / "sd_old.pth", **old)
torch.save(m, OUT / "mod.pth")
torch.save(m, OUT / "mod_old.pth", **old)
torch.save({"epoch": 3, "model_state_dict": m.state_dict(),
            "opt": torch.optim.SGD(m.parameters(), 0.1, momentum=0.9).state_dict()}, OUT / "ck.pth")
torch.jit.trace(m, torch.zeros(1, 1, 8, 8)).save(str(OUT / "tr.pt"))
t = torch.arange(24.).reshape(4, 6).t()[1:, ::2]
torch.save({"v": t, "h": t.half(), "b": t.bfloat16()}, OUT / "views.pth")
