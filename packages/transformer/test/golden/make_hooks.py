"""Writes hooks/NAME.safetensors: activations and interventions of four of the checkpoints.

    python3 make_checkpoints.py && python3 make_hooks.py

Made with the versions that make_checkpoints.py names. The prompt is row 0 of golden.safetensors
(no padding). All is read and changed in the models of transformers (eager attention), with PyTorch
hooks, a patched softmax (the pattern), a patched apply_rotary_pos_emb (rotated q and k) and products
of rank 4 (the first of a block's attention gives its scores, but for their scale):

- ids [1, T], logits [1, T, V] and the activations under their TransformerLens names;
- logits under one intervention each, for block b, head h:
    zero.z.b.h, scale.z.b.h (times 0.5), mean.z.b.h (mean over the positions of this run),
    uniform.pattern.b.h (1/(q+1) for all keys k <= q), zero.k.b.kvG (before rope, the key-value
    head G), scale.q.b.h (before rope, times 0.1), add.resid_post.b (add.vector at all positions),
    project.resid_post.b (without the part along add.vector).
"""

import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch
from make_checkpoints import HERE, load
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode

LAST = 3
PRODUCTS = (torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__)

# Paths of the modules of a block. qkv: one fused module or three; norm2: where the residual stream
# between attention and MLP enters; attnOut, mlpOut: what is added to the residual stream.
LLAMA = dict(
    blocks="model.layers", qkv=["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    out="self_attn.o_proj", norm2="post_attention_layernorm", attnOut="self_attn.o_proj",
    mlpOut="mlp", rope=True,
)
FAMILIES = {
    "gpt2": dict(
        blocks="transformer.h", qkv=["attn.c_attn"], out="attn.c_proj", norm2="ln_2",
        attnOut="attn.c_proj", mlpOut="mlp", rope=False),
    "llama3": LLAMA,
    "gemma2": {
        **LLAMA, "norm2": "pre_feedforward_layernorm", "attnOut": "post_attention_layernorm",
        "mlpOut": "post_feedforward_layernorm"},
    "falcon": dict(
        blocks="transformer.h", qkv=["self_attention.query_key_value"],
        out="self_attention.dense", norm2=None, attnOut="self_attention.dense", mlpOut="mlp",
        rope=True),
}


def sizes(name, config):
    """Heads, key-value heads and head size. Falcon with multi_query has one key-value head."""
    heads = config.num_attention_heads
    groups = 1 if name == "falcon" else getattr(config, "num_key_value_heads", heads)
    return heads, groups, getattr(config, "head_dim", config.hidden_size // heads)



class Scores(TorchFunctionMode):
    """Calls `at` with the scores of block after block, and goes on with what it returns."""

    def __init__(self, config, at):
        super().__init__()
        size = getattr(config, "head_dim", config.hidden_size // config.num_attention_heads)
        self.scale = getattr(config, "query_pre_attn_scalar", size) ** -0.5
        self.count, self.at, self.blocks = 0, at, config.num_hidden_layers

    def __torch_function__(self, function, types, args=(), kwargs=None):
        product = function(*args, **(kwargs or {}))
        if function not in PRODUCTS or product.dim() != 4:
            return product
        self.count += 1
        if self.count % 2 == 0:  # pattern times values
            return product
        block = (self.count - 1) // 2 % self.blocks
        site = f"blocks.{block}.attn.hook_attn_scores_raw"
        return self.at(site, product * self.scale) / self.scale


def head_slices(weight, heads, conv):
    """W_O of each head, [H, dh, D]. GPT-2 stores [in, out], the others [out, in]."""
    weight = weight if conv else weight.T
    return weight.reshape(heads, -1, weight.shape[1])


@contextmanager
def hooked(name, model, visit):
    """Calls visit(site, tensor) at each site; a tensor that it returns takes the place."""
    family = FAMILIES[name]
    heads, groups, size = sizes(name, model.config)
    handles, patches = [], []

    def at(site, tensor):
        changed = visit(site, tensor.clone())
        return tensor if changed is None else changed

    def before(module, site, unpack=lambda x: x, pack=lambda x: x):
        def hook(_, args):
            return (pack(at(site, unpack(args[0]))), *args[1:])
        handles.append(module.register_forward_pre_hook(hook))

    def after(module, site):
        def hook(_, args, output):
            if isinstance(output, tuple):
                return (at(site, output[0]), *output[1:])
            return at(site, output)
        handles.append(module.register_forward_hook(hook))

    def after_qkv(modules, prefix):
        """The modules give q, k and v, all in one (gpt2: q|k|v; falcon: heads of q, k, v)."""
        def split(sites):
            def hook(_, args, output):
                parts = output.split([size * count for _, count in sites], dim=-1)
                parts = [
                    at(f"{prefix}hook_{site}", part.unflatten(-1, (count, size))).flatten(-2)
                    for (site, count), part in zip(sites, parts, strict=True)
                ]
                return torch.cat(parts, dim=-1)
            return hook
        sites = [("q", heads), ("k", groups), ("v", groups)]
        each = [sites] if len(modules) == 1 else [[site] for site in sites]
        for module, part in zip(modules, each, strict=True):
            handles.append(module.register_forward_hook(split(part)))

    blocks = model.get_submodule(family["blocks"])
    for i, block in enumerate(blocks):
        prefix = f"blocks.{i}."
        before(block, f"{prefix}hook_resid_pre")
        after_qkv([block.get_submodule(path) for path in family["qkv"]], f"{prefix}attn.")
        before(
            block.get_submodule(family["out"]), f"{prefix}attn.hook_z",
            lambda z: z.unflatten(-1, (heads, size)), lambda z: z.flatten(-2),
        )
        after(block.get_submodule(family["attnOut"]), f"{prefix}hook_attn_out")
        if family["norm2"]:
            before(block.get_submodule(family["norm2"]), f"{prefix}hook_resid_mid")
        after(block.get_submodule(family["mlpOut"]), f"{prefix}hook_mlp_out")
        after(block, f"{prefix}hook_resid_post")

    # Attention calls softmax (and rope) once in each block, in order.
    calls = dict(pattern=0, rope=0)

    def pattern(scores, dim=-1, dtype=None):
        calls["pattern"] += 1
        index = (calls["pattern"] - 1) % len(blocks)
        return at(f"blocks.{index}.attn.hook_pattern", scores.softmax(dim, dtype=dtype))

    patches.append(mock.patch("torch.nn.functional.softmax", pattern))
    if family["rope"]:
        code = importlib.import_module(type(model).__module__)
        rotate = code.apply_rotary_pos_emb

        def rope(q, k, *args, **kwargs):
            calls["rope"] += 1
            prefix = f"blocks.{(calls['rope'] - 1) % len(blocks)}.attn.hook_rot_"
            rotated = rotate(q, k, *args, **kwargs)
            return tuple(
                at(prefix + kind, value.transpose(1, 2)).transpose(1, 2)
                for kind, value in zip("qk", rotated, strict=True)
            )

        patches.append(mock.patch.object(code, "apply_rotary_pos_emb", rope))
    try:
        for patch in patches:
            patch.start()
        with Scores(model.config, at):
            yield
    finally:
        for patch in patches:
            patch.stop()
        for handle in handles:
            handle.remove()


@torch.no_grad()
def logits(model, ids):
    return model(input_ids=ids, use_cache=False).logits


def capture(name, model, ids):
    """All activations, and the contribution of each head."""
    out = {}
    with hooked(name, model, lambda site, tensor: out.update({site: tensor})):
        out["logits"] = logits(model, ids)
    blocks = model.get_submodule(FAMILIES[name]["blocks"])
    for i, block in enumerate(blocks):
        weight = block.get_submodule(FAMILIES[name]["out"]).weight.detach()
        heads = head_slices(weight, model.config.num_attention_heads, name == "gpt2")
        z = out[f"blocks.{i}.attn.hook_z"]
        out[f"blocks.{i}.attn.hook_result"] = torch.einsum("btha,had->bthd", z, heads)
    return out


def edit(index, change):
    """A change of one head, [..., heads, size]."""
    def apply(tensor):
        tensor[..., index, :] = change(tensor[..., index, :])
        return tensor
    return apply


def uniform(index):
    def apply(pattern):
        causal = torch.ones_like(pattern[:, index]).tril()
        pattern[:, index] = causal / causal.sum(-1, keepdim=True)
        return pattern
    return apply


def interventions(vector):
    """name -> (site, change)"""
    unit = vector / vector.norm()
    z, post = "blocks.{}.attn.hook_z", "blocks.0.hook_resid_post"
    mean = lambda x: x.mean(1, keepdim=True).expand_as(x)
    return {
        "zero.z.1.2": (z.format(1), edit(2, torch.zeros_like)),
        "scale.z.0.1": (z.format(0), edit(1, lambda x: 0.5 * x)),
        "mean.z.1.0": (z.format(1), edit(0, mean)),
        "uniform.pattern.1.1": ("blocks.1.attn.hook_pattern", uniform(1)),
        "zero.k.1.kv0": ("blocks.1.attn.hook_k", edit(0, torch.zeros_like)),
        "scale.q.1.3": ("blocks.1.attn.hook_q", edit(3, lambda x: 0.1 * x)),
        "add.resid_post.0": (post, lambda x: x + vector),
        "project.resid_post.0": (post, lambda x: x - (x @ unit)[..., None] * unit),
    }



def at_places(change, positions, axis=1):
    """The change at some tokens alone."""
    def apply(tensor):
        new = change(tensor.clone())
        chosen = torch.zeros(tensor.shape[axis], dtype=torch.bool)
        chosen[positions] = True
        shape = [-1 if dim == axis else 1 for dim in range(tensor.dim())]
        return torch.where(chosen.reshape(shape), new, tensor)
    return apply


def edit_scores(heads, change):
    """A change of some heads, [B, H, T, T]."""
    def apply(scores):
        scores[:, heads] = change(scores[:, heads])
        return scores
    return apply


def more_interventions(name, config, vector):
    """name -> (site, change); each as the interventions in hooks.test.ts say it."""
    heads, groups, size = sizes(name, config)
    first = list(range(heads // groups))  # queries that share the first head of keys
    own, row = vector[:size], vector[:18]
    post, scores = "blocks.{}.hook_resid_post", "blocks.{}.attn.hook_attn_scores_raw"
    site = lambda block, what: f"blocks.{block}.attn.hook_{what}"
    patch = lambda value: lambda x: torch.zeros_like(x) + value
    mean = lambda x: x.mean(1, keepdim=True).expand_as(x)
    unit = own / own.norm()
    z_group = lambda change: lambda z: torch.cat([change(z[:, :, first]), z[:, :, len(first):]], 2)
    return {
        "patch.z.1.2": (site(1, "z"), edit(2, patch(own))),
        "patch.z.0.1.at3.7": (site(0, "z"), at_places(edit(1, patch(own)), [3, 7])),
        "patch.z.1.kv0": (site(1, "z"), z_group(patch(0.7))),
        "patch.k.1.kv0": (site(1, "k"), edit(0, patch(0.3))),
        "patch.v.0.kv0.at2": (site(0, "v"), at_places(edit(0, patch(own)), [2])),
        "patch.q.1.3.at17": (site(1, "q"), at_places(edit(3, patch(own)), [17])),
        "patch.pattern.1.0.at17": (
            site(1, "pattern"), at_places(edit_scores([0], patch(row)), [17], axis=2)),
        "patch.resid_post.0": (post.format(0), at_places(patch(vector), [4])),
        "patch.resid_post.1.number": (post.format(1), at_places(patch(0.25), [0, 16])),
        "mean.z.1.kv0.at16": (site(1, "z"), at_places(z_group(mean), [16])),
        "project.z.0.1": (site(0, "z"), edit(1, lambda x: x - (x @ unit)[..., None] * unit)),
        "scale.scores.1.1": (scores.format(1), edit_scores([1], lambda x: 0.1 * x)),
        "zero.scores.1.kv0": (scores.format(1), edit_scores(first, torch.zeros_like)),
        "uniform.scores.0.2": (scores.format(0), edit_scores([2], torch.zeros_like)),
        "add.scores.1.3": (scores.format(1), edit_scores([3], lambda x: x + row)),
        "patch.scores.1.0.at5.17": (
            scores.format(1), at_places(edit_scores([0], patch(row)), [5, 17], axis=2)),
    }


def main(names):
    (HERE / "hooks").mkdir(exist_ok=True)
    for name in names:
        directory = HERE / "checkpoints" / name
        model, golden = load(name, directory), load_file(directory / "golden.safetensors")
        ids = golden["ids"][:1].long()
        out = {"ids": ids.int(), **capture(name, model, ids)}
        generator = torch.Generator().manual_seed(1)
        out["add.vector"] = torch.randn(model.config.hidden_size, generator=generator)
        for key, (site, change) in interventions(out["add.vector"]).items():
            with hooked(name, model, lambda at, x: change(x) if at == site else None):
                out[key] = logits(model, ids)
        more = more_interventions(name, model.config, out["add.vector"])
        for key, (site, change) in more.items():
            with hooked(name, model, lambda at, x: change(x) if at == site else None):
                out[key] = logits(model, ids)[:, -LAST:]
        path = HERE / "hooks" / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in out.items()}, path)
        print(f"{name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:] or list(FAMILIES))
