"""Writes split-inputs.safetensors: what five of the checkpoints do where inputs of heads are changed.

    python3 make_checkpoints.py && python3 make_split_inputs.py

Made with the versions that make_checkpoints.py names; the prompt is row 0 of golden.safetensors (no
padding). Queries, keys and values are made again head by head, each from its own copy of the
residual before the norm, and take the place of those of the models of transformers: what
TransformerLens does with use_split_qkv_input, use_attn_in and use_hook_mlp_in. Of each NAME:

- NAME/resid_pre.1 and NAME/mlp_in.1 [1, T, D]: what attention and MLP of block 1 read;
- NAME/vector [D], and NAME/CHANGE [1, 3, V]: logits of the last tokens under one change, each as
  split-inputs.test.ts says it. attn_in is there where every head has its own keys.
"""

from contextlib import contextmanager

import torch
from make_checkpoints import HERE, load
from make_hooks import FAMILIES as HOOKED
from make_hooks import LAST, at_places, edit, logits, sizes
from safetensors.torch import load_file, save_file

NEOX = dict(
    blocks="gpt_neox.layers", qkv=["attention.query_key_value"], norm2="post_attention_layernorm")
NORM1 = {"gpt2": "ln_1"}
FAMILIES = {**{name: HOOKED[name] for name in ("gpt2", "llama3", "gemma2", "falcon")},
            "gpt-neox": NEOX}


def matrices(name, model, block):
    """Weights [heads, size, D] and biases [heads, size] of q, k and v."""
    heads, groups, size = sizes(name, model.config)
    modules = [block.get_submodule(path) for path in FAMILIES[name]["qkv"]]
    weights = [m.weight.T if name == "gpt2" else m.weight for m in modules]
    biases = [torch.zeros(w.shape[0]) if m.bias is None else m.bias
              for m, w in zip(modules, weights, strict=True)]
    weight, bias = torch.cat(weights), torch.cat(biases)
    if name == "gpt-neox":  # q, k, v of one head after the other
        parts = weight.reshape(heads, 3, size, -1).unbind(1)
        return list(zip(parts, bias.reshape(heads, 3, size).unbind(1), strict=True))
    counts = [heads, groups, groups]
    ends = [count * size for count in counts]
    return [(w.reshape(count, size, -1), b.reshape(count, size))
            for count, w, b in zip(counts, weight.split(ends), bias.split(ends), strict=True)]


def joined(name, parts):
    """q, k and v [b, t, heads, size] in the order of the fused module; or each by itself."""
    if name == "gpt-neox":
        return [torch.stack(parts, 3).flatten(2)]
    flat = [part.flatten(2) for part in parts]
    return flat if len(FAMILIES[name]["qkv"]) == 3 else [torch.cat(flat, -1)]


@contextmanager
def split(name, model, change):
    """Calls change(site, tensor) with every input; what it returns takes the place."""
    family, handles = FAMILIES[name], []
    heads, groups, _ = sizes(name, model.config)

    def attach(index, block):
        norm1 = block.get_submodule(NORM1.get(name, "input_layernorm"))
        parts, made, seen = matrices(name, model, block), [], {}
        site = lambda what: f"blocks.{index}.hook_{what}"

        def before(_, args, kwargs):
            x = args[0] if args else kwargs["hidden_states"]
            seen["x"] = x
            copies = lambda count: x[:, :, None].repeat(1, 1, count, 1)
            first = change(site("attn_in"), copies(heads)) if heads == groups else None
            made.clear()
            for what, count, (weight, bias) in zip("qkv", (heads, groups, groups), parts, strict=True):
                given = copies(count) if first is None else first.clone()
                own = change(site(f"{what}_input"), given)
                made.append(torch.einsum("bthd,hsd->bths", norm1.forward(own), weight) + bias)

        handles.append(block.register_forward_pre_hook(before, with_kwargs=True))
        for at, path in enumerate(family["qkv"]):
            put = lambda *_, at=at: joined(name, made)[at]
            handles.append(block.get_submodule(path).register_forward_hook(put))
        if family["norm2"]:
            read = lambda _, args: (change(site("mlp_in"), args[0].clone()),)
            handles.append(block.get_submodule(family["norm2"]).register_forward_pre_hook(read))
        else:
            # One norm for both: the MLP has its own copy.
            fed = lambda *_: (norm1.forward(change(site("mlp_in"), seen["x"].clone())),)
            handles.append(block.mlp.register_forward_pre_hook(fed))

    for index, block in enumerate(model.get_submodule(family["blocks"])):
        attach(index, block)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def changes(name, config, vector):
    """name -> (site, change); each as the test says it."""
    heads, groups, _ = sizes(name, config)
    group = list(range(heads // groups))
    unit = vector / vector.norm()
    site = lambda block, what: f"blocks.{block}.hook_{what}"
    mean = lambda x: x.mean(1, keepdim=True).expand_as(x)
    project = lambda x: x - (x @ unit)[..., None] * unit
    put = lambda x: torch.zeros_like(x) + vector
    found = {
        "zero.q_input.1.last": (site(1, "q_input"), edit(heads - 1, torch.zeros_like)),
        "patch.q_input.1.0.at17": (site(1, "q_input"), at_places(edit(0, put), [17])),
        "mean.q_input.0.1": (site(0, "q_input"), edit(1, mean)),
        "add.q_input.1.kv0": (site(1, "q_input"), edit(group, lambda x: x + vector)),
        "patch.k_input.1.kv0.at3": (site(1, "k_input"), at_places(edit(0, put), [3])),
        "zero.k_input.0": (site(0, "k_input"), torch.zeros_like),
        "add.v_input.0.kv0": (site(0, "v_input"), edit(0, lambda x: x + vector)),
        "project.v_input.1.kv0": (site(1, "v_input"), edit(0, project)),
        "add.mlp_in.0": (site(0, "mlp_in"), lambda x: x + vector),
        "patch.mlp_in.1.at5.17": (site(1, "mlp_in"), at_places(put, [5, 17])),
        "project.mlp_in.1": (site(1, "mlp_in"), project),
    }
    if heads == groups:
        found["add.attn_in.1.1"] = (site(1, "attn_in"), edit(1, lambda x: x + vector))
        found["mean.attn_in.0"] = (site(0, "attn_in"), mean)
    return found


@torch.no_grad()
def main():
    out = {}
    for name in FAMILIES:
        directory = HERE / "checkpoints" / name
        model, golden = load(name, directory), load_file(directory / "golden.safetensors")
        ids = golden["ids"][:1].long()
        seen = {}
        with split(name, model, lambda site, x: seen.setdefault(site, x)):
            same = logits(model, ids)
        assert (same - logits(model, ids)).abs().max() < 1e-4, name
        out[f"{name}/resid_pre.1"] = seen["blocks.1.hook_q_input"][:, :, 0]
        out[f"{name}/mlp_in.1"] = seen["blocks.1.hook_mlp_in"]
        vector = torch.randn(
            model.config.hidden_size, generator=torch.Generator().manual_seed(2))
        out[f"{name}/vector"] = vector
        for key, (site, change) in changes(name, model.config, vector).items():
            with split(name, model, lambda at, x: change(x) if at == site else x):
                out[f"{name}/{key}"] = logits(model, ids)[:, -LAST:]
    path = HERE / "split-inputs.safetensors"
    save_file({key: value.contiguous().clone() for key, value in out.items()}, path)
    print(f"{len(out)} arrays, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
