"""Training of one mode and what is recorded of it: AdamW, one step per epoch, gradients added over
the batches."""

import numpy as np
import torch

from golden_evaluation import PseudoSeeds, evaluate
from golden_losses import info_nce
from golden_model import forward, ordered_pairs
from golden_problem import (
    BATCH,
    MODALITIES,
    SCORE_ORDER,
    SEED,
    STEPS,
    build_features,
    distinct,
    make_proxies,
)

LEARNING_RATE, WEIGHT_DECAY = 5e-3, 0.01
BETAS, ADAM_EPS = (0.9, 0.999), 1e-8
ITERATIVE_RATE = LEARNING_RATE / 5
# One round of pseudo seeds, shortened: a proposal after every epoch (in the method after 5),
# adoption after 5 epochs (in the method 50).
PROPOSE_EVERY, ADOPT_EVERY, EPOCHS_AFTER = 1, 5, 2
RUNS = {  # modality set, recorded steps, iterative stage with this optimiser reset (None: no stage)
    "official": (MODALITIES, STEPS, "every-epoch"),
    "corrected": (MODALITIES, STEPS, "once"),
    "masked": (MODALITIES, 3, None),
    "noimage": (("attribute", "relation"), 3, None),
    "bare": (MODALITIES, 3, None),
    "proxy": (MODALITIES, 3, None),
}


def prepare(problem, mode, dtype=torch.float64):
    """Tensors of a mode, and the arrays that describe them in the file."""
    features = build_features(problem, mode)
    triples = (
        problem["triples"] if mode in ("official", "noimage") else distinct(problem["triples"])
    )
    pairs, sets, pair_set = ordered_pairs(triples.tolist())
    inputs = {
        f"features.{m}": torch.tensor(features[f"features.{m}"], dtype=dtype) for m in SCORE_ORDER
    }
    inputs.update(
        {
            "available": torch.tensor(features["available"]),
            "pairs": torch.tensor(pairs),
            "sets": sets,
            "pairSet": torch.tensor(pair_set),
        }
    )
    described = dict(features)
    described["pairs"] = np.array(pairs, dtype=np.int32)
    described["pairSet"] = np.array(pair_set, dtype=np.int32)
    described["setRelations"] = np.array([r for ids in sets for r in ids], dtype=np.int32)
    described["setOffsets"] = np.cumsum([0] + [len(ids) for ids in sets]).astype(np.int32)
    return inputs, described


def with_options(start, mode):
    """The starts of a mode: those of the problem, and those that an option adds."""
    if mode != "proxy":
        return start
    return {**start, **make_proxies(np.random.default_rng(SEED + 2))}


def start_of(start, modalities, dtype=torch.float64):
    """The parameters that a run with these modalities has."""
    absent = [m for m in MODALITIES if m not in modalities]
    used = {
        name: value
        for name, value in start.items()
        if not any(name.startswith(f"{m}.") or name == f"fusion.factor.{m}" for m in absent)
    }
    return {
        name: torch.nn.Parameter(torch.tensor(value, dtype=dtype)) for name, value in used.items()
    }


def new_optimizer(p, lr):
    return torch.optim.AdamW(
        p.values(), lr=lr, betas=BETAS, eps=ADAM_EPS, weight_decay=WEIGHT_DECAY
    )


def epoch_step(p, inputs, modalities, seeds, order, optimizer, batch=BATCH):
    """One epoch: one forward pass, the mean loss of each batch, gradients added, one optimiser
    step."""
    out = forward(p, inputs, modalities)
    seeds = torch.as_tensor(np.asarray(seeds, dtype=np.int64))
    losses, per_seed = [], []
    for first in range(0, len(order), batch):
        chosen = seeds[torch.as_tensor(order[first : first + batch].astype(np.int64))]
        per_seed.append(info_nce(out["embedding"], chosen[:, 0], chosen[:, 1]))
        losses.append(per_seed[-1].mean())
    gradients = torch.autograd.grad(sum(losses), list(p.values()))
    for value, gradient in zip(p.values(), gradients):
        value.grad = gradient
    optimizer.step()
    return out, losses, torch.cat(per_seed), dict(zip(p, gradients))


def record_step(record, k, p, out, losses, per_seed, gradients):
    """Epoch 0 in full; of the others the losses."""
    record[f"step{k}.loss"] = torch.stack(losses)
    if k > 0:
        return
    record["step0.lossPerSeed"] = per_seed
    record.update({f"step0.out.{name}": value for name, value in out.items()})
    record.update({f"step0.gradient.{name}": value for name, value in gradients.items()})


def record_parameters(record, prefix, p):
    record.update({f"{prefix}.param.{name}": value.detach().clone() for name, value in p.items()})


def record_evaluation(record, o, problem):
    """Candidates `test`: the linked test entities of each side; `all`: every entity of each
    side."""
    test = problem["test"]
    record["final.embedding"] = o
    for name, left, right in (
        ("test", test[:, 0], test[:, 1]),
        ("all", problem["kg1"], problem["kg2"]),
    ):
        found = evaluate(o, test, left.astype(np.int64), right.astype(np.int64))
        record.update({f"eval.{name}.{key}": value for key, value in found.items()})


def iterative_stage(record, p, inputs, modalities, problem, reset, optimizer):
    """Epochs 10..16: five with proposals (the last adopts), two with the enlarged seeds; learning
    rate / 5.

    reset every-epoch: a new AdamW before each of these epochs; once: one before the first of them;
    never: the old optimiser goes on with its moments, at the lower rate.
    """
    rng = np.random.default_rng(7)
    round_ = PseudoSeeds(
        problem["seeds"], problem["kg1"], problem["kg2"], PROPOSE_EVERY, ADOPT_EVERY
    )
    if reset == "never":
        optimizer.param_groups[0]["lr"] = ITERATIVE_RATE
    for epoch in range(STEPS, STEPS + ADOPT_EVERY + EPOCHS_AFTER):
        if reset == "every-epoch" or (reset == "once" and epoch == STEPS):
            optimizer = new_optimizer(p, ITERATIVE_RATE)
        order = rng.permutation(len(round_.seeds)).astype(np.int32)
        _, losses, _, _ = epoch_step(p, inputs, modalities, round_.seeds, order, optimizer)
        record[f"iterative.step{epoch}.batches"] = order
        record[f"iterative.step{epoch}.loss"] = torch.stack(losses)
        if epoch < STEPS + ADOPT_EVERY:
            with torch.no_grad():
                o = forward(p, inputs, modalities)["embedding"]
            proposal = round_.after_epoch(epoch, o)
            record[f"iterative.step{epoch}.proposal"] = np.array(proposal, dtype=np.int32)
            record[f"iterative.step{epoch}.candidates"] = np.array(
                round_.candidates, dtype=np.int32
            )
        if epoch == STEPS + ADOPT_EVERY - 1:
            record["iterative.seeds"] = np.array(round_.seeds, dtype=np.int32)
            record["iterative.left"] = np.array(round_.left, dtype=np.int32)
            record["iterative.right"] = np.array(round_.right, dtype=np.int32)
    record_parameters(record, f"iterative.step{epoch}", p)


def run(problem, start, mode, dtype=torch.float64, reset=None):
    """The record of one mode: name -> array or tensor."""
    modalities, steps, mode_reset = RUNS[mode]
    inputs, record = prepare(problem, mode, dtype)
    starts = with_options(start, mode)
    record.update({f"param.{name}": starts[name] for name in starts if name not in start})
    p = start_of(starts, modalities, dtype)
    optimizer = new_optimizer(p, LEARNING_RATE)
    for k in range(steps):
        done = epoch_step(p, inputs, modalities, problem["seeds"], problem["batches"][k], optimizer)
        record_step(record, k, p, *done)
        if k in (0, steps - 1):
            record_parameters(record, f"step{k}", p)
    if mode_reset is None:
        return record
    with torch.no_grad():
        record_evaluation(record, forward(p, inputs, modalities)["embedding"], problem)
    iterative_stage(record, p, inputs, modalities, problem, reset or mode_reset, optimizer)
    return record
