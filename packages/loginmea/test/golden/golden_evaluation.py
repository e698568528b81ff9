"""Similarity, CSLS, ranks and pseudo seeds.

sim = 1 - |a - b|^2 of unit rows = 2 cos - 1; CSLS = 2 sim - r_x - r_y with the means of the k = 3
largest similarities of a row and of a column of the same matrix.
"""

import numpy as np
import torch

from golden_model import unit

CSLS_K = 3
HITS = (1, 5, 10, 50)


def similarity(o, rows, columns):
    return 2 * unit(o[rows]) @ unit(o[columns]).T - 1


def csls(sim, k=CSLS_K):
    """CSLS matrix and the two neighbourhood means; k is cut to the number of candidates."""
    row_mean = sim.topk(min(k, sim.shape[1]), dim=1).values.mean(1)
    column_mean = sim.topk(min(k, sim.shape[0]), dim=0).values.mean(0)
    return 2 * sim - row_mean[:, None] - column_mean[None, :], row_mean, column_mean


def ranks(scores, gold):
    """Optimistic, realistic (mean of the tied places) and pessimistic rank of column gold[i] in row
    i."""
    own = scores[torch.arange(len(gold)), gold][:, None]
    better = (scores > own).sum(1)
    tied = (scores == own).sum(1) - 1
    return 1 + better, 1 + better + tied / 2, 1 + better + tied


def metrics(rank):
    """Hits@1, 5, 10, 50, mean rank, mean reciprocal rank."""
    rank = rank.to(torch.float64)
    return torch.stack(
        [(rank <= k).to(torch.float64).mean() for k in HITS] + [rank.mean(), (1 / rank).mean()]
    )


def evaluate(o, test, candidates_left, candidates_right):
    """Both directions over one matrix. `test` [T, 2] are ids; candidates are the ids of the rows
    and columns."""
    sim = similarity(o, candidates_left, candidates_right)
    scores, row_mean, column_mean = csls(sim)
    row_of = {int(e): k for k, e in enumerate(candidates_left)}
    column_of = {int(e): k for k, e in enumerate(candidates_right)}
    rows = torch.tensor([row_of[int(e)] for e in test[:, 0]])
    columns = torch.tensor([column_of[int(e)] for e in test[:, 1]])
    out = {"similarity": sim, "csls": scores, "rowMean": row_mean, "columnMean": column_mean}
    for name, matrix in (("csls", scores), ("cosine", sim)):
        for direction, block, gold in (
            ("l2r", matrix[rows], columns),
            ("r2l", matrix.T[columns], rows),
        ):
            optimistic, realistic, pessimistic = ranks(block, gold)
            assert torch.equal(optimistic, pessimistic), "the small problem must have no ties"
            out[f"{name}.{direction}.rank"] = optimistic.to(torch.int32)
            out[f"{name}.{direction}.metrics"] = metrics(realistic)
    return out


def streaming_ranks(a, b, gold, block=7):
    """CSLS ranks without the matrix: rank_i = 1 + #{j : 2 S_ij - r_y(j) > 2 S_ii - r_y(i)}."""
    best_column = torch.full((CSLS_K, len(b)), -torch.inf, dtype=a.dtype)
    for start in range(0, len(a), block):
        sim = 2 * a[start : start + block] @ b.T - 1
        best_column = torch.cat([best_column, sim]).topk(CSLS_K, dim=0).values
    column_mean = best_column.mean(0)
    result = []
    for start in range(0, len(a), block):
        scores = 2 * (2 * a[start : start + block] @ b.T - 1) - column_mean
        own = scores[torch.arange(len(scores)), gold[start : start + block]]
        result.append(1 + (scores > own[:, None]).sum(1))
    return torch.cat(result)


def mutual_nearest(o, left, right):
    """Pairs (l, r) that are each other's nearest under squared Euclidean distance of unit rows;
    sorted by l."""
    a, b = unit(o[left]), unit(o[right])
    distance = ((a[:, None, :] - b[None, :, :]) ** 2).sum(2)
    to_right, to_left = distance.argmin(1).numpy(), distance.argmin(0).numpy()
    pairs = [
        (int(left[i]), int(right[to_right[i]]))
        for i in range(len(left))
        if to_left[to_right[i]] == i
    ]
    return np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)


class PseudoSeeds:
    """Candidates over one round: replaced at the first proposal of a round, then intersected,
    adopted at the last.

    `every`: epochs between proposals (5 in the method); `adopt_every`: epochs between adoptions
    (50).
    """

    def __init__(self, seeds, kg1, kg2, every, adopt_every):
        self.seeds = [tuple(pair) for pair in seeds.tolist()]
        self.left = [e for e in kg1.tolist() if e not in {l for l, _ in self.seeds}]
        self.right = [e for e in kg2.tolist() if e not in {r for _, r in self.seeds}]
        self.every, self.adopt_every, self.candidates = every, adopt_every, []

    def after_epoch(self, epoch, o):
        """Call after the optimiser step of an epoch of the iterative stage. Returns the proposal,
        or None."""
        if (epoch + 1) % self.every != 0:
            return None
        proposal = [tuple(pair) for pair in mutual_nearest(o, self.left, self.right).tolist()]
        if (epoch + 1) % self.adopt_every == self.every:
            self.candidates = proposal
        else:
            self.candidates = [pair for pair in self.candidates if pair in set(proposal)]
        if (epoch + 1) % self.adopt_every == 0:
            self.seeds += self.candidates
            self.left = [e for e in self.left if e not in {l for l, _ in self.candidates}]
            self.right = [e for e in self.right if e not in {r for _, r in self.candidates}]
        return proposal
