"""CSLS ranks of paired rows in row blocks, without the whole matrix."""

import math

import torch


def block_walk(a, b, block=1024):
    for start in range(0, len(a), block):
        yield start, a[start:start + block] @ b.T


def csls_metrics(a, b, k):
    """Rows of a and b are unit and row i of a belongs to row i of b. sim = 2 cos - 1; CSLS = 2 sim - r(row) - r(column).
    Two row-blocked passes; ties get the mean rank."""
    count = len(a)
    k = min(k, count)
    row_mean = torch.empty(count)
    column_best = torch.full((k, count), -math.inf)
    for start, cosine in block_walk(a, b):
        similarity = cosine.mul_(2).sub_(1)
        row_mean[start:start + len(similarity)] = similarity.topk(k, 1).values.mean(1)
        column_best = torch.cat([column_best, similarity.topk(min(k, len(similarity)), 0).values]).topk(k, 0).values
    column_mean = column_best.mean(0)
    ranks = {"l2r": torch.empty(count), "r2l": torch.ones(count)}
    gold = 4 * torch.linalg.vecdot(a, b) - 2 - row_mean - column_mean
    for start, cosine in block_walk(a, b):
        stop = start + len(cosine)
        score = cosine.mul_(4).sub_(2).sub_(row_mean[start:stop, None]).sub_(column_mean)
        if not torch.isfinite(score).all():
            raise ValueError("non-finite similarity")
        # score the gold pair with the same rounding as its competitors
        gold[start:stop] = score.diagonal(start)
        own = gold[start:stop, None]
        ranks["l2r"][start:stop] = 1 + (score > own).sum(1) + ((score == own).sum(1) - 1) / 2
    for start, cosine in block_walk(a, b):
        stop = start + len(cosine)
        score = cosine.mul_(4).sub_(2).sub_(row_mean[start:stop, None]).sub_(column_mean)
        equal = score == gold
        equal.diagonal(start).fill_(False)
        ranks["r2l"] += (score > gold).sum(0) + equal.sum(0) / 2
    result = {}
    for direction, rank in ranks.items():
        result[direction] = {f"hits@{n}": (rank <= n).float().mean().item() for n in (1, 5, 10, 50)}
        result[direction].update(mr=rank.mean().item(), mrr=(1 / rank).mean().item())
    return result
