"""Writes variants.json and variants.safetensors: switches that change which weights there are.

    python3 make_variants.py

Made with the versions that make_checkpoints.py names. Each family has a small config, and variants
of it with few fields changed, most of them one alone. Weights are drawn from a counter (`drawn`),
so that no file holds them: those of one name and shape are the same in all variants of a family.

- variants.json: {FAMILY: {config, weights, variants: {NAME: {change, absent, weights}}}}: config.json
  and what a variant changes in it (null: the field is taken out); weights as transformers saves
  them, by name [seed, centre, spread, ...shape], and which of them a variant lacks or has
  otherwise;
- variants.safetensors: FAMILY.ids and FAMILY.mask [B, T] (T5: FAMILY.decoderIds), FAMILY.NAME the
  logits [B, T, V]; NAME is `base` without a change. Row 1 has pads, of T5 on the right.
"""

import copy
import json
import re
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from make_checkpoints import HERE, load, rope
from safetensors.torch import load_file, save_file

T, T_DECODER, PADS, VOCAB = 8, 5, (0, 3), 31
TOKENS = dict(vocab_size=VOCAB, pad_token_id=0, bos_token_id=1, eos_token_id=2)
SIZES = dict(
    **TOKENS, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=32,
)
RMS = dict(**SIZES, num_key_value_heads=2, rms_norm_eps=0.01, tie_word_embeddings=False, **rope())
TIED = dict(tied={"tie_word_embeddings": True})
UNTIED = dict(untied={"tie_word_embeddings": False})
HEADS = {
    # A head that is not hidden / heads: what heads give is wider than the residual.
    "head_dim": {"head_dim": 6},
    "one_key_head": {"num_key_value_heads": 1},
    "all_key_heads": {"num_key_value_heads": 4},
}
# As on the hub, layer_types is not there in files of Qwen 2.5.
WINDOW = {"use_sliding_window": True, "sliding_window": 3}
WINDOWS = {
    "window_off": {"use_sliding_window": False, "sliding_window": 3, "max_window_layers": 0},
    "window_all": {**WINDOW, "max_window_layers": 0},
    "window_from_1": {**WINDOW, "max_window_layers": 1},
    "window_none": {**WINDOW, "max_window_layers": 2},
    "window_first": {
        **WINDOW, "max_window_layers": 1, "layer_types": ["sliding_attention", "full_attention"]},
    "window_second": {
        **WINDOW, "max_window_layers": 0, "layer_types": ["full_attention", "sliding_attention"]},
}
BIAS = {"attention_bias": {"attention_bias": True}}
FALCON = dict(
    **{**SIZES, "intermediate_size": None}, ffn_hidden_size=24, layer_norm_epsilon=0.01, **rope(),
    multi_query=True, parallel_attn=True, new_decoder_architecture=False, bias=False, alibi=False,
)
NEW = {"new_decoder_architecture": True, "num_kv_heads": 2}
T5 = dict(
    vocab_size=VOCAB, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, d_model=16,
    num_heads=2, d_kv=6, d_ff=20, num_layers=2, layer_norm_epsilon=0.01,
    relative_attention_num_buckets=32, relative_attention_max_distance=128,
    feed_forward_proj="relu",
)

# family -> (config class, arguments, fields that variants change)
FAMILIES = {
    "llama": (hf.LlamaConfig, RMS, {
        **TIED, **HEADS, **BIAS, "mlp_bias": {"mlp_bias": True}, **{
            name: {"hidden_act": name} for name in ("quick_gelu", "relu2", "tanh")}}),
    "mistral": (hf.MistralConfig, {**RMS, "sliding_window": None}, {
        **TIED, **HEADS, "sliding_window": {"sliding_window": 3},
        # Its own list of layers makes transformers load it as a Ministral.
        "layer_types": {
            "sliding_window": 3, "layer_types": ["full_attention", "sliding_attention"]}}),
    "qwen2": (hf.Qwen2Config, RMS, {**TIED, **WINDOWS, "one_key_head": HEADS["one_key_head"]}),
    "qwen3": (hf.Qwen3Config, {**RMS, "head_dim": 6}, {
        **TIED, **HEADS, "head_dim": {"head_dim": 4}, **BIAS, **WINDOWS}),
    "gemma": (hf.GemmaConfig, {**RMS, "tie_word_embeddings": True, "head_dim": 6}, {
        **UNTIED, **HEADS, "head_dim": {"head_dim": 4}, **BIAS}),
    "gemma2": (hf.Gemma2Config, {
        **RMS, "tie_word_embeddings": True, "head_dim": 6, "sliding_window": 3,
        "query_pre_attn_scalar": 12}, {
        **UNTIED, **HEADS, "head_dim": {"head_dim": 4}, **BIAS,
        "layer_types": {"layer_types": ["full_attention", "sliding_attention"]}}),
    "gemma3_text": (hf.Gemma3TextConfig, {
        **{key: value for key, value in RMS.items() if key != "rope_parameters"},
        "tie_word_embeddings": True, "head_dim": 6, "sliding_window": 3,
        "query_pre_attn_scalar": 12}, {
        **UNTIED, **HEADS, "head_dim": {"head_dim": 4}, **BIAS,
        "layer_types": {"layer_types": ["full_attention", "sliding_attention"]}}),
    "phi3": (hf.Phi3Config, RMS, {
        **TIED, "one_key_head": HEADS["one_key_head"], "all_key_heads": HEADS["all_key_heads"],
        "sliding_window": {"sliding_window": 3}}),
    "gpt2": (hf.GPT2Config, dict(
        vocab_size=VOCAB, bos_token_id=1, eos_token_id=2, n_embd=16, n_layer=2, n_head=4,
        n_positions=24, layer_norm_epsilon=0.01), {
        **UNTIED, "n_inner": {"n_inner": 24},
        "quick_gelu": {"activation_function": "quick_gelu"}}),
    "gpt_neox": (hf.GPTNeoXConfig, dict(
        **SIZES, layer_norm_eps=0.01, rotary_pct=0.5, rotary_emb_base=50.0,
        use_parallel_residual=True, attention_bias=True, tie_word_embeddings=False), {
        **TIED, "no_attention_bias": {"attention_bias": False},
        "sequential": {"use_parallel_residual": False}}),
    "falcon": (hf.FalconConfig, FALCON, {
        **UNTIED, "bias": {"bias": True}, "not_multi_query": {"multi_query": False},
        "sequential": {"parallel_attn": False}, "alibi": {"alibi": True},
        "new": NEW, "new_bias": {**NEW, "bias": True},
        "new_all_key_heads": {**NEW, "num_kv_heads": 4},
        "new_one_norm": {**NEW, "num_ln_in_parallel_attn": 1},
        "new_not_multi_query": {**NEW, "multi_query": False},
        "not_multi_query_bias": {"multi_query": False, "bias": True},
        "not_multi_query_sequential": {"multi_query": False, "parallel_attn": False},
        "not_multi_query_alibi": {"multi_query": False, "alibi": True},
        "ffn_hidden_size": {"ffn_hidden_size": 40}}),
    "t5": (hf.T5Config, T5, {
        **UNTIED, "num_buckets": {"relative_attention_num_buckets": 8},
        "max_distance": {
            "relative_attention_num_buckets": 8, "relative_attention_max_distance": 5},
        "gated-gelu": {"feed_forward_proj": "gated-gelu"},
        "gated-silu": {"feed_forward_proj": "gated-silu"},
        "gated-relu": {"feed_forward_proj": "gated-relu"},
        "gated-quick_gelu": {"feed_forward_proj": "gated-quick_gelu"},
        "gelu": {"feed_forward_proj": "gelu"}, "silu": {"feed_forward_proj": "silu"},
        "d_kv": {"d_kv": 8}, "num_decoder_layers": {"num_decoder_layers": 1}}),
}


def drawn(seed, count):
    """Numbers from 0 to below 1: the hash lowbias32 of seed + 0, 1, 2 .., over 2**32."""
    x = (np.arange(count, dtype=np.uint64) + seed) & 0xFFFFFFFF
    x ^= x >> 16
    x = x * 0x7FEB352D & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0x846CA68B & 0xFFFFFFFF
    x ^= x >> 16
    return x.astype(np.float64) / 2.0**32


def rule(name, shape, family):
    """[seed, centre, spread, ...shape]: values are even between centre - spread and + spread."""
    kind = name.split(".")[-2]
    centre = 1.0 if len(shape) == 1 and name.endswith("weight") else 0.0
    if family.startswith("gemma"):
        centre = 0.0
    if len(shape) == 1:
        spread = 0.5
    elif kind in ("embed_tokens", "word_embeddings", "embed_in", "wte", "wpe", "shared"):
        spread = 0.6 if family.startswith("gemma") else 1.2
    elif kind == "relative_attention_bias":
        spread = 2.0
    else:
        fan_in = shape[0 if family == "gpt2" else 1]  # GPT-2 stores [in, out]
        isolated = family == "t5" and kind in ("q", "k")  # T5 does not scale its scores
        spread = round((1.5 if isolated else 2.5) / fan_in**0.5, 3)
    return [zlib.crc32(name.encode()), centre, spread, *shape]


def weights_of(values, family):
    """The rules of all weights of a model, under the names under which it is saved."""
    config = FAMILIES[family][0].from_dict(copy.deepcopy(values))
    auto = hf.AutoModelForSeq2SeqLM if family == "t5" else hf.AutoModelForCausalLM
    model = auto.from_config(config, dtype=torch.float32)
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        saved = load_file(Path(directory) / "model.safetensors")
    shapes = {name: list(value.shape) for name, value in saved.items()}
    # transformers ties every new T5; files that say otherwise have an output of their own.
    if family == "t5" and not values["tie_word_embeddings"]:
        shapes["lm_head.weight"] = shapes["shared.weight"]
    return {name: rule(name, shape, family) for name, shape in sorted(shapes.items())}


def write(directory, values, weights):
    directory = Path(directory)
    (directory / "config.json").write_text(json.dumps(values))
    tensors = {}
    for name, (seed, centre, spread, *shape) in weights.items():
        numbers = centre + spread * (2 * drawn(seed, int(np.prod(shape))) - 1)
        tensors[name] = torch.from_numpy(numbers.astype(np.float32).reshape(shape))
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})


@torch.no_grad()
def logits(family, values, weights, given):
    with tempfile.TemporaryDirectory() as directory:
        write(directory, values, weights)
        model = load(family, directory)
    options = dict(
        input_ids=given["ids"].long(), attention_mask=given["mask"].long(), use_cache=False)
    if family == "t5":
        return model(**options, decoder_input_ids=given["decoderIds"].long()).logits
    positions = (given["mask"].long().cumsum(-1) - 1).clamp(min=0)
    return model(**options, position_ids=positions).logits


def inputs(family):
    generator = torch.Generator().manual_seed(zlib.crc32(family.encode()))
    ids = torch.randint(3, VOCAB, (len(PADS), T), generator=generator)
    mask = torch.ones_like(ids)
    for row, pads in enumerate(PADS):
        mask[row, slice(T - pads, None) if family == "t5" else slice(pads)] = 0
    out = {"ids": (ids * mask).int(), "mask": mask.int()}
    if family == "t5":
        decoder = torch.randint(3, VOCAB, (len(PADS), T_DECODER), generator=generator)
        decoder[:, 0] = 0
        out["decoderIds"] = decoder.int()
    return out


def changed(values, change):
    out = {**values, **change}
    return {key: value for key, value in out.items() if key not in change or value is not None}


def plain(config):
    """config.json as on the hub: without fields that no pass reads, and lists of layers."""
    values = json.loads(config.to_json_string(use_diff=True))
    for field in (
            "transformers_version", "dtype", "layer_types", "dense_act_fn", "is_gated_act",
            "scale_decoder_outputs"):
        values.pop(field, None)
    return values


def real(family, given, values):
    return values if family == "t5" else values[given["mask"].bool()]


def main():
    table, out = {}, {}
    for family, (make, options, variants) in FAMILIES.items():
        config = make(**{k: v for k, v in copy.deepcopy(options).items() if v is not None})
        values, given = plain(config), inputs(family)
        out.update({f"{family}.{key}": value for key, value in given.items()})
        weights = weights_of(values, family)
        base = logits(family, values, weights, given)
        spread = real(family, given, base)
        print(f"{family}: logits from {spread.min():.2f} to {spread.max():.2f}")
        out[f"{family}.base"] = base
        entries = {}
        for name, change in variants.items():
            own_values = changed(values, change)
            own = weights_of(own_values, family)
            found = logits(family, own_values, own, given)
            moved = (real(family, given, found) - real(family, given, base)).abs().max().item()
            more = {key: value for key, value in own.items() if weights.get(key) != value}
            absent = [key for key in weights if key not in own]
            print(f"  {name}: {moved:.3g}, {len(more)} other weights, {len(absent)} less")
            entries[name] = dict(change=change, absent=absent, weights=more)
            out[f"{family}.{name}"] = found
        table[family] = dict(config=values, weights=weights, variants=entries)
    save_file({k: v.contiguous() for k, v in out.items()}, HERE / "variants.safetensors")
    (HERE / "variants.safetensors").chmod(0o644)
    (HERE / "variants.json").write_text(listed(table) + "\n")


def listed(table):
    """JSON with lists of plain values in one line."""
    text = json.dumps(table, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text)


if __name__ == "__main__":
    main()
