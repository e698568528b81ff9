"""Writes attribution.json: direct logit attribution of the checkpoints.

    python3 make_checkpoints.py && python3 make_attribution.py

Made with the versions that make_checkpoints.py names. From the definition: every tensor that is
added to the residual stream is caught with PyTorch hooks in a pass in float32, and what follows it
on its way to the logits is applied to it alone, in float64, with every scale of a norm held at its
value in that pass:

- head h: its slice of the input of the output projection times that slice of the projection, then
  the norm behind attention, where there is one (as a linear map, its scale held);
- then the final norm as a linear map (mean taken off where it does that, scale held, gain), then
  the row of lm_head of `tokens` less that of `against`.

For each name: tokens and against, one for each of the three texts of golden.safetensors (last
position), the names of the components, and values [3, C]. The sum of a row is checked against the
model's own logits, before the cap of Gemma 2.
"""

import json

import torch
from make_checkpoints import CONFIGS, HERE, load
from safetensors.torch import load_file

TOKENS, AGAINST = [5, 17, 60], [8, 33, 2]

# Paths: blocks, output of attention, MLP, final norm, embeddings; norms behind attention and MLP.
LLAMA = dict(
    blocks="model.layers", out="self_attn.o_proj", mlp="mlp", final="model.norm",
    embed="model.embed_tokens",
)
GEMMA = dict(
    **LLAMA, afterAttention="post_attention_layernorm", afterMlp="post_feedforward_layernorm"
)
FALCON = dict(
    blocks="transformer.h", out="self_attention.dense", mlp="mlp", final="transformer.ln_f",
    embed="transformer.word_embeddings",
)
FAMILIES = {
    "gpt2": dict(
        blocks="transformer.h", out="attn.c_proj", mlp="mlp", final="transformer.ln_f",
        embed="transformer.wte", positions="transformer.wpe"),
    "gpt_neox": dict(
        blocks="gpt_neox.layers", out="attention.dense", mlp="mlp",
        final="gpt_neox.final_layer_norm", embed="gpt_neox.embed_in"),
    "falcon": FALCON,
    "gemma2": GEMMA,
    "gemma3_text": GEMMA,
}


class Held:
    """A norm as the linear map that it is where its scale is held."""

    def __init__(self, norm, seen):
        self.centres = isinstance(norm, torch.nn.LayerNorm)
        gain = norm.weight.detach().double()
        # Gemma stores the gain less one.
        self.gain = gain + 1 if type(norm).__name__.startswith("Gemma") else gain
        self.bias = norm.bias.detach().double() if self.centres else None
        epsilon = norm.eps if hasattr(norm, "eps") else norm.variance_epsilon
        centred = self.centre(seen)
        self.scale = (centred.pow(2).mean(-1, keepdim=True) + epsilon).sqrt()

    def centre(self, x):
        return x - x.mean(-1, keepdim=True) if self.centres else x

    def __call__(self, x):
        return self.gain * self.centre(x) / self.scale


def caught(model, modules, run):
    """Input and output of modules in one run, by their paths; at the last position."""
    found, handles = {}, []
    for path in modules:
        def hook(_, args, output, path=path):
            output = output[0] if isinstance(output, tuple) else output
            # The parallel block of Falcon adds in place to what its MLP gave.
            found[path] = (args[0].double(), output.double())
        handles.append(model.get_submodule(path).register_forward_hook(hook))
    try:
        logits = run()
    finally:
        for handle in handles:
            handle.remove()
    return found, logits[:, -1].double()


@torch.no_grad()
def attribution(name):
    directory = HERE / "checkpoints" / name
    model, golden = load(name, directory), load_file(directory / "golden.safetensors")
    config = model.config
    family = FAMILIES.get(config.model_type, LLAMA)
    ids, mask = golden["ids"].long(), golden["mask"].long()
    blocks = [f"{family['blocks']}.{i}" for i in range(config.num_hidden_layers)]
    behind = [family.get("afterAttention"), family.get("afterMlp")]
    inner = [family["out"], family["mlp"], *(one for one in behind if one)]
    paths = [f"{block}.{one}" for block in blocks for one in inner]
    around = [family["embed"], family.get("positions"), family["final"]]
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    seen, logits = caught(
        model, [*paths, *(one for one in around if one)],
        lambda: model(
            input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits,
    )
    last = lambda x: x[:, -1]
    parts = {"hook_embed": last(seen[family["embed"]][1])}
    if "positions" in family:
        parts["hook_pos_embed"] = last(seen[family["positions"]][1])
    for i, block in enumerate(blocks):
        held = [
            one and Held(model.get_submodule(f"{block}.{one}"), last(seen[f"{block}.{one}"][0]))
            for one in behind
        ]
        then = held[0] or (lambda x: x)
        projection = model.get_submodule(f"{block}.{family['out']}")
        weight = projection.weight.double()
        weight = weight if config.model_type == "gpt2" else weight.T
        z = last(seen[f"{block}.{family['out']}"][0])
        size = z.shape[-1] // config.num_attention_heads
        for h in range(config.num_attention_heads):
            own = slice(h * size, (h + 1) * size)
            parts[f"blocks.{i}.attn.head.{h}"] = then(z[:, own] @ weight[own])
        if projection.bias is not None:
            parts[f"blocks.{i}.attn.bias"] = then(projection.bias.double().expand(len(z), -1))
        fed = last(seen[f"{block}.{family['mlp']}"][1])
        parts[f"blocks.{i}.hook_mlp_out"] = (held[1] or (lambda x: x))(fed)
    final = Held(model.get_submodule(family["final"]), last(seen[family["final"]][0]))
    rows = model.get_output_embeddings().weight.double()
    direction = rows[TOKENS] - rows[AGAINST]
    values = {key: (final(x) * direction).sum(-1) for key, x in parts.items()}
    if final.bias is not None:
        values["ln_final.bias"] = (final.bias * direction).sum(-1)
    cap = getattr(config, "final_logit_softcapping", None)
    plain = logits if cap is None else cap * torch.atanh(logits / cap)
    each = torch.arange(len(TOKENS))
    wanted = plain[each, TOKENS] - plain[each, AGAINST]
    off = (sum(values.values()) - wanted).abs().max().item()
    assert off < 1e-4, (name, off)
    print(f"{name}: {len(values)} components, the sum is off by {off:.1e}")
    table = torch.stack(list(values.values()), -1)
    return dict(
        tokens=TOKENS, against=AGAINST, components=list(values),
        values=[[float(f"{value:.8g}") for value in row] for row in table.tolist()],
    )


if __name__ == "__main__":
    names = [name for name in CONFIGS if not name.startswith("t5")]
    lines = [f"{json.dumps(name)}: {json.dumps(attribution(name))}" for name in names]
    (HERE / "attribution.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
