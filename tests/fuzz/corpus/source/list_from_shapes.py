import torch
import torch.nn as nn
import torch.nn.functional as F

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
