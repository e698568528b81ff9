"""Small random checkpoints and the scores of all their heads, by a loop over hooks in PyTorch.

    python3 make_scan.py

Writes checkpoints/NAME/ (config.json, model.safetensors) and scan.json: token ids of prompts, and
of several ablations the divergences of the next token, [L, H], in float64. Weights are large, so
that heads matter. Seeds from the names.
"""
import json
import os
import zlib

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
from transformers import Qwen2Config, Qwen2ForCausalLM

here = os.path.dirname(os.path.abspath(__file__))
torch.set_num_threads(1)
sizes = {'vocab_size': 61, 'hidden_size': 32, 'intermediate_size': 48, 'num_hidden_layers': 3,
         'num_attention_heads': 8, 'max_position_embeddings': 64}
models = {
    'gpt2': lambda: GPT2LMHeadModel(GPT2Config(
        vocab_size=61, n_positions=64, n_embd=32, n_layer=3, n_head=8)),
    'llama': lambda: LlamaForCausalLM(LlamaConfig(**sizes, num_key_value_heads=8)),
    'qwen2': lambda: Qwen2ForCausalLM(Qwen2Config(
        **sizes, num_key_value_heads=2, tie_word_embeddings=True)),
}


def divergence(base, other):
    base, other = base.double().log_softmax(-1), other.double().log_softmax(-1)
    return (base.exp() * (base - other)).sum().item()


def scan(model, ids, kind):
    config = model.config
    is_gpt2 = config.model_type == 'gpt2'
    heads = config.num_attention_heads
    groups = heads if is_gpt2 else config.num_key_value_heads
    width = config.hidden_size // heads
    blocks = model.transformer.h if is_gpt2 else model.model.layers
    rows = torch.tensor([ids])
    base = model(rows).logits[0, -1]
    scores = []
    for block in blocks:
        attention = block.attn if is_gpt2 else block.self_attn
        own = []
        for head in range(heads):
            seen = {}

            def values_hook(_, __, output):
                seen['values'] = output[..., -groups * width:]

            def output_hook(_, inputs):
                z = inputs[0].clone().view(1, len(ids), heads, width)
                if kind == 'zero':
                    z[:, :, head] = 0
                else:
                    values = seen['values'].view(1, len(ids), groups, width)
                    mine = values[:, :, head // (heads // groups)]
                    counts = torch.arange(1, len(ids) + 1).view(1, -1, 1)
                    z[:, :, head] = mine.cumsum(1) / counts
                return (z.view(1, len(ids), -1),)

            hooks = [
                (attention.c_attn if is_gpt2 else attention.v_proj).register_forward_hook(
                    values_hook),
                (attention.c_proj if is_gpt2 else attention.o_proj).register_forward_pre_hook(
                    output_hook),
            ]
            own.append(divergence(base, model(rows).logits[0, -1]))
            for hook in hooks:
                hook.remove()
        scores.append(own)
    return scores


found = {}
for name, make in models.items():
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    model = make().eval()
    for weight in model.parameters():
        if weight.dim() == 2:
            torch.nn.init.normal_(weight, std=2 / min(weight.shape) ** 0.5)
    model.save_pretrained(os.path.join(here, 'checkpoints', name))
    extra = os.path.join(here, 'checkpoints', name, 'generation_config.json')
    if os.path.exists(extra):
        os.remove(extra)
    generator = torch.Generator().manual_seed(seed)
    prompts = [torch.randint(61, (length,), generator=generator).tolist() for length in (32, 11)]
    with torch.no_grad():
        found[name] = [
            {'ids': ids, 'uniform': scan(model, ids, 'uniform'), 'zero': scan(model, ids, 'zero')}
            for ids in prompts
        ]
with open(os.path.join(here, 'scan.json'), 'w') as file:
    json.dump(found, file)
    file.write('\n')
