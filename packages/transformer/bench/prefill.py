"""Prefill of a checkpoint in transformers, float32: prints one JSON line.

    python3 prefill.py MODEL IDS.json ROUNDS THREADS
"""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, ids_file, rounds, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
start = time.perf_counter()
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
model.eval()
load = time.perf_counter() - start
given = json.load(open(ids_file))
batches = [torch.tensor(batch) for batch in given['batches']]
seconds, states = [], []
with torch.no_grad():
    for _ in range(int(rounds)):
        start = time.perf_counter()
        logits = model(batches[0]).logits
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    for batch in batches:
        result = model(batch, output_hidden_states=True, logits_to_keep=1)
        states.append([h[:, -1] for h in result.hidden_states] + [result.logits])
    hidden = time.perf_counter() - start
sample = logits[0, :, :50].flatten().tolist()
print(json.dumps({'load': load, 'prefill': seconds, 'hidden': hidden, 'sample': sample,
                  'torch': torch.__version__}))
