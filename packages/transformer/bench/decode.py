"""Decoding with a checkpoint in transformers, float32, in turns with another program: for every
line on standard input it decodes once and prints one JSON line.

    python3 decode.py MODEL IDS.json PROMPT_LENGTH THREADS
"""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, ids_file, prompt_length, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
model.eval()
ids = torch.tensor(json.load(open(ids_file)))
start = int(prompt_length)
print(json.dumps({'torch': torch.__version__}), flush=True)
for line in sys.stdin:
    count = int(line)
    rows = ids[:count]
    with torch.no_grad():
        begin = time.perf_counter()
        result = model(rows[:, :start], use_cache=True, logits_to_keep=1)
        first = time.perf_counter()
        for step in range(start, rows.shape[1]):
            result = model(rows[:, step:step + 1], past_key_values=result.past_key_values,
                           use_cache=True)
        end = time.perf_counter()
    sample = result.logits[:, -1, :1000].flatten().tolist()
    answer = {'prompt': first - begin, 'decode': end - first, 'sample': sample}
    print(json.dumps(answer), flush=True)
