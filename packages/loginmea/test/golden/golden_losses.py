"""Losses. The model of the paper ("contrastive alignment loss") is trained with `info_nce`, left to
right, alone.

The others are the alternatives to compare with: MCLEA's intra-modal contrastive loss, the
normalised hard sample mining of Dual-AMN, the margin loss of RREA, and the uncertainty weighting
which the released code of LoginMEA creates but never uses. Each returns one value per seed; a batch
takes the mean.
"""

import torch

from golden_model import unit

TEMPERATURE = 0.1
HARD_MARGIN, HARD_SCALE, HARD_SHIFT = 1.0, 30.0, 10.0
MARGIN = 3.0


def info_nce(o, left, right, temperature=TEMPERATURE):
    """-log(exp(a_b . a'_b / tau) / sum_c exp(a_b . a'_c / tau)), rows normalised, in-batch
    negatives of KG2."""
    logits = unit(o[left]) @ unit(o[right]).T / temperature
    return torch.logsumexp(logits, dim=1) - logits.diagonal()


def info_nce_both(o, left, right, temperature=TEMPERATURE):
    """Mean of the two directions."""
    return (info_nce(o, left, right, temperature) + info_nce(o, right, left, temperature)) / 2


def intra_contrastive(o, left, right, temperature=TEMPERATURE):
    """MCLEA: logits [a b^T, a a^T - inf I] / tau, target the counterpart; mean of the two
    directions."""

    def one_way(a, b):
        same = (a @ a.T / temperature).masked_fill(torch.eye(len(a), dtype=torch.bool), -torch.inf)
        cross = a @ b.T / temperature
        return torch.logsumexp(torch.cat([cross, same], dim=1), dim=1) - cross.diagonal()

    a, b = unit(o[left]), unit(o[right])
    return (one_way(a, b) + one_way(b, a)) / 2


def hard_sample(o, left, right):
    """Dual-AMN, on raw rows, against all N entities of both graphs.

    t_e = gamma + |l - r|^2 - |l - e|^2, set to 0 at e = l and e = r; t <- (t - mean) / deviation
    with both taken over e (population) as constants; logsumexp_e(lambda t + tau0); plus the same
    with r in the place of l.
    """
    positive = ((o[left] - o[right]) ** 2).sum(1, keepdim=True)
    keep = torch.ones(len(left), len(o), dtype=o.dtype)
    rows = torch.arange(len(left))
    keep[rows, left] = 0
    keep[rows, right] = 0
    total = 0
    for anchor in (left, right):
        distance = ((o[anchor][:, None, :] - o[None, :, :]) ** 2).sum(2)
        t = (HARD_MARGIN + positive - distance) * keep
        mean = t.mean(1, keepdim=True).detach()
        deviation = t.std(1, keepdim=True, unbiased=False).detach()
        total = total + torch.logsumexp(HARD_SCALE * (t - mean) / deviation + HARD_SHIFT, dim=1)
    return total


def margin(o, left, right, negative_left, negative_right):
    """RREA: max(0, gamma + |l - r|_1 - |l - r-|_1) + max(0, gamma + |l - r|_1 - |l- - r|_1)."""
    positive = (o[left] - o[right]).abs().sum(1)
    corrupt_right = (o[left] - o[negative_right]).abs().sum(1)
    corrupt_left = (o[negative_left] - o[right]).abs().sum(1)
    return torch.relu(MARGIN + positive - corrupt_right) + torch.relu(
        MARGIN + positive - corrupt_left
    )


def uncertainty_weighted(losses, s):
    """Kendall: sum_k exp(-s_k) L_k + s_k."""
    return (torch.exp(-s) * losses + s).sum()
