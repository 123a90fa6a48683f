import torch
import torch.nn as nn
import torch.nn.functional as F

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
