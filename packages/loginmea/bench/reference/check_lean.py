#!/usr/bin/env python3
"""Compares the lean form with the golden files of the literal twin (without images): losses of every epoch, gradients,
parameters; its blocks with each other; its streaming ranks with the whole matrix.

    python3 check_lean.py
"""

import os
import types

import numpy as np
import torch
from safetensors.numpy import load_file

import lean_evaluation
import lean_layers
import lean_loginmea as lean
from alignment_files import Sparse, relation_pairs

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "golden")
LEARNING_RATE, BATCH = 5e-3, 13


def sparse(table):
    rows, columns = np.nonzero(table)
    return Sparse(rows, columns, table[rows, columns].astype(np.float32), table.shape)


def build(problem, golden):
    total = len(golden["features.relation"])
    pairs, pair_sets, sets = relation_pairs([tuple(t) for t in problem["triples"].tolist()])
    features = {m: sparse(golden[f"features.{m}"]) for m in ("relation", "attribute")}
    data = types.SimpleNamespace(names=range(total), pairs=pairs, pair_sets=pair_sets, sets=sets, features=features)
    model = lean.LeanLoginmea(data, size=8, rank=4)
    with torch.no_grad():
        for name, value in model.table.items():
            value.copy_(torch.from_numpy(problem[f"param.{name}"]))
    return model.train()


def check_golden():
    problem, golden = (load_file(os.path.join(GOLDEN, f"{name}.safetensors")) for name in ("problem", "noimage"))
    model, worst = build(problem, golden), 0.0

    def near(key, value):
        nonlocal worst
        error = np.abs(np.asarray(value) - golden[key]).max() / max(1e-6, np.abs(golden[key]).max())
        worst = max(worst, error)
        assert error < 1e-4, (key, error)

    seeds = torch.from_numpy(problem["seeds"].astype(np.int64))
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=lean.WEIGHT_DECAY, fused=True)
    for k in range(3):
        order = torch.from_numpy(problem["batches"][k].astype(np.int64))
        near(f"step{k}.loss", lean.train_epoch(model, optimizer, seeds, order, BATCH))
        for name, value in model.table.items():
            if k == 0:
                near(f"step0.gradient.{name}", value.grad)
            if k in (0, 2):
                near(f"step{k}.param.{name}", value.detach())
    return worst


def check_fusion():
    """Value and gradients equal those of the plain formula, for one to three modalities and any block size."""
    torch.manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    for count in (1, 2, 3):
        c, b, alpha = draw(5), draw(6), draw(50, count)
        tables, constants = [draw(9 + m, 30) for m in range(count)], [draw(30) for _ in range(count)]
        places = [torch.randint(9 + m, (50,)) for m in range(count)]
        inputs, probe = [c, b, alpha, *tables, *constants], torch.randn(50, 6, dtype=torch.float64)
        parts = [constants[m] + alpha[:, m:m + 1] * tables[m][places[m]] for m in range(count)]
        plain = b + torch.einsum("k,nkd->nd", c, torch.stack(parts).prod(0).view(50, 5, 6))
        expected = torch.autograd.grad((plain * probe).sum(), inputs)
        for block in (1024, 16, 7):
            lean_layers.LowRankFusion.BLOCK = block
            ours = lean_layers.LowRankFusion.apply(c, b, alpha, places, *tables, *constants)
            assert torch.allclose(ours, plain)
            for one, other in zip(torch.autograd.grad((ours * probe).sum(), inputs), expected):
                assert torch.allclose(one, other)


def check_info_nce():
    """Value and gradients equal those of the dense formula, for any block size."""
    torch.manual_seed(1)
    a, b = (torch.nn.functional.normalize(torch.randn(50, 12, dtype=torch.float64)).requires_grad_() for _ in range(2))
    dense = torch.nn.functional.cross_entropy(a @ b.T / 0.1, torch.arange(50))
    expected = torch.autograd.grad(dense, (a, b))
    for block in (512, 16, 7):
        lean_layers.InfoNce.BLOCK = block
        ours = lean_layers.InfoNce.apply(a, b, 0.1)
        assert torch.allclose(ours, dense)
        for one, other in zip(torch.autograd.grad(ours, (a, b)), expected):
            assert torch.allclose(one, other, atol=1e-12)


def check_csls():
    torch.manual_seed(1)
    a = torch.nn.functional.normalize(torch.randn(90, 6))
    b = torch.nn.functional.normalize(a + 0.5 * torch.randn(90, 6))
    similarity = 2 * (a @ b.T) - 1
    score = 2 * similarity - similarity.topk(3, 1).values.mean(1)[:, None] - similarity.topk(3, 0).values.mean(0)
    whole = lean_evaluation.block_walk
    lean_evaluation.block_walk = lambda x, y: whole(x, y, 17)
    metrics = lean_evaluation.csls_metrics(a, b, 3)
    lean_evaluation.block_walk = whole
    for direction, matrix in (("l2r", score), ("r2l", score.T)):
        rank = 1 + (matrix > matrix.diagonal()[:, None]).sum(1)
        assert abs(metrics[direction]["mr"] - rank.float().mean().item()) < 1e-4
        assert abs(metrics[direction]["hits@1"] - (rank == 1).float().mean().item()) < 1e-6


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"worst error relative to the largest entry {check_golden():.1e}")
    check_fusion()
    check_info_nce()
    check_csls()
    print("ok")
