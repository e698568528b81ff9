"""The expensive parts of the lean form as autograd functions that hold no [E, d] and no [K, N, d] tensor."""

import numpy as np
import torch
import torch.nn.functional as F


class Pattern:
    """(row, column) cells of a sparse matrix, sorted, in CSR form, with its transpose as a permutation of the values."""

    def __init__(self, rows, columns, shape):
        assert (np.diff(rows * shape[1] + columns) > 0).all(), "cells must be sorted and distinct"
        self.shape = shape
        self.rows, self.columns = torch.from_numpy(rows), torch.from_numpy(columns)
        self.starts = torch.from_numpy(np.searchsorted(rows, np.arange(shape[0] + 1)))
        turned = np.lexsort((rows, columns))
        self.turned, self.turned_columns = torch.from_numpy(turned), torch.from_numpy(rows[turned])
        self.turned_starts = torch.from_numpy(np.searchsorted(columns[turned], np.arange(shape[1] + 1)))

    def matrix(self, values):
        return torch.sparse_csr_tensor(self.starts, self.columns, values, self.shape, check_invariants=False)

    def transposed(self, values):
        return torch.sparse_csr_tensor(self.turned_starts, self.turned_columns, values.index_select(0, self.turned),
                                       self.shape[::-1], check_invariants=False)

    def times(self, values, dense):
        return torch.sparse.mm(self.matrix(values), dense, "sum")

    def transposed_times(self, values, dense):
        return torch.sparse.mm(self.transposed(values), dense, "sum")

    def products(self, left, right):
        """left_i . right_j at every cell (i, j)."""
        empty = self.matrix(left.new_zeros(len(self.columns)))
        return torch.sparse.sampled_addmm(empty, left, right.T, beta=0.0).values()


class Constant:
    """A constant sparse matrix and its transpose."""

    def __init__(self, sparse):
        pattern = Pattern(sparse.rows, sparse.columns, sparse.shape)
        values = torch.from_numpy(sparse.values)
        self.shape = sparse.shape
        self.matrix, self.transpose = pattern.matrix(values), pattern.transposed(values)


class ConstantProduct(torch.autograd.Function):
    """S x for a constant sparse S; the gradient to x is S^T g."""

    @staticmethod
    def forward(ctx, dense, constant):
        ctx.constant = constant
        return torch.sparse.mm(constant.matrix, dense, "sum")

    @staticmethod
    def backward(ctx, gradient):
        return torch.sparse.mm(ctx.constant.transpose, gradient.contiguous(), "sum"), None


class RelationPattern:
    """Pairs (i, j) with their sets: A [N, N], B [N, U] with a cell per pair in row i and the column of its set, and the
    distinct (j, set) of all pairs. Two pairs of a row may share a set, so B is kept by its distinct cells too."""

    def __init__(self, pairs, pair_sets, counts):
        entities, sets = counts
        self.neighbours = Pattern(pairs[:, 0], pairs[:, 1], (entities, entities))
        self.receivers, self.receiver_cells = self.distinct(pairs[:, 0], pair_sets, (entities, sets))
        self.senders, self.sender_cells = self.distinct(pairs[:, 1], pair_sets, (entities, sets))
        self.sets = torch.from_numpy(pair_sets)

    @staticmethod
    def distinct(rows, columns, shape):
        flat, cells = np.unique(rows * shape[1] + columns, return_inverse=True)
        return Pattern(flat // shape[1], flat % shape[1], shape), torch.from_numpy(cells)


class ReflectionLayer(torch.autograd.Function):
    """tanh(sum_j a_ij (h_j - 2 (h_j . r_ij) r_ij)), a_ij the soft-max of r_ij . k over the neighbours j of i.

    The sum is A h + B r with values a_ij in A [N, N] and the sum of -2 a_ij (h_j . r_u) over the pairs of a cell in
    B [N, U]; the products h_j . r_u are made at the distinct (j, u) only.
    """

    @staticmethod
    def forward(ctx, h, r, kernel, graph):
        rows = graph.neighbours.rows
        logits = (r @ kernel).index_select(0, graph.sets)
        weights = (logits - logits.max()).exp_()  # |r . k| is small against 88: one maximum for all rows
        total = h.new_zeros(len(h)).index_add_(0, rows, weights)
        weights /= total.index_select(0, rows)
        dots = graph.senders.products(h, r).index_select(0, graph.sender_cells)
        along = h.new_zeros(len(graph.receivers.columns)).index_add_(0, graph.receiver_cells, weights * dots, alpha=-2)
        out = graph.neighbours.times(weights, h)
        out += graph.receivers.times(along, r)
        out.tanh_()
        ctx.graph = graph
        ctx.save_for_backward(h, r, kernel, weights, dots, along, out)
        return out

    @staticmethod
    def backward(ctx, gradient):
        h, r, kernel, weights, dots, along, out = ctx.saved_tensors
        graph, rows = ctx.graph, ctx.graph.neighbours.rows
        g = torch.addcmul(gradient, gradient * out, out, value=-1)
        d_along = graph.receivers.products(g, r).index_select(0, graph.receiver_cells)
        d_weights = graph.neighbours.products(g, h).addcmul_(d_along, dots, value=-2)
        d_dots = h.new_zeros(len(graph.senders.columns)).index_add_(0, graph.sender_cells, weights * d_along, alpha=-2)
        d_h = graph.neighbours.transposed_times(weights, g)
        d_h += graph.senders.times(d_dots, r)
        d_r = graph.receivers.transposed_times(along, g)
        d_r += graph.senders.transposed_times(d_dots, h)
        d_weights *= weights
        total = h.new_zeros(len(h)).index_add_(0, rows, d_weights)
        d_logits = d_weights.addcmul_(weights, total.index_select(0, rows), value=-1)
        d_scores = h.new_zeros(len(r)).index_add_(0, graph.sets, d_logits)
        d_r.addr_(d_scores, kernel)
        return d_h, d_r, d_scores @ r, None


class LowRankFusion(torch.autograd.Function):
    """b + sum_k c_k prod_m (w_m^(k) + alpha_im T_m^(k)[u]), u = places_m[i] the distinct row that entity i has; tables T
    are [U, K d], constants w [K d].

    Element-wise in blocks of entities, and made again in the backward pass.
    """

    BLOCK = 128

    @staticmethod
    def parts(tables, constants, places, alpha, block):
        """x_u W of the entities of a block, and w + alpha x_u W."""
        gathered = [table.index_select(0, at[block]) for table, at in zip(tables, places)]
        return gathered, [torch.addcmul(constant, x, alpha[block, m:m + 1])
                          for m, (x, constant) in enumerate(zip(gathered, constants))]

    @staticmethod
    def forward(ctx, rank_weight, bias, alpha, places, *inputs):
        count = len(inputs) // 2
        tables, constants = inputs[:count], inputs[count:]
        rank, size = len(rank_weight), len(bias)
        out = alpha.new_empty(len(alpha), size)
        for start in range(0, len(out), LowRankFusion.BLOCK):
            block = slice(start, start + LowRankFusion.BLOCK)
            _, parts = LowRankFusion.parts(tables, constants, places, alpha, block)
            product = parts[0]
            for part in parts[1:]:
                product *= part
            product = product.view(-1, rank, size)
            target = torch.addcmul(bias, product[:, 0], rank_weight[0], out=out[block])
            for k in range(1, rank):
                target.addcmul_(product[:, k], rank_weight[k])
        ctx.places, ctx.shape = places, (rank, size)
        ctx.save_for_backward(rank_weight, alpha, *tables, *constants)
        return out

    @staticmethod
    def backward(ctx, gradient):
        rank_weight, alpha, *saved = ctx.saved_tensors
        count = len(saved) // 2
        tables, constants = saved[:count], saved[count:]
        rank, size = ctx.shape
        d_tables = [torch.zeros_like(x) for x in tables]
        d_constants = [torch.zeros_like(w) for w in constants]
        d_alpha, d_rank = torch.empty_like(alpha), torch.zeros_like(rank_weight)
        for start in range(0, len(gradient), LowRankFusion.BLOCK):
            block = slice(start, start + LowRankFusion.BLOCK)
            gathered, parts = LowRankFusion.parts(tables, constants, ctx.places, alpha, block)
            g = gradient[block].repeat(1, rank)
            for m in range(count):
                d_part = g.clone() if m + 1 < count else g
                for other in range(count):
                    if other != m:
                        d_part *= parts[other]
                if m == 0:
                    d_rank += torch.linalg.vecdot(d_part, parts[0], dim=0).view(rank, size).sum(1)
                d_part.view(-1, rank, size).mul_(rank_weight[:, None])
                d_constants[m] += d_part.sum(0)
                d_alpha[block, m] = torch.linalg.vecdot(d_part, gathered[m])
                d_tables[m].index_add_(0, ctx.places[m][block], d_part.mul_(alpha[block, m:m + 1]))
        return d_rank, gradient.sum(0), d_alpha, None, *d_tables, *d_constants


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
            # cosines are at most 1, so exp((cos - 1) / tau) cannot overflow
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


def unit(x):
    return F.normalize(x, dim=1, eps=1e-12)
