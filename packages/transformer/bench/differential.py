"""Random checkpoints of a family, and what transformers makes of them; started by differential.ts.

    python3 differential.py FOLDER FAMILY SEED COUNT

Writes FOLDER/FAMILY-SEED/ with the checkpoint, `case.json` (ids, mask, decoderIds, the field that
was changed, what transformers refuses) and `golden.bin`, safetensors: logits and hidden states in
float32, and how far they are from those in float64 (`noise`). Prints the folders as JSON.
"""

import json
import math
import random
import shutil
import sys
import warnings
from pathlib import Path

import torch
import transformers as hf
from draw_configs import FAMILIES, chance, draw
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)
hf.logging.set_verbosity_error()
hf.logging.disable_progress_bar()
warnings.filterwarnings("ignore")

HARMLESS = dict(_name_or_path="someone/model", use_cache=True, transformers_version="4.31.0",
                attention_dropout=0.1, unsloth_version="2024.9", max_length=20)
# Fields put in or changed: of other families, of other models, and of this family.
CHANGES = {
    "attention_bias": [True, False], "mlp_bias": [True, False], "use_sliding_window": [True],
    "sliding_window": [2, None], "partial_rotary_factor": [0.5, 1.0], "logits_scaling": [2.0],
    "logit_scale": [0.5], "attention_multiplier": [0.1], "residual_multiplier": [0.5],
    "embedding_multiplier": [3.0], "clip_qkv": [0.5], "num_local_experts": [4], "head_dim": [6],
    "quantization_config": [{"quant_method": "gptq", "bits": 4}], "use_qk_norm": [True],
    "attn_logit_softcapping": [5.0, None], "final_logit_softcapping": [3.0, None],
    "query_pre_attn_scalar": [5], "rms_norm_eps": [0.1], "layer_norm_eps": [0.1],
    "layer_norm_epsilon": [0.1], "hidden_act": ["relu", "tanh"], "hidden_activation": ["relu"],
    "activation_function": ["relu", "tanh"], "activation": ["relu"], "rope_theta": [77.0],
    "rope_scaling": [{"type": "linear", "factor": 4.0}, {}, {"rope_type": "dynamic", "factor": 2}],
    "rope_parameters": [{"rope_type": "default"}, {"rope_theta": 50.0}],
    "rotary_pct": [0.5], "rotary_emb_base": [40.0], "rope_local_base_freq": [33.0],
    "sliding_window_pattern": [2], "_sliding_window_pattern": [2], "max_position_embeddings": [4],
    "original_max_position_embeddings": [4], "tie_word_embeddings": [True, False],
    "use_parallel_residual": [True, False], "parallel_attn": [True, False], "alibi": [True, False],
    "num_ln_in_parallel_attn": [1, 2], "scale_attn_weights": [False], "is_decoder": [True],
    "add_cross_attention": [True], "is_encoder_decoder": [True], "max_window_layers": [0, 1],
    "use_bidirectional_attention": [True], "per_layer_config": [{"0": {"sliding_window": 2}}],
    "tie_last_hidden_states": [False], "dense_act_fn": ["silu"], "is_gated_act": [True, False],
    "scale_decoder_outputs": [True, False], "relative_attention_max_distance": [64],
    "rope_interleaved": [True], "lm_head_bias": [True], "vocab_size": [40], "n_ctx": [7],
}


def auto(model_type):
    if model_type in ("llava", "mistral3"):
        return hf.AutoModelForImageTextToText
    return hf.AutoModelForSeq2SeqLM if model_type == "t5" else hf.AutoModelForCausalLM


def randomise(model, seed, scale):
    """Weights that let logits differ by more than 1."""
    generator = torch.Generator().manual_seed(seed)
    model_type = model.config.model_type
    is_gemma = model_type.startswith("gemma")
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            weight.copy_(torch.randn(weight.shape, generator=generator))
            if weight.dim() == 1:
                weight.mul_(0.3).add_(0.0 if is_gemma or not name.endswith("weight") else 1.0)
            elif any(one in name for one in ("embed", "wte", "wpe", "shared")):
                weight.mul_(0.35 if is_gemma else 0.8)
            else:
                inputs = weight.shape[0 if model_type == "gpt2" else 1]
                weight.mul_(scale * (2.0 if "lm_head" in name else 1.2) / math.sqrt(inputs))


def old_form(config, r):
    """rope_theta and rope_scaling, as files had them before rope_parameters."""
    model_type = config["model_type"]
    if "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    for field in ("layer_types", "dense_act_fn", "is_gated_act", "scale_decoder_outputs"):
        # Lists that were drawn stay: no other field says the same.
        if field != "layer_types" or "sliding_window_pattern" in config:
            config.pop(field, None)
    rope = config.pop("rope_parameters", None)
    if rope is None:
        return
    if model_type == "gemma3_text":
        full, near = rope["full_attention"], rope["sliding_attention"]
        if near["rope_type"] != "default":
            config["rope_parameters"] = rope
            return
        config.update(rope_theta=full.pop("rope_theta"), rope_local_base_freq=near["rope_theta"])
        config["rope_scaling"] = None if full["rope_type"] == "default" else full
        return
    theta, share = rope.pop("rope_theta"), rope.pop("partial_rotary_factor", None)
    is_neox = model_type == "gpt_neox"
    config["rotary_emb_base" if is_neox else "rope_theta"] = theta
    if share is not None:
        config["rotary_pct" if is_neox else "partial_rotary_factor"] = share
    if rope["rope_type"] != "default":
        if chance(r, 0.5):
            rope["type"] = rope.pop("rope_type")
        config["rope_scaling"] = rope


def as_on_hub(config, r):
    """Older names, harmless fields, and none that have the value of their class."""
    if chance(r, 0.5):
        old_form(config, r)
    config.update({name: value for name, value in HARMLESS.items() if chance(r, 0.2)})
    if chance(r, 0.5):
        cls = type(hf.AutoConfig.for_model(config["model_type"]))
        for name in [name for name in config if name not in ("model_type", "rope_parameters")]:
            if getattr(cls, name, "?") == config[name] and chance(r, 0.5):
                del config[name]


def changed(config, r):
    """Changes one field, or puts it in; gives its name."""
    names = [name for name in CHANGES if name in config] if chance(r, 0.5) else list(CHANGES)
    name = r.choice(names or list(CHANGES))
    config[name] = r.choice(CHANGES[name])
    return name


def other_names(path, model_type, r):
    """Names of weights as older files have them, buffers among them, outputs that are tied."""
    if not path.exists():
        return
    tensors = load_file(path)
    if model_type == "gpt2" and chance(r, 0.5):
        tensors = {name.removeprefix("transformer."): one for name, one in tensors.items()}
    if model_type in ("llama", "mistral") and chance(r, 0.3):
        tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.rand(4)
    embedding = next((one for one in tensors if "embed_tokens" in one or "wte" in one), None)
    if "lm_head.weight" not in tensors and model_type in ("gpt2", "llama", "qwen2", "qwen3"):
        if chance(r, 0.4):
            other = 1 if chance(r, 0.7) else 0.5
            tensors["lm_head.weight"] = tensors[embedding] * other
    save_file(tensors, path, metadata={"format": "pt"})


def padded(r, batch, length):
    mask = torch.ones(batch, length, dtype=torch.long)
    side = r.choice(["none", "left", "left", "right"])
    for row in range(batch):
        pads = r.randint(0, length - 1) if side != "none" and (row or chance(r, 0.3)) else 0
        mask[row, slice(pads) if side == "left" else slice(length - pads, None)] = 0
    return mask


def load(path, dtype):
    config = json.loads((path / "config.json").read_text())
    # The eager path of Falcon adds alibi twice in transformers 5.18; sdpa adds it once, as trained.
    attention = "sdpa" if config.get("alibi") else "eager"
    model, info = auto(config["model_type"]).from_pretrained(
        path, attn_implementation=attention, dtype=dtype, output_loading_info=True)
    if info["missing_keys"] or info["mismatched_keys"]:
        raise ValueError("weights do not fit")
    return model.eval()


@torch.no_grad()
def run(model, ids, mask, decoder):
    given = dict(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False)
    if decoder is None:
        result = model(**given, position_ids=(mask.cumsum(-1) - 1).clamp(min=0))
        layers = dict(hidden=result.hidden_states)
    else:
        result = model(**given, decoder_input_ids=decoder)
        layers = dict(hidden=result.decoder_hidden_states, encoder=result.encoder_hidden_states)
    states = {f"{kind}.{k}": one for kind, all_ in layers.items() for k, one in enumerate(all_)}
    states["logits"] = result.logits
    return {name: one.contiguous().clone() for name, one in states.items()}


def run_in_double(model, *given):
    """As run; where transformers asks for float32, it gets float64."""
    kept = torch.float32, torch.float, torch.Tensor.float
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    try:
        return run(model, *given)
    finally:
        torch.float32, torch.float, torch.Tensor.float = kept


def golden(path, ids, mask, decoder):
    """What transformers gives, or the first line of its refusal."""
    try:
        found = run(load(path, torch.float32), ids, mask, decoder)
        exact = run_in_double(load(path, torch.float64), ids, mask, decoder)
    except Exception as error:
        return None, f"{type(error).__name__}: {str(error)[:120]}"
    noise = 0.0
    for name, one in found.items():
        has_mask = decoder is None or name.startswith("encoder")
        off = (one - exact[name]).abs()
        noise = max(noise, (off[mask.bool()] if has_mask else off).max().item())
    return dict(found, noise=torch.tensor([noise])), None


def make(folder, family, seed):
    r = random.Random(f"{family} {seed}")
    shutil.rmtree(folder, ignore_errors=True)
    model = auto(family).from_config(draw(family, r), dtype=torch.float32)
    randomise(model, seed, r.choice([1.0, 1.0, 0.7]))
    shards = {} if chance(r, 0.7) else dict(max_shard_size="20KB")
    model.to(r.choice([torch.float32, torch.float16, torch.bfloat16])).save_pretrained(
        folder, **shards)
    vocabulary = model.config.get_text_config().vocab_size
    config = json.loads((folder / "config.json").read_text())
    inner = config.get("text_config", config)
    as_on_hub(inner, r)
    field = changed(inner, r) if chance(r, 0.35) else None
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    other_names(folder / "model.safetensors", family, r)
    generator = torch.Generator().manual_seed(seed)
    batch, length = r.randint(1, 4), r.randint(1, 20)
    # The last id stands for a picture where there are any.
    ids = torch.randint(0, vocabulary - ("text_config" in config), (batch, length),
                        generator=generator)
    mask = padded(r, batch, length)
    decoder = torch.randint(0, vocabulary, (batch, r.randint(1, 12)), generator=generator)
    decoder = decoder if family == "t5" else None
    found, refusal = golden(folder, ids, mask, decoder)
    if found is not None:
        save_file(found, folder / "golden.bin")
    ids_file = dict(ids=ids.tolist(), mask=mask.tolist())
    if decoder is not None:
        ids_file["decoderIds"] = decoder.tolist()
    (folder / "case.json").write_text(json.dumps(dict(ids_file, field=field, refusal=refusal)))


def main(folder, family, seed, count):
    names = [f"{family}-{one}" for one in range(seed, seed + count)]
    for at, name in enumerate(names):
        make(Path(folder) / name, family, seed + at)
    print(json.dumps(names))


if __name__ == "__main__":
    if sys.argv[1] == "families":
        print(json.dumps(list(FAMILIES)))
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
