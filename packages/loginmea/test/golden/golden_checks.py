"""Self-checks of the twin: closed forms, invariants, a second way to compute, and central
differences."""

import math

import numpy as np
import torch

from golden_evaluation import csls, evaluate, ranks, streaming_ranks
from golden_losses import TEMPERATURE, hard_sample, info_nce, intra_contrastive
from golden_model import (
    forward,
    lifted,
    low_rank_fusion,
    pair_softmax,
    reflection_layer,
    set_vectors,
    unit,
)
from golden_problem import BATCH, HIDDEN, ISOLATED, LAYERS, RANK, TOTAL
from golden_run import RUNS, prepare, run, start_of, with_options


def random(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def check_reflection(problem, start):
    """Householder: length kept, twice is the identity; rows of attention sum to 1; lean form =
    naive form."""
    h, r = random(40, HIDDEN, seed=1), unit(random(40, HIDDEN, seed=2))
    flip = lambda x: x - 2 * (x * r).sum(1, keepdim=True) * r
    assert torch.allclose(flip(h).norm(dim=1), h.norm(dim=1)) and torch.allclose(flip(flip(h)), h)
    inputs, _ = prepare(problem, "official")
    pairs, pair_set = inputs["pairs"], inputs["pairSet"]
    relation = torch.tensor(start["relation"], dtype=torch.float64)
    kernel = torch.tensor(start["joint.kernel.layer0"], dtype=torch.float64)
    r_set = set_vectors(relation, inputs["sets"])
    h = random(TOTAL, HIDDEN, seed=3)
    naive, attention, logits = reflection_layer(h, pairs, r_set[pair_set], kernel)
    sums = torch.zeros(TOTAL, dtype=torch.float64).index_add(0, pairs[:, 0], attention)
    assert torch.allclose(sums[pairs[:, 0]], torch.ones(len(pairs), dtype=torch.float64))
    assert (naive[ISOLATED] == 0).all() and ISOLATED not in pairs
    # A h - 2 B r with sparse A [N, N] and B [N, U]: no [E, d] tensor
    dots = (h[pairs[:, 1]] * r_set[pair_set]).sum(1)
    a = torch.zeros(TOTAL, TOTAL, dtype=torch.float64)
    a[pairs[:, 0], pairs[:, 1]] = pair_softmax((r_set @ kernel)[pair_set], pairs[:, 0], TOTAL)
    b = torch.zeros(TOTAL, len(r_set), dtype=torch.float64)
    b.index_put_((pairs[:, 0], pair_set), attention * dots, accumulate=True)
    assert torch.allclose(torch.tanh(a @ h - 2 * b @ r_set), naive)


def check_fusion():
    """The factorised product equals the full tensor; rank 1 with one modality is affine; a masked
    row is [1; 0]."""
    u = [lifted(random(5, 3, seed=k), torch.rand(5, dtype=torch.float64)) for k in range(3)]
    w = [random(RANK, 4, 2, seed=10 + k) for k in range(3)]
    c, b = random(RANK, seed=20), random(2, seed=21)
    tensor = torch.einsum("k,kao,kbo,kco->abco", c, *w)
    full = b + torch.einsum("na,nb,nc,abco->no", *u, tensor)
    assert torch.allclose(low_rank_fusion(u, w, c, b)[0], full)
    x = random(7, 4, seed=30)
    one = lambda x: low_rank_fusion([x], [w[0][:1]], c[:1], b)[0]
    assert torch.allclose(one(x[:3]) + one(x[3:6]), one(x[:3] + x[3:6]) + b)


def check_losses():
    same = torch.ones(12, 4, dtype=torch.float64)
    index = torch.arange(6)
    assert torch.allclose(info_nce(same, index, index + 6), torch.full((6,), math.log(6)).double())
    assert torch.allclose(
        intra_contrastive(same, index, index + 6), torch.full((6,), math.log(11)).double()
    )
    assert (
        info_nce(same, index[:1], index[:1] + 6).item() == 0
    )  # a batch of one seed teaches nothing
    o = random(12, 4, seed=4)
    logits = unit(o[:6]) @ unit(o[6:]).T / TEMPERATURE
    assert torch.allclose(
        info_nce(o, index, index + 6).mean(), torch.nn.functional.cross_entropy(logits, index)
    )
    shifted = hard_sample(o + 1, index, index + 6)  # distances only
    assert torch.allclose(shifted, hard_sample(o, index, index + 6))


def check_evaluation():
    constant = csls(torch.full((6, 5), 0.3, dtype=torch.float64))[0]
    assert constant.abs().max() < 1e-15
    assert all(
        r.tolist() == [x] * 4
        for r, x in zip(ranks(torch.zeros(4, 4), torch.arange(4)), (1, 2.5, 4))
    )
    o = random(80, 5, seed=5)
    test = np.stack([np.arange(40), np.arange(40, 80)], axis=1)
    found = evaluate(o, test, test[:, 0], test[:, 1])
    streamed = streaming_ranks(unit(o[:40]), unit(o[40:]), torch.arange(40))
    assert torch.equal(streamed.to(torch.int32), found["csls.l2r.rank"])
    assert torch.equal(
        streaming_ranks(unit(o[40:]), unit(o[:40]), torch.arange(40)).to(torch.int32),
        found["csls.r2l.rank"],
    )


def check_problem(problem):
    triples = [tuple(t) for t in problem["triples"].tolist()]
    assert len(set(triples)) == len(triples) - 2 and sum(h == t for h, _, t in triples) == 1
    inputs, _ = prepare(problem, "official")
    assert len(inputs["sets"]) < len(inputs["pairs"]) and max(map(len, inputs["sets"])) >= 3


def check_gradients(problem, start, mode, entries=6, h=1e-6):
    """Central differences of the summed epoch loss at a few entries of every parameter. Worst
    relative error."""
    modalities = RUNS[mode][0]
    inputs, _ = prepare(problem, mode)
    p = start_of(with_options(start, mode), modalities)
    seeds = torch.tensor(problem["seeds"][problem["batches"][0]].astype(np.int64))

    def total():
        o = forward(p, inputs, modalities)["embedding"]
        return sum(info_nce(o, part[:, 0], part[:, 1]).mean() for part in seeds.split(BATCH))

    gradients = dict(zip(p, torch.autograd.grad(total(), list(p.values()))))
    rng, worst = np.random.default_rng(1), 0.0
    with torch.no_grad():
        for name, value in p.items():
            flat = value.view(-1)
            for index in rng.choice(len(flat), min(entries, len(flat)), replace=False):
                old = flat[index].item()
                flat[index] = old + h
                high = total().item()
                flat[index] = old - h
                low = total().item()
                flat[index] = old
                numeric, exact = (high - low) / (2 * h), gradients[name].reshape(-1)[index].item()
                worst = max(worst, abs(numeric - exact) / max(1e-3, abs(exact)))
    assert worst < 1e-4, (mode, worst)
    return worst


def float32_distance(problem, start, mode, record):
    """Largest absolute difference of the same twin in float32, and where."""
    single, worst, where = run(problem, start, mode, torch.float32), 0.0, ""
    for name, value in record.items():
        if not torch.is_tensor(value) or not value.is_floating_point():
            assert np.array_equal(np.asarray(value), np.asarray(single[name])), name
            continue
        distance = (value.detach() - single[name].detach().double()).abs().max().item()
        worst, where = max((worst, where), (distance, name))
    return worst, where


def check_all(problem, start):
    assert LAYERS == 2
    check_problem(problem)
    check_reflection(problem, start)
    check_fusion()
    check_losses()
    check_evaluation()
    for mode in RUNS:
        print(
            f"central differences, {mode}: worst relative error "
            f"{check_gradients(problem, start, mode):.1e}"
        )
