import torch
import torch.nn as nn
import torch.nn.functional as F

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
