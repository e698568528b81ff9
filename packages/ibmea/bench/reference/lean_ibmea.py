#!/usr/bin/env python3
"""Lean PyTorch form of the variational-bottleneck entity alignment model, mode official, for timing on a CPU or, with
--device cuda, on a GPU.

Same mathematics as the literal form (see ../../test/golden/make_golden.py), rearranged so that neither an [E', 2d]
concatenation, nor an [E', d] message tensor, nor a dense N x N matrix is ever built:

* attention logits are two numbers per node: a . [h_i ; h_j] = (h_i . a1) + (h_j . a2), and h = x * w folds into x (w * a);
* messages are CSR products; the gradient to an attention weight is a sampled dense-dense product on the same pattern;
* noise is drawn for the rows that a loss reads (the seed rows), KL uses mean and scale of all rows, in row blocks;
* InfoNCE and the multi-similarity loss walk over blocks and form their gradient in the forward pass; the
  multi-similarity loss uses the symmetry of its similarity matrix (upper block triangle only);
* relation and attribute rows are sparse.

Source of the equations: the IBMEA paper and its released code; the numbers of the paper's equations were not verified.

    python3 lean_ibmea.py --data FOLDER [--seeds FILE] [--preset fb15k-db15k] --epochs 3 --threads 2

Prints one line per epoch and, as its last line, one JSON object; with --brief a short one, without the list of epochs.
"""

import argparse
import ctypes
import dataclasses
import gzip
import hashlib
import json
import math
import os
import platform
import resource
import statistics
import sys
import time
import warnings
from dataclasses import dataclass, field


def keep_freed_memory():
    """glibc only: serve large tensors from the heap and do not give it back after each free.

    Otherwise every 36 MB temporary is mapped and page-faulted anew, which triples the time of element-wise work.
    The usual advice for PyTorch on a CPU is another allocator (jemalloc, tcmalloc); this has the same effect
    without a package. Switch off with --allocator system.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        m_trim_threshold, m_mmap_max = -1, -4
        return bool(libc.mallopt(m_mmap_max, 0) and libc.mallopt(m_trim_threshold, 2 ** 31 - 1))
    except (OSError, AttributeError):
        return False


ALLOCATOR = "reuse" if "system" not in sys.argv and keep_freed_memory() else "system"

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

warnings.filterwarnings("ignore", message=".*[Ss]parse.*")

FUSION_SLOTS = ("image", "attribute", "relation", "graph", "name", "char")
NORMALIZE_EPS = 1e-12


@dataclass
class Config:
    """Preset of the DBP15K sets, mode official."""
    graph_dim: int = 300
    hidden_dim: int = 100
    modality_dim: int = 100
    layers: int = 2
    heads: int = 2
    dropout: float = 0.45
    leaky_slope: float = 0.2
    layer_norm_eps: float = 1e-5
    tau: float = 0.1
    ms_alpha: float = 5.0
    ms_beta: float = 40.0
    ms_lambda: float = 0.5
    hybrid_weight: float = 3.0
    kl_weights: dict = field(default_factory=lambda: {"graph": .001, "image": .001, "relation": .01, "attribute": .001})
    seed_batch: int = 7500
    clip: float = 0.1
    learning_rate: float = 0.006
    weight_decay: float = 0.01
    warm_up: int = 200
    horizon: int = 1500
    pseudo_start: int = 20
    pseudo_every: int = 5
    pseudo_accept: int = 50
    csls_k: int = 3
    feature_columns: int = 1000
    seed_rate: float = 0.3


PRESETS = {
    "dbp15k": Config(),
    "fb15k-db15k": Config(seed_rate=0.2, tau=400.0, ms_alpha=0.1, hybrid_weight=1.0, seed_batch=1000, warm_up=400,
                          horizon=1000),
}


# ---- sparse primitives ---------------------------------------------------------------------------------------
def on_device(array):
    return torch.from_numpy(array).to(torch.get_default_device())


class Pattern:
    """Sorted (row, column) pairs of a sparse matrix in CSR form, with its transpose as a permutation of the values."""

    def __init__(self, rows, columns, shape):
        order = np.lexsort((columns, rows))
        rows, columns = rows[order], columns[order]
        self.order, self.shape = order, shape
        self.rows, self.columns = on_device(rows), on_device(columns)
        self.starts = on_device(np.searchsorted(rows, np.arange(shape[0] + 1)))
        turned = np.lexsort((rows, columns))
        self.turned = on_device(turned)
        self.turned_columns = on_device(rows[turned])
        self.turned_starts = on_device(np.searchsorted(columns[turned], np.arange(shape[1] + 1)))

    def matrix(self, values):
        return torch.sparse_csr_tensor(self.starts, self.columns, values, self.shape, check_invariants=False)

    def transposed(self, values):
        return torch.sparse_csr_tensor(self.turned_starts, self.turned_columns, values.index_select(0, self.turned),
                                       self.shape[::-1], check_invariants=False)


def sparse_times_dense(matrix, dense):
    """The native CSR kernel of the CPU; measured 2-3 times faster than the plain `@` and 8 times faster than index_add."""
    if dense.is_cuda:
        return matrix @ dense
    return torch.sparse.mm(matrix, dense, "sum")


class SparseFeatures:
    """A constant sparse [N, D] feature matrix and its transpose."""

    def __init__(self, rows, columns, values, shape):
        pattern = Pattern(rows, columns, shape)
        values = on_device(values[pattern.order])
        self.shape = shape
        self.matrix, self.transposed = pattern.matrix(values), pattern.transposed(values)


class SparseLinear(torch.autograd.Function):
    """x W for constant sparse x; the gradient to W is x^T g."""

    @staticmethod
    def forward(ctx, weight, features):
        ctx.features = features
        return sparse_times_dense(features.matrix, weight)

    @staticmethod
    def backward(ctx, gradient):
        return sparse_times_dense(ctx.features.transposed, gradient.contiguous()), None


class DiagonalAttention(torch.autograd.Function):
    """One multi-head layer with diagonal weights, averaged over heads.

    c_ij = exp(-LeakyReLU(a . [h_i ; h_j])), h = x * w;  out_i = mean over heads of sum_j c_ij h_j / sum_j c_ij.
    With alpha = c / row sum: out = mean_k (A_k x) * w_k. Backward, per head, with G the incoming gradient / heads:
    Z = A^T G;  dx += Z * w;  dw += sum_j x_j * Z_j;  dalpha_ij = G_i . (w * x_j);
    dlog c_ij = alpha_ij (dalpha_ij - sum_j' alpha_ij' dalpha_ij');  then through the logits to two N-vectors.
    """

    @staticmethod
    def forward(ctx, x, weight, attention, pattern, slope):
        heads, d = weight.shape
        projector = torch.cat([weight * attention[:, :d], weight * attention[:, d:]])
        two_vectors = projector @ x.T
        logits = two_vectors[:heads].index_select(1, pattern.rows)
        logits += two_vectors[heads:].index_select(1, pattern.columns)
        c = F.leaky_relu(logits, slope).neg_().exp_()
        out = None
        for k in range(heads):
            row_sum = x.new_zeros(x.shape[0]).index_add_(0, pattern.rows, c[k])
            c[k] /= row_sum.index_select(0, pattern.rows)
            message = sparse_times_dense(pattern.matrix(c[k]), x)
            if out is None:
                out = message.mul_(weight[k] / heads)
            else:
                out.addcmul_(message, weight[k] / heads)
        ctx.save_for_backward(x, weight, attention, c, logits > 0)
        ctx.pattern, ctx.slope = pattern, slope
        return out

    @staticmethod
    def backward(ctx, gradient):
        x, weight, attention, alpha, positive = ctx.saved_tensors
        pattern, (heads, d) = ctx.pattern, weight.shape
        gradient = gradient.contiguous()
        dx = None
        d_weight = torch.empty_like(weight)
        d_vectors = x.new_zeros(2 * heads, x.shape[0])
        buffer = torch.empty_like(x)
        empty = pattern.matrix(x.new_zeros(len(pattern.rows)))
        for k in range(heads):
            w = weight[k] / heads
            torch.mul(x, w, out=buffer)
            d_alpha = torch.sparse.sampled_addmm(empty, gradient, buffer.T, beta=0.0).values()
            d_alpha *= alpha[k]
            row_total = x.new_zeros(x.shape[0]).index_add_(0, pattern.rows, d_alpha)
            d_logits = d_alpha.addcmul_(alpha[k], row_total.index_select(0, pattern.rows), value=-1).neg_()
            d_logits *= torch.where(positive[k], 1.0, ctx.slope)
            d_vectors[k].index_add_(0, pattern.rows, d_logits)
            d_vectors[heads + k].index_add_(0, pattern.columns, d_logits)
            z = sparse_times_dense(pattern.transposed(alpha[k]), gradient)
            d_weight[k] = torch.mul(x, z, out=buffer).sum(0) / heads
            dx = z.mul_(w) if dx is None else dx.addcmul_(z, w)
        projector = torch.cat([weight * attention[:, :d], weight * attention[:, d:]])
        dx.addmm_(d_vectors.T, projector)
        d_projector = d_vectors @ x
        d_weight += d_projector[:heads] * attention[:, :d] + d_projector[heads:] * attention[:, d:]
        d_attention = torch.cat([d_projector[:heads] * weight, d_projector[heads:] * weight], dim=1)
        return dx, d_weight, d_attention, None, None


class Dropout(torch.autograd.Function):
    """Inverted dropout. 16 random bits per entry (probability exact to 2^-17), four entries per generator call."""

    @staticmethod
    def forward(ctx, x, probability, mask):
        if mask is None:
            words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-2 ** 63, None)
            bits = words.view(torch.int16)[:x.numel()].view(x.shape)
            mask = bits >= round(probability * 65536) - 32768
        ctx.mask, ctx.scale = mask, 1.0 / (1.0 - probability)
        return (x * mask).mul_(ctx.scale)

    @staticmethod
    def backward(ctx, gradient):
        return (gradient * ctx.mask).mul_(ctx.scale), None, None


# ---- losses --------------------------------------------------------------------------------------------------
CEILING, PRIOR_SCALE = 0.4, 1.0
LOG_PRIOR = 0.1 + 0.9 * math.log1p(math.exp(min(PRIOR_SCALE, CEILING)))
PRIOR_VARIANCE = math.exp(2 * LOG_PRIOR)  # 2.5136^2


class OfficialKl(torch.autograd.Function):
    """Mean over rows of the sum over dimensions of ln(s0/s) + (s^2 + mu^2)/(2 s0^2) - 1/2,
    ln s = 0.1 + 0.9 softplus(min(sigma, 0.4)), in row blocks. Gradients: mu/s0^2 and, below the ceiling,
    0.9 sigmoid(sigma) (s^2/s0^2 - 1); recomputed in the backward pass."""

    BLOCK = 1024

    @staticmethod
    def forward(ctx, mu, sigma):
        ctx.save_for_backward(mu, sigma)
        total = 0.0
        for start in range(0, len(mu), OfficialKl.BLOCK):
            m, s = mu[start:start + OfficialKl.BLOCK], sigma[start:start + OfficialKl.BLOCK]
            log_s = F.softplus(s.clamp(max=CEILING)).mul_(0.9).add_(0.1)
            quadratic = (2 * log_s).exp_().addcmul_(m, m)
            total += quadratic.sum().item() / (2 * PRIOR_VARIANCE) - log_s.sum().item()
        return mu.new_tensor(total / len(mu) + mu.shape[1] * (LOG_PRIOR - 0.5))

    @staticmethod
    def backward(ctx, gradient):
        mu, sigma = ctx.saved_tensors
        factor = gradient.item() / len(mu)
        d_sigma = torch.empty_like(sigma)
        for start in range(0, len(mu), OfficialKl.BLOCK):
            s = sigma[start:start + OfficialKl.BLOCK]
            log_s = F.softplus(s.clamp(max=CEILING)).mul_(1.8).add_(0.2)
            slope = log_s.exp_().mul_(1 / PRIOR_VARIANCE).sub_(1)
            slope *= torch.sigmoid(s)
            slope *= s <= CEILING
            torch.mul(slope, 0.9 * factor, out=d_sigma[start:start + OfficialKl.BLOCK])
        return mu * (factor / PRIOR_VARIANCE), d_sigma


class InfoNce(torch.autograd.Function):
    """-mean_b log softmax_c(a_b . b_c / tau)_b for unit rows, left to right; gradient formed block by block."""

    BLOCK = 512

    @staticmethod
    def forward(ctx, a, b, tau):
        count = len(a)
        grad_a, grad_b = torch.empty_like(a), torch.zeros_like(b)
        total = 0.0
        for start in range(0, count, InfoNce.BLOCK):
            stop = min(start + InfoNce.BLOCK, count)
            # cosines are at most 1, so exp((cos - 1)/tau) cannot overflow
            p = (a[start:stop] @ b.T).sub_(1).mul_(1 / tau)
            diagonal = p.diagonal(start)
            total -= diagonal.sum().item()
            row_sum = p.exp_().sum(1)
            total += row_sum.log().sum().item()
            p *= (1 / (row_sum * (tau * count)))[:, None]
            diagonal -= 1 / (tau * count)
            torch.mm(p, b, out=grad_a[start:stop])
            grad_b.addmm_(p.T, a[start:stop])
        ctx.save_for_backward(grad_a, grad_b)
        return a.new_tensor(total / count)

    @staticmethod
    def backward(ctx, gradient):
        grad_a, grad_b = ctx.saved_tensors
        return grad_a * gradient, grad_b * gradient, None


class MultiSimilarity(torch.autograd.Function):
    """Mean over the 2B anchors (unit rows [left ; right]) of
    ln(1 + e^(-alpha (S_p - lambda)))/alpha + ln(1 + sum_n e^(beta (S_n - lambda)))/beta.

    S is symmetric: only blocks on and above the block diagonal are computed. Pass 1 collects sum_n for both ends of every
    block; pass 2 forms D_ij = E_ij (1/(1+Z_i) + 1/(1+Z_j)) / (2B) and the gradient D V. Blocks are kept between
    the passes while they fit into KEEP_BYTES, else computed again.
    """

    BLOCK = 512
    KEEP_BYTES = 256 << 20

    @staticmethod
    def forward(ctx, v, alpha, beta, offset):
        total_rows = len(v)
        count = total_rows // 2
        inside = list(range(0, count, MultiSimilarity.BLOCK)) + [count]
        cuts = inside[:-1] + [count + c for c in inside]
        blocks = [(cuts[i], cuts[i + 1]) for i in range(len(cuts) - 1)]
        half = len(blocks) // 2
        keep = total_rows * (total_rows + MultiSimilarity.BLOCK) // 2 * v.element_size() <= MultiSimilarity.KEEP_BYTES

        def exponentials(i, j):
            rows, columns = v[blocks[i][0]:blocks[i][1]], v[blocks[j][0]:blocks[j][1]]
            e = (rows @ columns.T).sub_(offset).mul_(beta).exp_()
            if i == j or j == i + half:  # the row itself, or its counterpart
                e.fill_diagonal_(0)
            return e

        z = torch.ones(total_rows, dtype=v.dtype)
        kept = {}
        for i, (top, bottom) in enumerate(blocks):
            for j in range(i, len(blocks)):
                e = exponentials(i, j)
                z[top:bottom] += e.sum(1)
                if j > i:
                    z[blocks[j][0]:blocks[j][1]] += e.sum(0)
                if keep:
                    kept[i, j] = e
        left, right = v[:count], v[count:]
        positive = torch.linalg.vecdot(left, right).sub_(offset).mul_(-alpha)
        loss = F.softplus(positive).sum() / (alpha * count) + z.log().sum() / (beta * total_rows)
        inverse = 1 / (z * total_rows)
        gradient = torch.empty_like(v)
        coefficient = (torch.sigmoid(positive) / -count)[:, None]
        torch.mul(right, coefficient, out=gradient[:count])
        torch.mul(left, coefficient, out=gradient[count:])
        for i, (top, bottom) in enumerate(blocks):
            for j in range(i, len(blocks)):
                start, stop = blocks[j]
                d = kept.pop((i, j)) if keep else exponentials(i, j)
                d *= inverse[top:bottom, None] + inverse[start:stop]
                gradient[top:bottom].addmm_(d, v[start:stop])
                if j > i:
                    gradient[start:stop].addmm_(d.T, v[top:bottom])
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx, gradient):
        return ctx.saved_tensors[0] * gradient, None, None, None


# ---- the model -----------------------------------------------------------------------------------------------
class LeanIbmea(torch.nn.Module):
    """Parameters and forward pass. `features` maps a modality to SparseFeatures or a dense tensor."""

    def __init__(self, entities, features, pattern, config):
        super().__init__()
        self.config, self.features, self.pattern = config, features, pattern
        self.modalities = ["graph"] + list(features)
        parameter = torch.nn.Parameter
        d = config.graph_dim
        values = {"entity": torch.randn(entities, d) / math.sqrt(entities)}
        bound = 1 / math.sqrt(2 * d)
        for encoder in ("graphMean", "graphScale"):
            for layer in range(config.layers):
                values[f"{encoder}.layer{layer}.weight"] = torch.ones(config.heads, d)
                values[f"{encoder}.layer{layer}.attention"] = torch.empty(config.heads, 2 * d).uniform_(-bound, bound)
        values["graphNorm.gain"], values["graphNorm.bias"] = torch.ones(d), torch.zeros(d)
        for m, x in features.items():
            for name, (rows, columns) in (("hidden", (x.shape[1], config.hidden_dim)),
                                          ("mean", (config.hidden_dim, config.modality_dim)),
                                          ("logVariance", (config.hidden_dim, config.modality_dim))):
                linear_bound = 1 / math.sqrt(rows)  # the library's usual start of a linear layer
                values[f"{m}.{name}.weight"] = torch.empty(rows, columns).uniform_(-linear_bound, linear_bound)
                values[f"{m}.{name}.bias"] = torch.empty(columns).uniform_(-linear_bound, linear_bound)
        values["fusion.weights"] = torch.ones(len(FUSION_SLOTS))
        self.table = {name: parameter(value) for name, value in values.items()}
        for name, value in self.table.items():
            self.register_parameter(name.replace(".", "_"), value)

    def graph_encoder(self, name, mask):
        c, x = self.config, self.table["entity"]
        if self.training:
            x = Dropout.apply(x, c.dropout, mask)
        for layer in range(c.layers):
            prefix = f"{name}.layer{layer}"
            x = DiagonalAttention.apply(x, self.table[f"{prefix}.weight"], self.table[f"{prefix}.attention"],
                                        self.pattern, c.leaky_slope)
            if layer + 1 < c.layers:
                x = F.elu(x)
        return x

    def posterior(self, masks=None):
        """Mean and scale of every modality for all entities."""
        masks, t, c = masks or {}, self.table, self.config
        mean = F.layer_norm(self.graph_encoder("graphMean", masks.get("graphMean")), (c.graph_dim,),
                            t["graphNorm.gain"], t["graphNorm.bias"], c.layer_norm_eps)
        scale = F.elu(self.graph_encoder("graphScale", masks.get("graphScale")))
        out = {"graph": (mean, scale)}
        for m, x in self.features.items():
            projected = SparseLinear.apply(t[f"{m}.hidden.weight"], x) if isinstance(x, SparseFeatures) \
                else x @ t[f"{m}.hidden.weight"]
            hidden = (projected + t[f"{m}.hidden.bias"]).relu_()
            out[m] = (torch.addmm(t[f"{m}.mean.bias"], hidden, t[f"{m}.mean.weight"]),
                      torch.addmm(t[f"{m}.logVariance.bias"], hidden, t[f"{m}.logVariance.weight"]).mul(0.5).exp_())
        return out

    @staticmethod
    def draw(modality, shape):
        """Official noise: standard normal for the graph, uniform in [0, 1) for the other modalities."""
        return torch.randn(shape) if modality == "graph" else torch.rand(shape)

    def sample_rows(self, posterior, rows, noise=None):
        """Normalised samples z/|z| of the given rows, and the unit hybrid rows.

        The norm of a hybrid row is that of the present soft-max weights, so dividing by it once makes rows of length 1."""
        unit = {}
        for m in self.modalities:
            mean, scale = posterior[m]
            if rows is not None:
                mean, scale = mean.index_select(0, rows), scale.index_select(0, rows)
            epsilon = self.draw(m, mean.shape) if noise is None else noise[m].index_select(0, rows)
            unit[m] = F.normalize(torch.addcmul(mean, epsilon, scale), eps=NORMALIZE_EPS)
        slots = [slot for slot, m in enumerate(FUSION_SLOTS) if m in unit]
        weights = torch.softmax(self.table["fusion.weights"], 0)[slots]
        weights = weights / weights.norm()
        hybrid = torch.cat([weights[i] * unit[FUSION_SLOTS[slot]] for i, slot in enumerate(slots)], dim=1)
        return unit, hybrid

    def epoch_kl(self, posterior):
        return {m: OfficialKl.apply(*posterior[m]) for m in self.modalities}

    def batch_loss(self, unit, hybrid, left, right, kl):
        """Sum over modalities of InfoNCE + beta KL, plus w_J times multi-similarity. left/right index rows of `unit`."""
        c = self.config
        parts = {"multiSimilarity": MultiSimilarity.apply(hybrid.index_select(0, torch.cat([left, right])),
                                                          c.ms_alpha, c.ms_beta, c.ms_lambda)}
        total = c.hybrid_weight * parts["multiSimilarity"]
        for m in self.modalities:
            parts[f"infoNce.{m}"] = InfoNce.apply(unit[m].index_select(0, left), unit[m].index_select(0, right), c.tau)
            parts[f"kl.{m}"] = kl[m]
            total = total + parts[f"infoNce.{m}"] + c.kl_weights[m] * kl[m]
        parts["total"] = total
        return parts


def train_epoch(model, optimizer, seeds, order, noise=None, masks=None):
    """One forward pass; per seed batch a backward pass that adds to the gradient, and a clip of the running sum; one step.

    Returns the loss parts, one value per batch."""
    config = model.config
    optimizer.zero_grad(set_to_none=True)
    posterior = model.posterior(masks)
    unit, hybrid = model.sample_rows(posterior, torch.cat([seeds[:, 0], seeds[:, 1]]), noise)
    kl = model.epoch_kl(posterior)
    del posterior
    history = {}
    batches = order.split(config.seed_batch)
    for index, batch in enumerate(batches):
        parts = model.batch_loss(unit, hybrid, batch, batch + len(seeds), kl)
        parts["total"].backward(retain_graph=index + 1 < len(batches))
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        for name, value in parts.items():
            history.setdefault(name, []).append(value.item())
    optimizer.step()
    return history


def learning_rate_factor(epoch, config):
    """Linear warm-up from 0, then half a cosine; one step per epoch, so the first epoch runs with rate 0."""
    if epoch < config.warm_up:
        return epoch / config.warm_up
    progress = (epoch - config.warm_up) / max(1, config.horizon - config.warm_up)
    return max(0.0, 0.5 * (1 + math.cos(math.pi * progress)))


# ---- evaluation and pseudo seeds -----------------------------------------------------------------------------
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


@torch.no_grad()
def evaluate(model, links, use_mean):
    """Official: one noisy draw of the test entities; with use_mean the posterior mean."""
    model.eval()
    posterior = model.posterior()
    rows = torch.cat([links[:, 0], links[:, 1]])
    noise = {m: torch.zeros_like(posterior[m][0]) for m in model.modalities} if use_mean else None
    _, hybrid = model.sample_rows(posterior, rows, noise)
    model.train()
    return csls_metrics(hybrid[:len(links)], hybrid[len(links):], model.config.csls_k)


@torch.no_grad()
def mutual_pairs(model, left, right):
    """Mutual nearest neighbours of the hybrid rows (cosine order), train mode: dropout and noise are on."""
    _, hybrid = model.sample_rows(model.posterior(), torch.cat([left, right]))
    a, b = hybrid[:len(left)], hybrid[len(left):]
    best_right = torch.empty(len(left), dtype=torch.int64)
    best_left = torch.zeros(len(right), dtype=torch.int64)
    best_value = torch.full((len(right),), -math.inf)
    for start, cosine in block_walk(a, b):
        best_right[start:start + len(cosine)] = cosine.argmax(1)
        value, index = cosine.max(0)
        better = value > best_value
        best_value = torch.where(better, value, best_value)
        best_left = torch.where(better, index + start, best_left)
    own = torch.arange(len(left))
    mutual = best_left[best_right] == own
    return {(left[i].item(), right[best_right[i]].item()) for i in own[mutual].tolist()}


# ---- reading a data folder -----------------------------------------------------------------------------------
def read_lines(folder, name, optional=False):
    for candidate, opener in ((name, open), (name + ".gz", gzip.open)):
        path = os.path.join(folder, candidate)
        if os.path.exists(path):
            with opener(path, "rt", encoding="utf-8-sig", newline=None) as stream:
                return [line.rstrip("\r\n").split("\t") for line in stream if line.strip()]
    if optional:
        return None
    raise FileNotFoundError(f"{name}[.gz] in {folder}")


def top_columns(keys, limit):
    """key -> column for the most frequent keys, ties in order of first appearance."""
    counts = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return {key: column for column, key in enumerate(sorted(counts, key=lambda q: -counts[q])[:limit])}


def sparse_counts(cells, shape, binary):
    """Sparse matrix of how often each (row, column) occurs."""
    flat, counts = np.unique(np.array([r * shape[1] + c for r, c in cells], dtype=np.int64), return_counts=True)
    values = np.ones(len(flat), np.float32) if binary else counts.astype(np.float32)
    return SparseFeatures(flat // shape[1], flat % shape[1], values, shape)


def load(folder, columns):
    """Entities get dense ids, KG1 first, in file order. Relation counts: every triple line adds 1 at head and at tail."""
    names, dense, sizes = [], {}, []
    for side in (1, 2):
        lines = read_lines(folder, f"ent_ids_{side}")
        sizes.append(len(lines))
        for number, line in enumerate(lines, 1):
            if int(line[0]) in dense:
                raise ValueError(f"ent_ids_{side} line {number}: id {line[0]} occurs twice")
            dense[int(line[0])] = len(names)
            names.append(line[1])
    total = len(names)
    triples = []
    for side in (1, 2):
        lines = read_lines(folder, f"triples_{side}", optional=True)
        if lines is None:
            lines = read_lines(folder, f"triples_{side}_partial")
        if not lines:
            raise ValueError(f"triples_{side} is empty")
        triples += [(dense[int(h)], int(r), dense[int(t)]) for h, r, t in lines]
    heads, tails = (np.array([t[i] for t in triples], dtype=np.int64) for i in (0, 2))
    own = np.arange(total)
    pairs = np.unique(np.concatenate([heads, tails, own]) * total + np.concatenate([tails, heads, own]))
    pattern = Pattern(pairs // total, pairs % total, (total, total))

    relation_column = top_columns((r for _, r, _ in triples), columns)
    cells = [(node, relation_column[r]) for h, r, t in triples if r in relation_column for node in (h, t)]
    features = {"relation": sparse_counts(cells, (total, columns), binary=False)}
    rows = []
    for side, first in ((1, 0), (2, sizes[0])):
        by_name = {names[i]: i for i in range(first, first + sizes[side - 1])}
        for line in read_lines(folder, f"training_attrs_{side}", optional=True) or []:
            if line[0] in by_name:
                rows.append((by_name[line[0]], [a for a in dict.fromkeys(line[1:]) if a]))
    if rows:
        attribute_column = top_columns((a for _, attributes in rows for a in attributes), columns)
        cells = [(node, attribute_column[a]) for node, attributes in rows for a in attributes if a in attribute_column]
        features["attribute"] = sparse_counts(cells, (total, columns), binary=True)

    pair = lambda lines: [(dense[int(a)], dense[int(b)]) for a, b in lines]
    lines = read_lines(folder, "ill_ent_ids", optional=True)
    if lines is None:
        links = pair(read_lines(folder, "ref_ent_ids"))
        known = set(links)
        links += [link for link in pair(read_lines(folder, "sup_ent_ids", optional=True) or []) if link not in known]
    else:
        links = pair(lines)
    return {"names": names, "dense": dense, "sizes": sizes, "triples": len(triples), "pattern": pattern,
            "features": features, "links": links}


def split(data, seed_file, rate):
    """Seeds from a file of ids, or the first share of the links sorted by SHA-256 of `KG1 URI<TAB>KG2 URI`."""
    if seed_file:
        lines = read_lines(os.path.dirname(os.path.abspath(seed_file)), os.path.basename(seed_file))
        seeds = [(data["dense"][int(line[0])], data["dense"][int(line[1])]) for line in lines]
    else:
        names = data["names"]
        key = lambda link: hashlib.sha256(f"{names[link[0]]}\t{names[link[1]]}".encode()).hexdigest()
        seeds = sorted(data["links"], key=key)[:int(len(data["links"]) * rate)]
    chosen = set(seeds)
    return torch.tensor(seeds), torch.tensor([link for link in data["links"] if link not in chosen])


def device_name(device):
    return torch.cuda.get_device_name() if device.startswith("cuda") else device


# ---- command line --------------------------------------------------------------------------------------------
def summary(result):
    """The result without its list of epochs: Hits@1 of KG1 -> KG2 by number of epochs, all metrics of the last evaluation,
    cost as medians over the epochs without the first."""
    steady = result["epochs"][1:] or result["epochs"]
    last = result["evaluations"][-1] if result["evaluations"] else {}
    cost = {name: round(statistics.median(epoch[name] for epoch in steady), 3) for name in ("wallSeconds", "cpuSeconds")}
    kept = {name: value for name, value in result.items() if name not in ("epochs", "evaluations", "pseudoSeeds")}
    return {**kept, "epochs": len(result["epochs"]),
            "hits@1": {str(e["epoch"] + 1): round(e["l2r"]["hits@1"], 4) for e in result["evaluations"]},
            "last": {side: {name: round(value, 4) for name, value in last[side].items()} for side in ("l2r", "r2l") if last},
            "perEpoch": cost}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder with ent_ids_1/2, triples_1/2, ... (plain or .gz)")
    parser.add_argument("--seeds", help="file with two columns of entity ids; default: first share by SHA-256")
    parser.add_argument("--preset", choices=tuple(PRESETS), default="dbp15k", help="settings of the data set")
    parser.add_argument("--seed-rate", type=float, help="default: that of the preset")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=2023)
    parser.add_argument("--seed-batch", type=int, help="default: that of the preset")
    parser.add_argument("--evaluate-every", type=int, default=0, help="0: never")
    parser.add_argument("--evaluate-mean", action="store_true", help="posterior mean instead of one official noisy draw")
    parser.add_argument("--pseudo-seeds", action="store_true", help="iterative learning")
    parser.add_argument("--allocator", choices=("reuse", "system"), default="reuse", help="see keep_freed_memory")
    parser.add_argument("--json", help="also write the final JSON object to this file, whole")
    parser.add_argument("--brief", action="store_true", help="leave the list of epochs out of the last line")
    return parser.parse_args()


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.set_default_device(options.device)
    torch.manual_seed(options.seed)
    started = time.perf_counter()
    asked = {"seed_batch": options.seed_batch, "seed_rate": options.seed_rate}
    config = dataclasses.replace(PRESETS[options.preset], **{k: v for k, v in asked.items() if v is not None})
    data = load(options.data, config.feature_columns)
    seeds, test = split(data, options.seeds, config.seed_rate)
    total = len(data["names"])
    model = LeanIbmea(total, data["features"], data["pattern"], config)
    model.train()
    gold = {tuple(link) for link in data["links"]}
    left = torch.tensor(sorted(set(range(data["sizes"][0])) - set(seeds[:, 0].tolist())))
    right = torch.tensor(sorted(set(range(data["sizes"][0], total)) - set(seeds[:, 1].tolist())))
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay,
                                  fused=True)
    load_seconds = time.perf_counter() - started
    print(f"{total} entities, {data['triples']} triples, {len(data['pattern'].rows)} pattern pairs, {len(seeds)} seeds, "
          f"{len(test)} test links, {sum(p.numel() for p in model.parameters())} parameters, "
          f"read in {load_seconds:.1f} s", flush=True)

    epochs, evaluations, pseudo, candidates = [], [], [], set()
    training_peak = 0
    for epoch in range(options.epochs):
        wall, cpu = time.perf_counter(), time.process_time()
        rate = config.learning_rate * learning_rate_factor(epoch, config)
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses = train_epoch(model, optimizer, seeds, torch.randperm(len(seeds)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        mean = {name: sum(values) / len(values) for name, values in losses.items()}
        if not math.isfinite(mean["total"]):
            raise FloatingPointError(f"epoch {epoch}: {losses}")
        entry = {"epoch": epoch, "wallSeconds": wall, "cpuSeconds": cpu, "learningRate": rate, "batches": len(losses["total"]),
                 "losses": mean}
        epochs.append(entry)
        print(f"epoch {epoch} wall {wall:.3f} s cpu {cpu:.3f} s " +
              " ".join(f"{name} {value:.4f}" for name, value in mean.items()), flush=True)
        if not evaluations and not pseudo:
            training_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        after = epoch + 1
        if options.pseudo_seeds and epoch >= config.pseudo_start and after % config.pseudo_every == 0:
            wall = time.perf_counter()
            found = mutual_pairs(model, left, right)
            phase = after % config.pseudo_accept
            candidates = found if phase == config.pseudo_every else candidates & found
            note = {"epoch": epoch, "proposed": len(found), "candidates": len(candidates), "accepted": 0}
            if phase == 0 and candidates:
                note.update(accepted=len(candidates), correct=len(candidates & gold))
                added = torch.tensor(sorted(candidates))
                seeds = torch.cat([seeds, added])
                left = left[~torch.isin(left, added[:, 0])]
                right = right[~torch.isin(right, added[:, 1])]
                candidates = set()
            note["wallSeconds"] = time.perf_counter() - wall
            pseudo.append(note)
            print("pseudo seeds", json.dumps(note), flush=True)
        if options.evaluate_every and (after % options.evaluate_every == 0 or after == options.epochs):
            wall, cpu = time.perf_counter(), time.process_time()
            metrics = evaluate(model, test, options.evaluate_mean)
            evaluations.append({"epoch": epoch, "wallSeconds": time.perf_counter() - wall,
                                "cpuSeconds": time.process_time() - cpu, **metrics})
            print("evaluation", json.dumps(evaluations[-1]), flush=True)

    result = {
        "implementation": "lean PyTorch", "mode": "official", "preset": options.preset, "data": os.path.basename(
            os.path.normpath(options.data)), "entities": total, "seeds": len(seeds), "testLinks": len(test),
        "modalities": model.modalities, "seedBatch": config.seed_batch,
        "epochs": epochs, "evaluations": evaluations, "pseudoSeeds": pseudo, "loadSeconds": load_seconds,
        "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "trainingPeakRssBytes": training_peak, "torch": torch.__version__, "numpy": np.__version__,
        "python": platform.python_version(), "threads": torch.get_num_threads(), "allocator": ALLOCATOR,
        "device": device_name(options.device),
        "parameters": sum(p.numel() for p in model.parameters()), "seed": options.seed,
        "evaluatedBy": "mean" if options.evaluate_mean else "one draw",
    }
    if options.json:
        with open(options.json, "w") as stream:
            json.dump(result, stream, indent=1)
    print(json.dumps(summary(result) if options.brief else result))


if __name__ == "__main__":
    main()
