import torch
import torch.nn as nn
import torch.nn.functional as F

import pytorch_lightning as pl
from torchmetrics import Accuracy


class Net(pl.LightningModule):
    def __init__(self, n_in: int, width: int = 16, **kwargs):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(n_in, self.hparams.width), nn.ReLU(), nn.Linear(width, 3))
        self.accuracy = Accuracy(task="multiclass", num_classes=3)

    def forward(self, x):
        return self.net(x).softmax(-1)

    def training_step(self, batch, i):
        self.log("accuracy", self.accuracy(self(batch[0]), batch[1]))
