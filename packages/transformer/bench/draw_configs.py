"""Random configs of tiny models of every family, for differential.py."""

import transformers as hf

ACTIVATIONS = ["silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "relu", "swish",
               "quick_gelu", "relu2", "tanh"]
SCALINGS = ["default", "linear", "dynamic", "llama3", "yarn", "longrope"]
SIGLIP = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
              image_size=8, patch_size=4)
PICTURES = {
    "gemma3": (hf.Gemma3Config, dict(vision_config=SIGLIP, mm_tokens_per_image=4)),
    "llava": (hf.LlavaConfig, dict(vision_config=dict(
        SIGLIP, model_type="clip_vision_model", projection_dim=8, num_hidden_layers=2))),
    "mistral3": (hf.Mistral3Config, dict(vision_config=dict(
        SIGLIP, model_type="pixtral", head_dim=4))),
}


def chance(r, share):
    return r.random() < share


def divisor(r, number):
    return r.choice([one for one in range(1, number + 1) if number % one == 0])


def rope_of(r, dim, kinds=SCALINGS, share_of_scaled=0.6):
    """rope_parameters with heads of which dim features turn."""
    kinds = [kind for kind in kinds if kind != "dynamic" or dim > 2]
    kind = r.choice(kinds) if chance(r, share_of_scaled) else "default"
    rope = dict(rope_type=kind, rope_theta=r.choice([10000.0, 500.0, 1e6, 20.0, 123.5]))
    if kind in ("linear", "dynamic", "llama3", "yarn"):
        rope["factor"] = r.choice([2.0, 4.0, 8.0, 1.5, 3])
    if kind == "llama3":
        rope.update(low_freq_factor=r.choice([1.0, 0.5]), high_freq_factor=r.choice([4.0, 8, 2.0]),
                    original_max_position_embeddings=r.choice([8, 16, 64]))
    if kind == "yarn":
        rope["original_max_position_embeddings"] = r.choice([8, 16, 64, 128])
        optional = dict(beta_fast=[32, 2.0], beta_slow=[1, 0.25], attention_factor=[0.8, 1.7],
                        truncate=[True, False], mscale=[0.707, 2.0], mscale_all_dim=[1.0, 0.5])
        rope.update({k: r.choice(all_) for k, all_ in optional.items() if chance(r, 0.4)})
    if kind == "longrope":
        rope.update({f"{one}_factor": [round(r.uniform(1, 9), 3) for _ in range(dim // 2)]
                     for one in ("short", "long")})
        rope["original_max_position_embeddings"] = r.choice([4, 8, 16, 32])
        optional = dict(factor=[2.0, 16.0], attention_factor=[1.0, 1.3])
        rope.update({k: r.choice(all_) for k, all_ in optional.items() if chance(r, 0.3)})
    return rope


def common(r):
    return dict(vocab_size=r.choice([17, 50, 97]), pad_token_id=0, bos_token_id=1, eos_token_id=2)


def epsilon(r):
    return r.choice([1e-6, 1e-5, 1e-3, 0.01])


def rms(r, **more):
    """What Llama and its kin share."""
    heads = r.choice([1, 2, 3, 4, 5, 6, 7, 8])
    made = dict(
        common(r), num_attention_heads=heads, num_key_value_heads=divisor(r, heads),
        hidden_size=heads * r.choice([4, 6, 8, 10]) if heads > 1 else 12,
        intermediate_size=r.choice([5, 12, 33, 48]), num_hidden_layers=r.randint(1, 4),
        max_position_embeddings=r.choice([8, 16, 64, 512]), rms_norm_eps=epsilon(r),
        hidden_act=r.choice(ACTIVATIONS), tie_word_embeddings=chance(r, 0.5))
    if chance(r, 0.5):
        made["head_dim"] = r.choice([2, 4, 6, 8, 10, 14, 16])
    return {**made, **more}


def head(o):
    return o.get("head_dim") or o["hidden_size"] // o["num_attention_heads"]


def kinds_of_layers(r, o):
    kinds = ["full_attention", "sliding_attention"]
    return [r.choice(kinds) for _ in range(o["num_hidden_layers"])]


def gpt2(r):
    heads = r.choice([1, 2, 3, 5])
    return hf.GPT2Config, dict(
        vocab_size=r.choice([17, 97]), bos_token_id=1, eos_token_id=2, n_head=heads,
        n_embd=heads * r.choice([5, 8, 12]), n_layer=r.randint(1, 4),
        n_positions=r.choice([24, 64]), layer_norm_epsilon=epsilon(r),
        activation_function=r.choice(ACTIVATIONS),
        n_inner=r.choice([None, 7, 40]), scale_attn_weights=chance(r, 0.8),
        scale_attn_by_inverse_layer_idx=chance(r, 0.3), tie_word_embeddings=chance(r, 0.8))


def llama(r):
    o = rms(r, attention_bias=chance(r, 0.4), mlp_bias=chance(r, 0.4))
    return hf.LlamaConfig, dict(o, rope_parameters=rope_of(r, head(o)))


def mistral(r):
    o = rms(r, sliding_window=r.choice([None, 1, 2, 5, 9, 4096]))
    return hf.MistralConfig, dict(o, rope_parameters=rope_of(r, head(o)))


def qwen(r, cls):
    o = rms(r)
    if cls is hf.Qwen3Config:
        o.update(head_dim=head(o), attention_bias=chance(r, 0.4))
    if chance(r, 0.7):
        o.update(use_sliding_window=chance(r, 0.7), sliding_window=r.choice([1, 3, 5, 4096]),
                 max_window_layers=r.randint(0, 4))
        if o["use_sliding_window"] and chance(r, 0.4):
            o["layer_types"] = kinds_of_layers(r, o)
    return cls, dict(o, rope_parameters=rope_of(r, head(o)))


def gemma(r, cls):
    o = rms(r, tie_word_embeddings=chance(r, 0.85), attention_bias=chance(r, 0.3))
    o["head_dim"] = dim = head(o)
    if cls is hf.GemmaConfig:
        return cls, dict(o, rope_parameters=rope_of(r, dim, share_of_scaled=0.4))
    o["hidden_activation"] = o.pop("hidden_act")
    o.update(query_pre_attn_scalar=r.choice([dim, 4, 12, 256]),
             sliding_window=r.choice([1, 2, 5, 9, 4096]),
             final_logit_softcapping=r.choice([None, 30.0, 8.0]))
    if chance(r, 0.4):
        o["layer_types"] = kinds_of_layers(r, o)
    if cls is hf.Gemma2Config:
        o["attn_logit_softcapping"] = r.choice([None, 50.0, 3.0])
        return cls, dict(o, rope_parameters=rope_of(r, dim, share_of_scaled=0.4))
    if "layer_types" not in o:
        o["sliding_window_pattern"] = r.choice([1, 2, 3, 6])
    return cls, dict(o, rope_parameters=dict(
        full_attention=rope_of(r, dim), sliding_attention=rope_of(r, dim, share_of_scaled=0.1)))


def falcon(r):
    heads = r.choice([1, 2, 3, 4, 6, 12])
    o = dict(common(r), hidden_size=heads * r.choice([4, 6, 8]) if heads > 1 else 12,
             num_attention_heads=heads, num_hidden_layers=r.randint(1, 4),
             layer_norm_epsilon=epsilon(r), max_position_embeddings=r.choice([16, 512]),
             bias=chance(r, 0.5), activation=r.choice(ACTIVATIONS), alibi=chance(r, 0.3),
             tie_word_embeddings=chance(r, 0.8), ffn_hidden_size=r.choice([None, 7, 40]))
    if chance(r, 0.4):
        o.update(new_decoder_architecture=True, num_kv_heads=divisor(r, heads),
                 num_ln_in_parallel_attn=r.choice([None, 1, 2]))
    else:
        o.update(multi_query=chance(r, 0.5), parallel_attn=chance(r, 0.5))
    return hf.FalconConfig, dict(o, rope_parameters=rope_of(r, head(o), share_of_scaled=0.4))


def phi3(r):
    o = rms(r, sliding_window=r.choice([None, 1, 3, 5, 2047]))
    o.pop("head_dim", None)
    share = r.choice([1.0, 0.5, 0.75, 0.4])
    dim = int(head(o) * share)
    rope = rope_of(r, dim, ["default", "default" if dim % 2 else "longrope"])
    if "original_max_position_embeddings" in rope:
        o["original_max_position_embeddings"] = rope.pop("original_max_position_embeddings")
    return hf.Phi3Config, dict(o, rope_parameters=dict(rope, partial_rotary_factor=share))


def gpt_neox(r):
    heads, width, share = r.choice([2, 3, 4, 5, 8]), r.choice([4, 6, 8, 12, 16]), r.choice(
        [0.25, 0.5, 1.0, 0.75, 0.3])
    dim = int(width * share)
    rope = rope_of(r, dim, ["default", "linear"] if dim % 2 else SCALINGS, 0.4)
    return hf.GPTNeoXConfig, dict(
        common(r), hidden_size=heads * width, intermediate_size=r.choice([7, 33]),
        num_hidden_layers=r.randint(1, 4), num_attention_heads=heads, layer_norm_eps=epsilon(r),
        max_position_embeddings=r.choice([16, 64]), hidden_act=r.choice(ACTIVATIONS),
        use_parallel_residual=chance(r, 0.6), attention_bias=chance(r, 0.7),
        tie_word_embeddings=chance(r, 0.2), rope_parameters=dict(rope, partial_rotary_factor=share))


def t5(r):
    buckets = r.choice([4, 6, 8, 12, 32])
    o = dict(
        vocab_size=r.choice([31, 97]), pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
        d_model=r.choice([8, 15, 24]), d_kv=r.choice([1, 3, 5, 8]), d_ff=r.choice([7, 32]),
        num_layers=r.randint(1, 4), num_heads=r.choice([1, 2, 3, 5]),
        feed_forward_proj=r.choice(["relu", "gated-gelu", "gated-silu", "gated-relu", "gelu"]),
        relative_attention_num_buckets=buckets, layer_norm_epsilon=epsilon(r),
        relative_attention_max_distance=r.choice([d for d in (16, 33, 128) if d > buckets]),
        tie_word_embeddings=chance(r, 0.5))
    if chance(r, 0.6):
        o["num_decoder_layers"] = r.randint(1, 3)
    return hf.T5Config, o


# Family -> a config class and its arguments.
FAMILIES = {
    "gpt2": gpt2, "llama": llama, "mistral": mistral, "falcon": falcon, "phi3": phi3,
    "gpt_neox": gpt_neox, "t5": t5,
    "qwen2": lambda r: qwen(r, hf.Qwen2Config), "qwen3": lambda r: qwen(r, hf.Qwen3Config),
    "gemma": lambda r: gemma(r, hf.GemmaConfig), "gemma2": lambda r: gemma(r, hf.Gemma2Config),
    "gemma3_text": lambda r: gemma(r, hf.Gemma3TextConfig),
    "gemma3": lambda r: gemma(r, hf.Gemma3TextConfig), "llava": llama, "mistral3": mistral,
}


def draw(family, r):
    """A config; of models for pictures and texts the whole."""
    cls, options = FAMILIES[family](r)
    config = cls(**options)
    if family not in PICTURES:
        return config
    outer, more = PICTURES[family]
    return outer(text_config=config.to_dict(), image_token_index=config.vocab_size - 1,
                 tie_word_embeddings=config.tie_word_embeddings, **more)
