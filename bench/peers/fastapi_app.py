"""The usual recipe: FastAPI, a `def` handler, torch, default logging."""
import os

import torch
from fastapi import FastAPI
from pydantic import BaseModel  # noqa: F401  (the recipe imports it)

torch.set_num_threads(1)
torch.manual_seed(0)
KIND = os.environ["BENCH_MODEL"]


class Cnn(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(1, 8, 5, padding=2)
        self.c2 = torch.nn.Conv2d(8, 16, 5, padding=2)
        self.fc = torch.nn.Linear(256, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.c1(x.reshape(-1, 1, 28, 28))), 2)
        x = torch.max_pool2d(torch.relu(self.c2(x)), 3)
        return self.fc(x.flatten(1))


if KIND == "cnn":
    model = Cnn()
elif KIND == "image":
    class Mean(torch.nn.Module):
        def forward(self, x):
            return x.mean(dim=(2, 3))
    model = Mean()
else:
    model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
model.eval()
app = FastAPI()


@app.post("/predict")
def predict(data: list):
    with torch.no_grad():
        return {"predict_result": model(torch.tensor(data, dtype=torch.float32)).tolist()}
