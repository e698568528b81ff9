"""Writes optim.json: torch.optim.AdamW with gradient clipping, and the default nn.Linear bound.

    python3 make_optim.py

Committed numbers: Python 3.11.7, PyTorch 2.13.0 (CPU), transformers 5.18.0, seed 2024, 2026-11-26.
"""

import json
import os

import torch

torch.manual_seed(2024)
SETTINGS = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-6, "weightDecay": 0.05}
RATES = [0.1, 0.05, 0.02, 0.02, 0.01]
MAX_NORM = 1.5
SHAPES = {"weight": (3, 4), "bias": (4,), "late": (2, 2)}


def numbers(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


parameters = {name: torch.nn.Parameter(torch.randn(shape)) for name, shape in SHAPES.items()}
optimizer = torch.optim.AdamW(
    parameters.values(), lr=1.0, betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
    eps=SETTINGS["epsilon"], weight_decay=SETTINGS["weightDecay"], foreach=False,
)
start = {name: numbers(parameter) for name, parameter in parameters.items()}
steps = []
for index, rate in enumerate(RATES):
    gradients = {}
    for name, parameter in parameters.items():
        # "late" has no gradient in the first two steps, so its own step count lags behind.
        absent = name == "late" and index < 2
        parameter.grad = None if absent else torch.randn_like(parameter)
        if not absent:
            gradients[name] = numbers(parameter.grad)
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_NORM if index % 2 == 0 else 1e3)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    steps.append({
        "rate": rate,
        "maxNorm": MAX_NORM if index % 2 == 0 else 1e3,
        "gradients": gradients,
        "norm": float(norm),
        "parameters": {name: numbers(parameter) for name, parameter in parameters.items()},
    })

torch.manual_seed(2024)
linear = torch.nn.Linear(50, 2000)
bounds = {"weight": float(linear.weight.detach().abs().max()), "bias": float(linear.bias.detach().abs().max()),
          "deviation": float(linear.weight.detach().std())}
from transformers import get_cosine_schedule_with_warmup  # noqa: E402

optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
schedule = get_cosine_schedule_with_warmup(optimizer, 4, 12)
factors = []
for _ in range(12):
    factors.append(schedule.get_last_lr()[0])
    optimizer.step()
    schedule.step()

content = {"torch": torch.__version__, "settings": SETTINGS, "shapes": SHAPES, "start": start,
           "steps": steps, "linear": bounds,
           "schedule": {"warmup": 4, "horizon": 12, "factors": factors}}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "optim.json"), "w") as file:
    json.dump(content, file, indent=1)
    file.write("\n")
