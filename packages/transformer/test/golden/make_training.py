"""Writes training.json: gradients and losses of transformers on the small checkpoints.

    python3 make_training.py

Made with the versions that make_checkpoints.py names; one thread, no dropout. No network.

- gradients: {CHECKPOINT: {ids, promptLengths (T5: answers), loss, gradients: {WEIGHT: [seed, norm, dot]}}}:
  of the mean cross entropy over the tokens behind the prompts, in float64 (where a module of
  transformers casts to float32 inside, as RMS norms do, it stays so); dot: the sum of products
  with the numbers of `drawn` from that seed, so that no entry goes unseen.
- training: {NAME: {checkpoint, kind, learningRate, examples, losses, adapters}}: 200 steps of
  torch.optim.AdamW with get_cosine_schedule_with_warmup and clip_grad_norm_ in float32; step s has
  the examples (BATCH s + j) mod their number. Low-rank adapters are written here by hand: y = W x +
  alpha / r B A x, A from `drawn` with the seed listed, B zero.
"""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from torch import nn

HERE = Path(__file__).parent
FOLDER = HERE / "checkpoints"
STEPS, BATCH, EXAMPLES = 200, 4, 24
RANK, ALPHA = 4, 8
# With larger ones rounding of float32 alone moves losses of full training by more than 1e-3.
RATES = {"full": 2e-4, "low-rank": 2e-3}
SETTINGS = dict(
    warmupSteps=10, weightDecay=0.1, clipNorm=1.0, beta1=0.9, beta2=0.999,
    epsilon=1e-8, schedule="cosine")
torch.set_num_threads(1)
hf.logging.set_verbosity_error()
hf.logging.disable_progress_bar()


def drawn(seed, spread, shape):
    """Numbers between -spread and spread by a hash of seed + 0, seed + 1, ... (lowbias32)."""
    x = (np.arange(math.prod(shape), dtype=np.uint64) + seed).astype(np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    share = (x ^ (x >> np.uint32(16))) / 2.0**32
    return (spread * (2 * share - 1)).reshape(shape)


def rounded(value):
    """The same with eight digits of every number."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


def seed_of(name):
    return zlib.crc32(name.encode()) % 2**20


def load(name, dtype):
    kind = hf.T5ForConditionalGeneration if name.startswith("t5") else hf.AutoModelForCausalLM
    # The eager path of Falcon adds alibi twice in transformers 5.18; sdpa adds it once.
    attention = "sdpa" if name == "falcon-alibi" else "eager"
    model = kind.from_pretrained(FOLDER / name, dtype=dtype, attn_implementation=attention)
    # Small checkpoints of random weights have no dropout in eval mode; gradients flow all the same.
    return model.eval()


def filled(rows, filling):
    length = max(map(len, rows))
    return torch.tensor([list(row) + [filling] * (length - len(row)) for row in rows])


def loss_of(model, examples):
    """Mean cross entropy over the tokens that are to be foretold."""
    ids = filled([one["ids"] for one in examples], 0)
    if model.config.model_type == "t5":
        mask = filled([[1] * len(one["ids"]) for one in examples], 0)
        labels = filled([one["answerIds"] for one in examples], -100)
        logits = model(input_ids=ids, attention_mask=mask, labels=labels).logits
    else:
        labels = filled([
            [-100] * one["promptLength"] + one["ids"][one["promptLength"]:] for one in examples], -100)
        # Pads stand behind all that counts: causal attention needs no mask for them.
        logits = model(input_ids=ids).logits[:, :-1]
        labels = labels[:, 1:]
    return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))


def draw_examples(name, count, vocab, longest):
    random = np.random.default_rng(seed_of(name))
    draw = lambda length: [int(id) for id in random.integers(3, vocab, length)]
    examples = []
    for _ in range(count):
        length = int(random.integers(longest // 2, longest + 1))
        if name.startswith("t5"):
            answer = draw(int(random.integers(3, longest // 2))) + [1]
            examples.append(dict(ids=draw(length) + [1], answerIds=answer))
        else:
            prompt = int(random.integers(0, length // 2))
            examples.append(dict(ids=draw(length), promptLength=max(prompt, 1)))
    return examples


def gradients_of(name):
    model = load(name, torch.float64)
    examples = draw_examples(name, 3, 97, 14)
    loss = loss_of(model, examples)
    loss.backward()
    found = {}
    for name_here, parameter in model.named_parameters():
        # What the files call it.
        weight = name_here.replace("lm_head", "embed_out") if "neox" in name else name_here
        gradient = parameter.grad
        if gradient is None:
            continue
        own = gradient.numpy()
        rule = drawn(seed_of(weight), 1.0, own.shape)
        found[weight] = [seed_of(weight), float(np.linalg.norm(own)), float((own * rule).sum())]
    return dict(examples=examples, loss=loss.item(), gradients=found)


class LowRank(nn.Module):
    """A linear module that stays, with an adapter beside it."""

    def __init__(self, base, name):
        super().__init__()
        self.base = base
        outputs, inputs = base.weight.shape
        first = drawn(seed_of(name), 1 / math.sqrt(inputs), (RANK, inputs))
        self.a = nn.Parameter(torch.tensor(first, dtype=torch.float32))
        self.b = nn.Parameter(torch.zeros(outputs, RANK))

    def forward(self, x):
        return self.base(x) + ALPHA / RANK * (x @ self.a.T) @ self.b.T


def adapt(model):
    """Adapters at queries and values, by the names that they have in TypeScript."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    names = []

    def wrap(module, field, name):
        setattr(module, field, LowRank(getattr(module, field), name))
        names.append(name)

    if model.config.model_type == "t5":
        for side in ("encoder", "decoder"):
            for index, block in enumerate(getattr(model, side).block):
                for layer, place in zip(block.layer[:-1], ("own", "cross")):
                    attention = layer.SelfAttention if place == "own" else layer.EncDecAttention
                    wrap(attention, "q", f"{side}.{index}.{place}.query")
                    wrap(attention, "v", f"{side}.{index}.{place}.value")
    else:
        for index, block in enumerate(model.model.layers):
            wrap(block.self_attn, "q_proj", f"blocks.{index}.query")
            wrap(block.self_attn, "v_proj", f"blocks.{index}.value")
    return names


def is_decayed(name, parameter):
    return parameter.dim() > 1 and "relative_attention_bias" not in name


def train(checkpoint, kind):
    model = load(checkpoint, torch.float32)
    adapters = {name: seed_of(name) for name in adapt(model)} if kind == "low-rank" else {}
    named = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    groups = [
        dict(params=[one for name, one in named if is_decayed(name, one)],
             weight_decay=SETTINGS["weightDecay"]),
        dict(params=[one for name, one in named if not is_decayed(name, one)], weight_decay=0.0),
    ]
    optimizer = torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=RATES[kind],
        betas=(SETTINGS["beta1"], SETTINGS["beta2"]), eps=SETTINGS["epsilon"])
    schedule = hf.get_cosine_schedule_with_warmup(optimizer, SETTINGS["warmupSteps"], STEPS)
    examples = draw_examples(f"{checkpoint}", EXAMPLES, 97, 14)
    losses = []
    for step in range(STEPS):
        batch = [examples[(BATCH * step + j) % EXAMPLES] for j in range(BATCH)]
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([one for _, one in named], SETTINGS["clipNorm"])
        optimizer.step()
        schedule.step()
        losses.append(round(loss.item(), 7))
    return dict(checkpoint=checkpoint, kind=kind, learningRate=RATES[kind], examples=examples,
                losses=losses, adapters=adapters)


if __name__ == "__main__":
    names = sorted(path.name for path in FOLDER.iterdir() if path.name != "gemma3-wrapped")
    result = dict(
        settings=SETTINGS, steps=STEPS, batchSize=BATCH, rank=RANK, alpha=ALPHA,
        gradients={name: gradients_of(name) for name in names},
        training={
            f"{checkpoint} {kind}": train(checkpoint, kind)
            for checkpoint in ("llama3", "gpt2", "t5", "t5-v1.1")
            for kind in ("full", "low-rank") if (checkpoint, kind) != ("gpt2", "low-rank")
        })
    text = json.dumps(rounded(result), separators=(",", ":"))
    (HERE / "training.json").write_text(text + "\n")
