"""Writes t5-hooks/NAME.safetensors: activations and interventions of the checkpoints of T5.

    python3 make_checkpoints.py && python3 make_t5_hooks.py

Made with the versions that make_checkpoints.py names. The texts are row 0 of golden.safetensors, of
the encoder and of the decoder (the encoder's without padding). Everything is read and changed in
the models of transformers (eager attention) by PyTorch hooks on their modules; patterns and scores by
a patched softmax, which sees scores with their biases and masks:

- ids, decoderIds, the activations under their names here, logits;
- logits under one intervention each; `generated`: greedy tokens under some of them, each step a pass
  of the whole decoder;
- attribution: what embedding, heads and MLPs of the decoder add to the logit of token 5 less that of
  token 17, from the definition.
"""

import sys
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch
import transformers as hf
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
NEW = 12
HIDDEN = -1e9
TOKEN, OTHER = 5, 17
torch.set_num_threads(1)
hf.logging.set_verbosity_error()
hf.logging.disable_progress_bar()


def load(name):
    model = hf.AutoModelForSeq2SeqLM.from_pretrained(
        HERE / "checkpoints" / name, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def attentions(model):
    """Every attention with the name of its places, in the order of a pass."""
    for side in ("encoder", "decoder"):
        for index, block in enumerate(getattr(model, side).block):
            prefix = f"{side}.{index}"
            yield f"{prefix}.attn", block.layer[0].SelfAttention
            if side == "decoder":
                yield f"{prefix}.cross_attn", block.layer[1].EncDecAttention


@contextmanager
def hooked(model, visit):
    """Calls visit(site, tensor) at each site; a tensor that it returns takes the place."""
    heads = model.config.num_heads
    handles = []

    def at(site, tensor):
        changed = visit(site, tensor.clone())
        return tensor if changed is None else changed

    def before(module, site, unpack=lambda x: x, pack=lambda x: x):
        handles.append(module.register_forward_pre_hook(
            lambda _, args: (pack(at(site, unpack(args[0]))), *args[1:])))

    def after(module, site, unpack=lambda x: x, pack=lambda x: x):
        def hook(_, args, output):
            if isinstance(output, tuple):
                return (pack(at(site, unpack(output[0]))), *output[1:])
            return pack(at(site, unpack(output)))
        handles.append(module.register_forward_hook(hook))

    apart = dict(unpack=lambda x: x.unflatten(-1, (heads, -1)), pack=lambda x: x.flatten(-2))
    places = list(attentions(model))
    for name, attention in places:
        for kind in "qkv":
            after(getattr(attention, kind), f"{name}.hook_{kind}", **apart)
        before(attention.o, f"{name}.hook_z", **apart)
        out = name.replace(".attn", ".hook_attn_out").replace(".cross_attn", ".hook_cross_attn_out")
        after(attention.o, out)
    for side in ("encoder", "decoder"):
        for index, block in enumerate(getattr(model, side).block):
            prefix = f"{side}.{index}"
            before(block, f"{prefix}.hook_resid_pre")
            after(block.layer[-1].DenseReluDense, f"{prefix}.hook_mlp_out")
            after(block, f"{prefix}.hook_resid_post")
    calls = dict(count=0)

    def softmax(scores, dim=-1, dtype=None):
        name = places[calls["count"] % len(places)][0]
        calls["count"] += 1
        return at(f"{name}.hook_pattern", at(f"{name}.scores", scores).softmax(dim, dtype=dtype))

    try:
        with mock.patch("torch.nn.functional.softmax", softmax):
            yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def logits(model, ids, decoder_ids):
    return model(input_ids=ids, decoder_input_ids=decoder_ids, use_cache=False).logits


def head(index, change):
    """A change of one head, [B, T, H, F]."""
    def apply(x):
        x[:, :, index] = change(x[:, :, index])
        return x
    return apply


def visible(scores):
    """Where a query may look: masks are far below."""
    return scores > HIDDEN


def of_scores(index, change):
    """A change of the scores of one head where they are not hidden, [B, H, T, S]."""
    def apply(scores):
        own = scores[:, index]
        scores[:, index] = torch.where(visible(own), change(own), own)
        return scores
    return apply


def interventions(vector):
    """name -> (site, change); each as t5-hooks.test.ts says it."""
    unit = vector / vector.norm()
    mean = lambda x: x.mean(1, keepdim=True).expand_as(x)
    return {
        "zero.encoder.z.1.2": ("encoder.1.attn.hook_z", head(2, torch.zeros_like)),
        "zero.decoder.z.1.2": ("decoder.1.attn.hook_z", head(2, torch.zeros_like)),
        "zero.cross.z.0.1": ("decoder.0.cross_attn.hook_z", head(1, torch.zeros_like)),
        "scale.cross.k.1.3": ("decoder.1.cross_attn.hook_k", head(3, lambda x: 0.1 * x)),
        "mean.encoder.v.0.0": ("encoder.0.attn.hook_v", head(0, mean)),
        "mean.cross.z.1.0": ("decoder.1.cross_attn.hook_z", head(0, mean)),
        "uniform.encoder.pattern.1.1": (
            "encoder.1.attn.scores", of_scores(1, torch.zeros_like)),
        "uniform.decoder.scores.0.3": (
            "decoder.0.attn.scores", of_scores(3, torch.zeros_like)),
        "uniform.cross.pattern.1.2": (
            "decoder.1.cross_attn.scores", of_scores(2, torch.zeros_like)),
        "scale.decoder.scores.1.0": (
            "decoder.1.attn.scores", of_scores(0, lambda x: 0.2 * x)),
        "scale.encoder.scores.0.2": (
            "encoder.0.attn.scores", of_scores(2, lambda x: 0.2 * x)),
        "add.encoder.resid_post.0": ("encoder.0.hook_resid_post", lambda x: x + vector),
        "project.decoder.resid_post.0": (
            "decoder.0.hook_resid_post", lambda x: x - (x @ unit)[..., None] * unit),
    }


GENERATED = [
    "zero.encoder.z.1.2", "zero.cross.z.0.1", "uniform.decoder.scores.0.3",
    "scale.cross.k.1.3", "add.encoder.resid_post.0", "mean.cross.z.1.0",
]


def attribution(model, out, token, other):
    """What each part of the decoder adds to a difference of logits at the last token, in float64."""
    last = lambda site: out[site][0, -1].double()
    config, final = model.config, model.decoder.final_layer_norm
    end = last(f"decoder.{config.num_decoder_layers - 1}.hook_resid_post")
    scale = (end.pow(2).mean() + final.variance_epsilon).sqrt()
    direction = (model.lm_head.weight[token] - model.lm_head.weight[other]).double()
    direction = direction * final.weight.double() / scale
    parts = [last("decoder.0.hook_resid_pre")]
    for index, block in enumerate(model.decoder.block):
        for name, attention in [
            ("attn", block.layer[0].SelfAttention), ("cross_attn", block.layer[1].EncDecAttention)]:
            z = last(f"decoder.{index}.{name}.hook_z")
            weight = attention.o.weight.double().unflatten(-1, (config.num_heads, -1))
            parts += [weight[:, h] @ z[h] for h in range(config.num_heads)]
        parts.append(last(f"decoder.{index}.hook_mlp_out"))
    values = torch.stack(parts) @ direction
    wanted = (out["logits"][0, -1, token] - out["logits"][0, -1, other]).double()
    # Tied weights: rows are scaled before the output.
    factor = next(f for f in (1.0, config.d_model**-0.5) if abs(f * values.sum() - wanted) < 1e-4)
    return (factor * values).float()


def generate(model, ids):
    rows, margin = [0], 1.0
    for _ in range(NEW):
        last = logits(model, ids, torch.tensor([rows]))[0, -1].double()
        top = last.topk(2)
        margin = min(margin, float(top.values[0] - top.values[1]))
        rows.append(int(top.indices[0]))
    return rows[1:], margin


def main(names):
    (HERE / "t5-hooks").mkdir(exist_ok=True)
    for name in names:
        model = load(name)
        golden = load_file(HERE / "checkpoints" / name / "golden.safetensors")
        mask = golden["mask"][0].bool()
        ids, decoder_ids = golden["ids"][0][mask][None].long(), golden["decoderIds"][:1].long()
        out = {"ids": ids.int(), "decoderIds": decoder_ids.int()}
        keep = lambda site, x: None if site.endswith(".scores") else out.update({site: x})
        with hooked(model, keep):
            out["logits"] = logits(model, ids, decoder_ids)
        with torch.no_grad():
            out["attribution"] = attribution(model, out, TOKEN, OTHER)
        generator = torch.Generator().manual_seed(1)
        out["add.vector"] = 3 * torch.randn(model.config.d_model, generator=generator)
        for key, (site, change) in interventions(out["add.vector"]).items():
            with hooked(model, lambda at, x: change(x) if at == site else None):
                out[key] = logits(model, ids, decoder_ids)
                if key in GENERATED:
                    new, margin = generate(model, ids)
                    out[f"generated.{key}"] = torch.tensor(new, dtype=torch.int32)
                    print(name, key, f"margin {margin:.1e}")
        path = HERE / "t5-hooks" / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in out.items()}, path)
        print(f"{name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:] or ["t5", "t5-v1.1"])
