import torch
import torch.nn as nn
import torch.nn.functional as F

import numpy as np
import gym


class Net(nn.Module):
    def __init__(self, shape, n_actions):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(shape[0], 4, 3, 2), nn.ReLU(), nn.Conv2d(4, 6, 3))
        size = int(np.prod(self.conv(torch.zeros(1, *shape)).size()))
        self.fc = nn.Linear(size, n_actions)

    def forward(self, x):
        return self.fc(self.conv(x.float() / 255).view(x.size(0), -1))


env = gym.make("Some-v0")
net = Net(env.observation_space.shape, env.action_space.n)
