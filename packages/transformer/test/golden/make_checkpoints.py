"""Writes tiny random checkpoints and the outputs that Hugging Face transformers gives for them.

    python3 make_checkpoints.py            # all names
    python3 make_checkpoints.py llama t5   # some of them

The committed files were made with Python 3.11, torch 2.13.0 (CPU, one thread), transformers 5.18.0
and safetensors 0.8.0. No network. For each name it writes:

- checkpoints/NAME/config.json, model.safetensors: as save_pretrained writes them (float32);
- checkpoints/NAME/golden.safetensors: ids and mask [3, T], logits [3, T, V], hidden.k [3, T, D] as
  output_hidden_states gives them (hidden.0 the embeddings, the last one after the final norm).
  Rows 1 and 2 have 3 and 7 left pads. T5: right pads, decoderIds, hidden.k of the decoder and
  encoder.k of the encoder.
- the entry of NAME in switches.json: config fields that matter there, each with another value and
  the largest change of the logits (pads left out) when config.json has that value instead.
"""

import copy
import json
import math
import shutil
import sys
import tempfile
import zlib
from pathlib import Path

import torch
import transformers as hf
from safetensors.torch import save_file

HERE = Path(__file__).parent
T, T_DECODER, PADS = 18, 9, (0, 3, 7)
torch.set_num_threads(1)
hf.logging.set_verbosity_error()
hf.logging.disable_progress_bar()

# Sizes common to all. Large epsilons, so that a reader that ignores them fails.
TOKENS = dict(vocab_size=97, pad_token_id=0, bos_token_id=1, eos_token_id=2)
SIZES = dict(
    **TOKENS, hidden_size=24, intermediate_size=36, num_hidden_layers=3, num_attention_heads=4,
    max_position_embeddings=64, rms_norm_eps=0.01,
)
GQA = dict(**SIZES, num_key_value_heads=2, head_dim=8)


def rope(kind="default", theta=500.0, **more):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=theta, **more))


# Models that differ from another one in rope only have two layers.
LLAMA_ROPE = {**GQA, "num_hidden_layers": 2, "tie_word_embeddings": True}
LLAMA_YARN = {**LLAMA_ROPE, "max_position_embeddings": 256}
YARN = dict(factor=4.0, original_max_position_embeddings=64, beta_fast=2.0, beta_slow=0.25)
PHI3 = dict(**SIZES, num_key_value_heads=2, original_max_position_embeddings=64)
PHI3_LONG = {**PHI3, "num_hidden_layers": 2}
LONG = dict(long_factor=[1.5, 3.0, 6.0], short_factor=[1.0, 1.3, 2.0])
FALCON = dict(
    **TOKENS, hidden_size=24, ffn_hidden_size=48, num_hidden_layers=3, num_attention_heads=4,
    layer_norm_epsilon=0.01, max_position_embeddings=64,
)
NEOX = dict(
    **TOKENS, hidden_size=32, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4,
    layer_norm_eps=0.01, max_position_embeddings=64,
)
T5 = dict(
    vocab_size=97, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, d_model=24,
    num_heads=4, layer_norm_epsilon=0.01,
)

# name -> (config class, arguments)
CONFIGS = {
    "gpt2": (hf.GPT2Config, dict(
        vocab_size=97, bos_token_id=1, eos_token_id=2, n_embd=24, n_layer=3, n_head=4, n_inner=48,
        n_positions=24, layer_norm_epsilon=0.01)),
    "llama": (hf.LlamaConfig, dict(**SIZES, **rope(), head_dim=8)),
    # One frequency stays, one is between the two limits (s = 0.38), two are divided.
    "llama3": (hf.LlamaConfig, dict(
        **{**GQA, "max_position_embeddings": 512}, tie_word_embeddings=True, **rope(
            "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=64))),
    "llama-linear": (hf.LlamaConfig, dict(**LLAMA_ROPE, **rope("linear", factor=4.0))),
    "llama-dynamic": (hf.LlamaConfig, dict(
        **{**LLAMA_ROPE, "max_position_embeddings": 8}, **rope("dynamic", factor=3.0))),
    "llama-yarn": (hf.LlamaConfig, dict(**LLAMA_YARN, **rope("yarn", **YARN))),
    "llama-yarn-mscale": (hf.LlamaConfig, dict(**LLAMA_YARN, **rope(
        "yarn", **YARN, mscale=1.5, mscale_all_dim=0.5, truncate=False))),
    "llama-bias": (hf.LlamaConfig, dict(
        **SIZES, num_key_value_heads=2, attention_bias=True, mlp_bias=True, **rope())),
    "mistral": (hf.MistralConfig, dict(**GQA, sliding_window=5, **rope())),
    "qwen2": (hf.Qwen2Config, dict(
        **SIZES, num_key_value_heads=2, use_sliding_window=True, sliding_window=5,
        max_window_layers=1, **rope())),
    "qwen3": (hf.Qwen3Config, dict(**GQA, tie_word_embeddings=True, **rope())),
    "gemma": (hf.GemmaConfig, dict(**{**GQA, "num_key_value_heads": 1}, **rope())),
    "gemma2": (hf.Gemma2Config, dict(
        **GQA, sliding_window=5, query_pre_attn_scalar=12, attn_logit_softcapping=5.0,
        final_logit_softcapping=4.0, **rope())),
    "gemma3": (hf.Gemma3TextConfig, dict(
        **{**GQA, "num_hidden_layers": 4}, sliding_window=5, sliding_window_pattern=3,
        query_pre_attn_scalar=12, rope_parameters=dict(
            full_attention=dict(rope_type="linear", factor=4.0, rope_theta=500.0),
            sliding_attention=dict(rope_type="default", rope_theta=20.0)))),
    "falcon": (hf.FalconConfig, dict(
        **FALCON, multi_query=True, parallel_attn=True, bias=False, **rope())),
    "falcon-new": (hf.FalconConfig, dict(
        **FALCON, new_decoder_architecture=True, num_kv_heads=2, bias=False, **rope())),
    # 12 heads: a number that is no power of two has slopes that bfloat16 rounds, as in Falcon-RW.
    "falcon-alibi": (hf.FalconConfig, dict(
        **{**FALCON, "num_attention_heads": 12}, alibi=True, multi_query=False,
        parallel_attn=False, bias=True)),
    "phi3": (hf.Phi3Config, dict(**PHI3, **rope(partial_rotary_factor=0.7))),
    # Shorter than every row, since transformers goes by the longest row of a batch.
    "phi3-longrope": (hf.Phi3Config, dict(
        **{**PHI3_LONG, "original_max_position_embeddings": 8}, **rope("longrope", **LONG))),
    "phi3-longrope-short": (hf.Phi3Config, dict(
        **{**PHI3_LONG, "original_max_position_embeddings": 32}, **rope("longrope", **LONG))),
    # Heads of 16, so that a quarter of one is more than a single pair.
    "gpt-neox": (hf.GPTNeoXConfig, dict(
        **{**NEOX, "num_attention_heads": 2}, use_parallel_residual=True, rotary_pct=0.25,
        rotary_emb_base=20.0)),
    "gpt-neox-sequential": (hf.GPTNeoXConfig, dict(
        **NEOX, use_parallel_residual=False, rotary_pct=0.5, rotary_emb_base=20.0)),
    # Three features of a head of eight turn, and one more with them.
    "gpt-neox-odd": (hf.GPTNeoXConfig, dict(**NEOX, rotary_pct=0.4, rotary_emb_base=20.0)),
    # As on the hub: fields that have the value of the class are left out, positions in the old form.
    "gemma3-wrapped": (hf.Gemma3Config, dict(
        mm_tokens_per_image=4, image_token_index=96, text_config=dict(
            **{**SIZES, "num_attention_heads": 8, "rms_norm_eps": 1e-6}, num_key_value_heads=4,
            head_dim=4, sliding_window=5, sliding_window_pattern=3),
        vision_config=dict(
            hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
            image_size=8, patch_size=4))),
    "t5": (hf.T5Config, dict(
        **T5, num_layers=3, num_decoder_layers=2, d_kv=6, d_ff=20, feed_forward_proj="relu",
        relative_attention_num_buckets=32, relative_attention_max_distance=128)),
    "t5-v1.1": (hf.T5Config, dict(
        **T5, num_layers=2, num_decoder_layers=2, d_kv=5, d_ff=32, feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=12, relative_attention_max_distance=16,
        tie_word_embeddings=False)),
}

# Candidates for switches.json, by model type and by name.
EPS, THETA = ("rms_norm_eps", 0.1), ("rope_parameters.rope_theta", 50.0)
DEFAULT_ROPE, GELU = ("rope_parameters.rope_type", "default"), ("hidden_act", "gelu")
SWITCHES_OF_TYPE = {
    "gpt2": [("layer_norm_epsilon", 0.1), ("activation_function", "relu"), ("n_head", 2),
             ("scale_attn_weights", False), ("scale_attn_by_inverse_layer_idx", True)],
    "llama": [EPS, THETA, GELU],
    "mistral": [EPS, THETA, GELU, ("sliding_window", 9), ("sliding_window", None)],
    "qwen2": [EPS, THETA, GELU, ("sliding_window", 9), ("layer_types", ["full_attention"] * 3)],
    "qwen3": [EPS, THETA, GELU],
    "gemma": [EPS, THETA, ("hidden_act", "relu")],
    "gemma2": [EPS, THETA, ("hidden_activation", "relu"), ("sliding_window", 9),
               ("layer_types", ["full_attention"] * 3), ("query_pre_attn_scalar", 4),
               ("attn_logit_softcapping", 20.0), ("attn_logit_softcapping", None),
               ("final_logit_softcapping", 20.0), ("final_logit_softcapping", None)],
    "gemma3_text": [
        EPS, ("hidden_activation", "relu"), ("sliding_window", 9), ("query_pre_attn_scalar", 4),
        ("layer_types", ["sliding_attention", "full_attention"] * 2),
        ("final_logit_softcapping", 2.0),
        ("rope_parameters.full_attention.rope_theta", 50.0),
        ("rope_parameters.full_attention.factor", 1.0),
        ("rope_parameters.full_attention.rope_type", "default"),
        ("rope_parameters.sliding_attention.rope_theta", 500.0)],
    "falcon": [("layer_norm_epsilon", 0.1), ("activation", "relu"), THETA, ("alibi", True),
               ("alibi", False)],
    "phi3": [EPS, THETA, GELU, ("sliding_window", 5)],
    "gpt_neox": [("layer_norm_eps", 0.1), THETA, ("hidden_act", "relu"),
                 ("num_attention_heads", 4), ("num_attention_heads", 2),
                 ("rope_parameters.partial_rotary_factor", 1.0),
                 ("use_parallel_residual", True), ("use_parallel_residual", False)],
    "t5": [("layer_norm_epsilon", 0.1), ("dense_act_fn", "gelu_new"), ("dense_act_fn", "relu"),
           ("relative_attention_max_distance", 64), ("scale_decoder_outputs", False),
           ("scale_decoder_outputs", True)],
}
SWITCHES_OF_TYPE["gemma3"] = [
    (f"text_config.{field}", value) for field, value in [
        EPS, ("sliding_window", 9), ("query_pre_attn_scalar", 4), ("hidden_activation", "relu"),
        ("rope_scaling.factor", 2.0), ("rope_theta", 500.0), ("rope_local_base_freq", 20.0),
        ("sliding_window_pattern", 2)]]
YARN_SWITCHES = [
    DEFAULT_ROPE, ("rope_parameters.factor", 2.0), ("rope_parameters.beta_fast", 8.0),
    ("rope_parameters.beta_slow", 1.0), ("rope_parameters.original_max_position_embeddings", 16),
    ("rope_parameters.attention_factor", 2.0)]
LONG_SWITCHES = [
    DEFAULT_ROPE, ("rope_parameters.long_factor", [1.0, 1.0, 1.0]),
    ("rope_parameters.short_factor", [3.0, 3.0, 3.0]), ("max_position_embeddings", 4096),
    ("original_max_position_embeddings", 48), ("original_max_position_embeddings", 8),
    ("rope_parameters.attention_factor", 2.0), ("rope_parameters.factor", 1000.0)]
SWITCHES_OF_NAME = {
    "llama3": [DEFAULT_ROPE, ("rope_parameters.factor", 2.0),
               ("rope_parameters.low_freq_factor", 0.1), ("rope_parameters.high_freq_factor", 8.0),
               ("rope_parameters.original_max_position_embeddings", 256)],
    "llama-linear": [DEFAULT_ROPE, ("rope_parameters.factor", 2.0)],
    "llama-dynamic": [DEFAULT_ROPE, ("rope_parameters.factor", 1.0),
                      ("max_position_embeddings", 16)],
    "llama-yarn": [*YARN_SWITCHES, ("rope_parameters.truncate", False)],
    "llama-yarn-mscale": [
        *YARN_SWITCHES, ("rope_parameters.truncate", True), ("rope_parameters.mscale", 4.0),
        ("rope_parameters.mscale_all_dim", 4.0)],
    "phi3": [("rope_parameters.partial_rotary_factor", 1.0)],
    "phi3-longrope": LONG_SWITCHES,
    "phi3-longrope-short": LONG_SWITCHES,
}


def deviation(name, weight, config):
    """The standard deviation of the random values of a parameter."""
    if weight.dim() == 1:
        return 0.3  # biases and norm weights
    if weight.dim() > 2:
        return 0.02  # of pictures
    fan_in = weight.shape[0 if config.model_type == "gpt2" else 1]  # GPT-2 stores [in, out]
    kind = name.split(".")[-2]
    if kind == "relative_attention_bias":
        return 1.0
    if kind in ("embed_tokens", "word_embeddings", "embed_in", "wte", "wpe", "shared"):
        if config.model_type.startswith("gemma"):
            return 0.35
        return 1.2 if config.model_type == "t5" else 0.8
    gain = {"lm_head": 2.0, "o": 1.0, "o_proj": 1.0, "dense": 1.0, "c_proj": 1.0}.get(kind, 1.5)
    if config.model_type == "t5" and kind in ("q", "k"):
        gain = 1.0  # T5 does not scale its scores
    if config.model_type == "gemma2" and kind in ("q_proj", "k_proj"):
        gain = 2.0  # scores beyond the soft-cap
    return gain / math.sqrt(fan_in)


def build(name):
    """A model with seeded random weights."""
    make, options = CONFIGS[name]
    config = make(**copy.deepcopy(options))
    auto = hf.AutoModelForSeq2SeqLM if config.model_type == "t5" else hf.AutoModelForCausalLM
    model = auto.from_config(config, dtype=torch.float32)
    if options.get("tie_word_embeddings") is False and config.model_type == "t5":
        # transformers ties every new T5, whatever the config says.
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    norms_around = 0.0 if config.model_type.startswith("gemma") else 1.0
    with torch.no_grad():
        for key, weight in sorted(model.named_parameters()):
            weight.copy_(torch.randn(weight.shape, generator=generator))
            weight.mul_(deviation(key, weight, config))
            if weight.dim() == 1 and key.endswith("weight"):
                weight.add_(norms_around)
            if key.endswith(("q_norm.weight", "k_norm.weight")):
                weight.add_(0.6)  # scores that differ
    return model


def inputs(name, vocab):
    """Token ids (no pad among the real ones) and masks."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) + 1)
    ids = torch.randint(1, vocab, (len(PADS), T), generator=generator)
    mask = torch.ones_like(ids)
    for row, pads in enumerate(PADS):
        mask[row, slice(T - pads, None) if name.startswith("t5") else slice(pads)] = 0
    decoder = torch.randint(1, vocab, (len(PADS), T_DECODER), generator=generator)
    decoder[:, 0] = 0
    return ids * mask, mask, decoder


def as_on_hub(path):
    """config.json of a model for pictures and texts with what differs from its class alone."""
    config = json.loads(path.read_text())
    text = config["text_config"]
    plain = hf.Gemma3TextConfig().to_dict()
    kept = {key: value for key, value in text.items() if plain.get(key, value) != value}
    for field in ("rope_parameters", "layer_types", "_sliding_window_pattern"):
        kept.pop(field, None)
    config["text_config"] = dict(
        kept, model_type="gemma3_text", sliding_window_pattern=3,
        rope_scaling=dict(rope_type="linear", factor=8.0))
    path.write_text(json.dumps(config, indent=2) + "\n")


def load(name, directory):
    """The model in a directory. Raises if its weights do not fit its config."""
    auto = hf.AutoModelForSeq2SeqLM if name.startswith("t5") else hf.AutoModelForCausalLM
    # The eager path of Falcon adds alibi twice in transformers 5.18; sdpa adds it once, as trained.
    alibi = json.loads((Path(directory) / "config.json").read_text()).get("alibi")
    attention = "sdpa" if alibi else "eager"
    model, info = auto.from_pretrained(
        directory, attn_implementation=attention, dtype=torch.float32, output_loading_info=True
    )
    if any(info.values()):
        raise ValueError(str(info))
    return model.eval()


@torch.no_grad()
def run(name, model):
    """The tensors of golden.safetensors."""
    vocab = model.config.get_text_config().vocab_size
    # The last id of a wrapped model stands for a picture.
    ids, mask, decoder = inputs(name, vocab - name.endswith("wrapped"))
    out = {"ids": ids.int(), "mask": mask.int()}
    options = dict(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False)
    if name.startswith("t5"):
        result = model(**options, decoder_input_ids=decoder)
        out["decoderIds"] = decoder.int()
        layers = dict(hidden=result.decoder_hidden_states, encoder=result.encoder_hidden_states)
    else:
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        result = model(**options, position_ids=positions)
        layers = dict(hidden=result.hidden_states)
    out["logits"] = result.logits
    for kind, states in layers.items():
        out.update({f"{kind}.{k}": state for k, state in enumerate(states)})
    return {key: value.contiguous() for key, value in out.items()}


def real_logits(out):
    """Logits without pads (T5: a decoder has none)."""
    return out["logits"] if "decoderIds" in out else out["logits"][out["mask"].bool()]


def put(config, field, value):
    """Sets a field, with dots between the levels. False where that changes nothing."""
    *path, last = field.split(".")
    for key in path:
        config = config[key]
    if last in config and config[last] == value:
        return False
    config[last] = value
    return True


def switches(name, directory, out):
    """The config fields that matter, with the change that another value makes."""
    original = json.loads((directory / "config.json").read_text())
    candidates = SWITCHES_OF_TYPE[original["model_type"]] + SWITCHES_OF_NAME.get(name, [])
    found = []
    for field, value in candidates:
        config = copy.deepcopy(original)
        if not put(config, field, value):
            continue
        with tempfile.TemporaryDirectory() as other:
            shutil.copy(directory / "model.safetensors", other)
            (Path(other) / "config.json").write_text(json.dumps(config))
            try:
                changed = run(name, load(name, other))
            except Exception as error:  # the weights or transformers do not allow this value
                print(f"  {field} = {value}: {type(error).__name__}: {str(error)[:90]}")
                continue
        change = (real_logits(changed) - real_logits(out)).abs().max().item()
        print(f"  {field} = {value}: {change:.3g}")
        if change > 1e-2:
            found.append(dict(field=field, value=value, change=round(change, 5)))
    return found


def main(names):
    path = HERE / "switches.json"
    table = json.loads(path.read_text()) if path.exists() else {}
    for name in names:
        directory = HERE / "checkpoints" / name
        shutil.rmtree(directory, ignore_errors=True)
        build(name).save_pretrained(directory, safe_serialization=True)
        (directory / "generation_config.json").unlink(missing_ok=True)
        if name.endswith("wrapped"):
            as_on_hub(directory / "config.json")
        out = run(name, load(name, directory))
        save_file(out, directory / "golden.safetensors")
        size = sum(file.stat().st_size for file in directory.iterdir())
        print(f"{name}: {size} bytes, logits of deviation {real_logits(out).std():.2f}")
        table[name] = switches(name, directory, out)
    table = {name: table[name] for name in CONFIGS if name in table}
    path.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or list(CONFIGS))
