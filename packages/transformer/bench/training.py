"""Training steps of a checkpoint in transformers, float32, in turns with another program: for every
line on standard input it makes one step and prints one JSON line.

    python3 training.py MODEL IDS.json THREADS
"""
import json
import sys
import time

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

folder, ids_file, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
model.train()
model.config.use_cache = False
ids = torch.tensor(json.load(open(ids_file)))
parameters = list(model.parameters())
optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.0)


def peak():
    """Most memory of this process, bytes."""
    for line in open('/proc/self/status'):
        if line.startswith('VmHWM'):
            return 1024 * int(line.split()[1])


print(json.dumps({'torch': torch.__version__}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    logits = model(ids[:, :-1]).logits
    loss = cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
    del logits
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    value = loss.item()
    seconds = time.perf_counter() - begin
    print(json.dumps({'seconds': seconds, 'loss': value, 'peakBytes': peak()}), flush=True)
