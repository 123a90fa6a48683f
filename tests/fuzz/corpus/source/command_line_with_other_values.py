import torch
import torch.nn as nn
import torch.nn.functional as F

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
