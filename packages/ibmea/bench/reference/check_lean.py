#!/usr/bin/env python3
"""Runs the lean form on the golden problem (literal float64 twin) and compares every loss, gradient and parameter.

    python3 check_lean.py
"""

import os

import numpy as np
import torch

import lean_ibmea as lean

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "golden")


def build(golden, clip, dtype):
    pattern = lean.Pattern(golden["edges"][:, 0].astype(np.int64), golden["edges"][:, 1].astype(np.int64), (80, 80))
    cast = lambda key: torch.tensor(golden[key]).to(dtype)

    def sparse(key):
        rows, columns = np.nonzero(golden[key])
        numpy_type = np.float64 if dtype == torch.float64 else np.float32
        return lean.SparseFeatures(rows, columns, golden[key][rows, columns].astype(numpy_type), golden[key].shape)

    features = {"image": cast("features.image"), "relation": sparse("features.relation"),
                "attribute": sparse("features.attribute")}
    config = lean.Config(graph_dim=16, hidden_dim=8, modality_dim=8, seed_batch=int(golden["batchSize"][0]), clip=clip)
    model = lean.LeanIbmea(80, features, pattern, config).to(dtype)
    with torch.no_grad():
        for name, value in model.table.items():
            value.copy_(cast(f"param.{name}"))
    model.train()
    return model


def compare(name, clip, dtype, tolerance):
    golden = dict(np.load(os.path.join(GOLDEN, f"{name}.npz")))
    model = build(golden, clip, dtype)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.01, fused=True)
    worst = 0.0

    def near(key, value):
        nonlocal worst
        value, expected = np.asarray(value), golden[key]
        if "fusion" in key:  # the absent slots do not influence anything; see the README of the golden files
            value, expected = value[:4], expected[:4]
        error = np.abs(value - expected).max() / max(1e-6, np.abs(expected).max())
        worst = max(worst, error)
        assert error < tolerance, (name, key, error)

    steps = len(golden["batches"])
    seeds = torch.tensor(golden["seeds"].astype(np.int64))
    for k in range(steps):
        noise = {m: torch.tensor(golden[f"step{k}.noise.{m}"]).to(dtype) for m in model.modalities}
        masks = {e: torch.tensor(golden[f"step{k}.mask.{e}"]).bool() for e in ("graphMean", "graphScale")}
        order = torch.tensor(golden["batches"][k].astype(np.int64))
        history = lean.train_epoch(model, optimizer, seeds, order, noise, masks)
        for part, values in history.items():
            near(f"step{k}.loss.{part}", values)
        for parameter, value in model.table.items():
            if k == 0:
                near(f"step0.clippedGradient.{parameter}", value.grad)
            if k in (0, steps - 1):
                near(f"step{k}.param.{parameter}", value.detach())
    return worst


def check_blocks():
    """Blocked losses give the same value and gradient for every block size, kept or recomputed."""
    torch.manual_seed(0)
    left = torch.nn.functional.normalize(torch.randn(50, 12, dtype=torch.float64))
    right = torch.nn.functional.normalize(left + 0.1 * torch.randn_like(left))
    v = torch.cat([left, right])
    results = []
    for block, keep in ((512, 1 << 30), (16, 1 << 30), (16, 0), (7, 0)):
        lean.MultiSimilarity.BLOCK, lean.MultiSimilarity.KEEP_BYTES, lean.InfoNce.BLOCK = block, keep, block
        x = v.clone().requires_grad_()
        loss = lean.MultiSimilarity.apply(x, 5.0, 40.0, 0.5) + lean.InfoNce.apply(x[:50], x[50:], 0.1)
        results.append((loss.detach(), torch.autograd.grad(loss, x)[0]))
    for loss, gradient in results[1:]:
        assert torch.allclose(loss, results[0][0]) and torch.allclose(gradient, results[0][1])


def check_losses():
    """Values and gradients equal those of the dense equations, for both presets."""
    torch.manual_seed(2)
    count = 23
    raw = torch.randn(2 * count, 9, dtype=torch.float64)
    v = torch.nn.functional.normalize(raw, dim=1)
    others = ~torch.eye(count, dtype=torch.bool).repeat(2, 2)
    for preset in lean.PRESETS.values():
        x = v.clone().requires_grad_()
        s = x @ x.T
        positive = torch.cat([s.diagonal(count), s.diagonal(-count)])
        near = torch.log1p(torch.exp(-preset.ms_alpha * (positive - preset.ms_lambda))) / preset.ms_alpha
        far = (torch.exp(preset.ms_beta * (s - preset.ms_lambda)) * others).sum(1).log1p() / preset.ms_beta
        logits = x[:count] @ x[count:].T / preset.tau
        dense = (near + far).mean() + torch.nn.functional.cross_entropy(logits, torch.arange(count))
        ours = lean.MultiSimilarity.apply(x, preset.ms_alpha, preset.ms_beta, preset.ms_lambda) \
            + lean.InfoNce.apply(x[:count], x[count:], preset.tau)
        assert torch.allclose(ours, dense, rtol=1e-12), (ours, dense)
        gradients = [torch.autograd.grad(loss, x, retain_graph=True)[0] for loss in (ours, dense)]
        assert torch.allclose(*gradients, rtol=1e-9, atol=1e-12)


def check_csls():
    """Streaming ranks equal those of the full matrix."""
    torch.manual_seed(1)
    a = torch.nn.functional.normalize(torch.randn(90, 6))
    b = torch.nn.functional.normalize(a + 0.5 * torch.randn(90, 6))
    similarity = 2 * (a @ b.T) - 1
    score = 2 * similarity - similarity.topk(3, 1).values.mean(1)[:, None] - similarity.topk(3, 0).values.mean(0)
    whole = lean.block_walk
    lean.block_walk = lambda x, y: whole(x, y, 17)
    metrics = lean.csls_metrics(a, b, 3)
    lean.block_walk = whole
    for direction, matrix in (("l2r", score), ("r2l", score.T)):
        rank = 1 + (matrix > matrix.diagonal()[:, None]).sum(1)
        assert abs(metrics[direction]["mr"] - rank.float().mean().item()) < 1e-4
        assert abs(metrics[direction]["hits@1"] - (rank == 1).float().mean().item()) < 1e-6


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, clip in (("official", 0.1), ("single", float("inf"))):
        for dtype, tolerance in ((torch.float64, 3e-6), (torch.float32, 1e-4)):
            print(f"{name} {dtype}: worst error relative to the largest entry {compare(name, clip, dtype, tolerance):.1e}")
    check_losses()
    check_blocks()
    check_csls()
    print("ok")
