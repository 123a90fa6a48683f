import torch
import torch.nn as nn
import torch.nn.functional as F

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
