"""Single functions on small inputs of their own: alternative losses, fusion corner cases, ties,
options."""

import math

import numpy as np
import torch

from golden_evaluation import csls, ranks
from golden_losses import (
    hard_sample,
    info_nce,
    info_nce_both,
    intra_contrastive,
    margin,
    uncertainty_weighted,
)
from golden_model import low_rank_fusion, lifted, proxy_matching
from golden_problem import HIDDEN

ENTITIES, WIDTH, SEEDS = 30, 6, 9
SILENT_RANK, WIDE = 8, 300


def draw(rng, *shape, std=1.0):
    return torch.tensor((std * rng.standard_normal(shape)).astype(np.float32), dtype=torch.float64)


def with_gradient(record, name, value_of, **tensors):
    """value, and the gradient of its mean with respect to each tensor."""
    leaves = {key: value.clone().requires_grad_() for key, value in tensors.items()}
    value = value_of(**leaves)
    record[name] = value
    for key, gradient in zip(leaves, torch.autograd.grad(value.mean(), list(leaves.values()))):
        record[f"{name}.gradient.{key}"] = gradient


def losses(record, rng):
    o = draw(rng, ENTITIES, WIDTH)
    left = torch.tensor([0, 1, 2, 3, 4, 5, 6, 7, 7])  # one entity in two links
    right = torch.tensor(15 + rng.permutation(15)[:SEEDS])
    negative_left = torch.tensor(rng.integers(0, 15, SEEDS))
    negative_right = torch.tensor(rng.integers(15, 30, SEEDS))
    record.update(
        {
            "loss.o": o,
            "loss.left": left,
            "loss.right": right,
            "loss.negativeLeft": negative_left,
            "loss.negativeRight": negative_right,
        }
    )
    with_gradient(record, "loss.infoNce", lambda o: info_nce(o, left, right), o=o)
    with_gradient(record, "loss.infoNceBoth", lambda o: info_nce_both(o, left, right), o=o)
    with_gradient(record, "loss.intraContrastive", lambda o: intra_contrastive(o, left, right), o=o)
    with_gradient(record, "loss.hardSample", lambda o: hard_sample(o, left, right), o=o)
    with_gradient(
        record, "loss.margin", lambda o: margin(o, left, right, negative_left, negative_right), o=o
    )
    terms, s = draw(rng, 6).abs(), draw(rng, 6)
    record["loss.uncertainty.losses"], record["loss.uncertainty.s"] = terms, s
    with_gradient(
        record,
        "loss.uncertainty",
        lambda losses, s: uncertainty_weighted(losses, s).reshape(1),
        losses=terms,
        s=s,
    )


def fusion(record, rng):
    """Starts of the fusion: 'official' (Xavier-normal, nearly silent) and 'unit' (row 0 near
    one)."""
    std = math.sqrt(2 / ((WIDE + 1) * WIDE + SILENT_RANK * WIDE))  # that of the full-size tensor
    n = 5
    z = [draw(rng, n, HIDDEN) for _ in range(3)]
    alpha = torch.softmax(draw(rng, n, 3), dim=1)
    rank_weight, bias = draw(rng, SILENT_RANK, std=math.sqrt(2 / (SILENT_RANK + 1))), torch.zeros(
        HIDDEN, dtype=torch.float64
    )
    normals = [draw(rng, SILENT_RANK, HIDDEN + 1, HIDDEN) for _ in range(3)]
    probe = draw(rng, n, HIDDEN)
    record.update({"fusion.alpha": alpha, "fusion.rankWeight": rank_weight, "fusion.probe": probe})
    for m in range(3):
        record[f"fusion.z{m}"], record[f"fusion.normal{m}"] = z[m], normals[m]
    u = [lifted(z[m], alpha[:, m]) for m in range(3)]
    for start in ("official", "unit"):
        factors = {}
        for m in range(3):
            factors[f"factor{m}"] = std * normals[m]
            if start == "unit":
                factors[f"factor{m}"][:, 0] = 1 + 0.05 * normals[m][:, 0]
        record[f"fusion.{start}"] = low_rank_fusion(u, list(factors.values()), rank_weight, bias)[0]
        leaves = {key: value.clone().requires_grad_() for key, value in factors.items()}
        value = (low_rank_fusion(u, list(leaves.values()), rank_weight, bias)[0] * probe).sum()
        for key, gradient in zip(leaves, torch.autograd.grad(value, list(leaves.values()))):
            record[f"fusion.{start}.gradient.{key}"] = gradient


def options(record, rng):
    """Proxy matching, ties, and a CSLS neighbourhood larger than the number of candidates."""
    o, proxies = draw(rng, ENTITIES, WIDTH), draw(rng, 4, WIDTH)
    gate_weight, gate_bias = draw(rng, WIDTH, WIDTH), draw(rng, WIDTH)
    record.update(
        {
            "proxy.o": o,
            "proxy.proxies": proxies,
            "proxy.gateWeight": gate_weight,
            "proxy.gateBias": gate_bias,
        }
    )
    with_gradient(
        record,
        "proxy.result",
        lambda o, proxies, gateWeight, gateBias: proxy_matching(o, proxies, gateWeight, gateBias),
        o=o,
        proxies=proxies,
        gateWeight=gate_weight,
        gateBias=gate_bias,
    )
    scores = torch.tensor(rng.integers(0, 3, (6, 6)) / 2, dtype=torch.float64)
    record["ties.scores"] = scores
    for name, value in zip(
        ("optimistic", "realistic", "pessimistic"), ranks(scores, torch.arange(6))
    ):
        record[f"ties.{name}"] = value.to(torch.float64)
    record["smallCsls.similarity"] = draw(rng, 2, 4)
    record["smallCsls.csls"] = csls(record["smallCsls.similarity"])[0]


def variants(seed):
    record, rng = {}, np.random.default_rng(seed)
    losses(record, rng)
    fusion(record, rng)
    options(record, rng)
    return record
