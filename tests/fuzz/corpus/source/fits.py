import torch.nn as nn
class Net(nn.Module):
    def __init__(self, a, b, flag, kind, sizes):
        super().__init__()
        if flag or kind == "x" or len(sizes) > 3:
            raise ValueError(sizes[0])
        self.fc = nn.Linear(a, b)
    def forward(self, x):
        return self.fc(x)
