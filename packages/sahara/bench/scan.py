"""Every head of a checkpoint ablated (an even pattern) on one prompt, in transformers, float32.

    python3 scan.py MODEL IDS.json THREADS

Prints one JSON line: seconds and scores of a loop with a pass for every head, a pre-hook of the
output's projection putting the running mean of values in the place of what the head gives, and
seconds of a pass for every layer, all of its heads in one batch. Logits of the last token alone.
"""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, ids_file, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
model.eval()
ids = torch.tensor([json.load(open(ids_file))['ids']])
config = model.config
heads = config.num_attention_heads
groups = getattr(config, 'num_key_value_heads', heads)
width = getattr(config, 'head_dim', None) or config.hidden_size // heads
length = ids.shape[1]
counts = torch.arange(1, length + 1, dtype=torch.float32).view(1, length, 1, 1)
is_gpt2 = config.model_type == 'gpt2'
blocks = model.transformer.h if is_gpt2 else model.model.layers
attentions = [block.attn if is_gpt2 else block.self_attn for block in blocks]


def running_means(values):
    """What heads give with an even pattern: [B, T, H, F] of the values of a layer."""
    values = values.view(*values.shape[:2], groups, width).repeat_interleave(heads // groups, 2)
    return values.cumsum(1) / counts


def hooked(attention, change):
    """Hooks that call change(z, means) on what the heads of a layer give, [B, T, H, F]."""
    seen = {}

    def values_hook(_, __, output):
        seen['values'] = output[..., -groups * width:]

    def output_hook(_, inputs):
        z = inputs[0].clone().view(*inputs[0].shape[:2], heads, width)
        change(z, running_means(seen['values']))
        return (z.view(*z.shape[:2], heads * width),)

    values = attention.c_attn if is_gpt2 else attention.v_proj
    output = attention.c_proj if is_gpt2 else attention.o_proj
    return [values.register_forward_hook(values_hook), output.register_forward_pre_hook(output_hook)]


def last_logits(rows):
    return model(rows, logits_to_keep=1, use_cache=False).logits[:, -1]


def divergence(base, other):
    base, other = base.double().log_softmax(-1), other.double().log_softmax(-1)
    return (base.exp() * (base - other)).sum(-1)


def one_by_one():
    base = last_logits(ids)
    scores = []
    for attention in attentions:
        row = []
        for head in range(heads):
            def change(z, means, head=head):
                z[:, :, head] = means[:, :, head]

            hooks = hooked(attention, change)
            row.append(divergence(base, last_logits(ids)).item())
            for hook in hooks:
                hook.remove()
        scores.append(row)
    return scores


def layer_by_layer():
    base = last_logits(ids)
    scores = []
    each = torch.arange(heads)
    for attention in attentions:
        def change(z, means):
            z[each, :, each] = means[each, :, each]

        hooks = hooked(attention, change)
        scores.append(divergence(base, last_logits(ids.expand(heads, -1))).tolist())
        for hook in hooks:
            hook.remove()
    return scores


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


with torch.no_grad():
    last_logits(ids)
    naive, scores = timed(one_by_one)
    batch, others = timed(layer_by_layer)
farthest = max(abs(a - b) for row, other in zip(scores, others) for a, b in zip(row, other))
print(json.dumps({'naive': naive, 'batch': batch, 'scores': scores, 'farthest': farthest,
                  'torch': torch.__version__}))
