"""Cases of the sparse product and of graph attention; expectations in float64 by definition."""

import numpy as np
from shapes import (
    ATTENTION,
    ATTENTION_GRADIENTS,
    CSR,
    CSR_GRADIENTS,
    HEADS,
    NEGATIVE_SLOPE,
    POSITIVE_SLOPE,
    floats,
)

# Rows whose entries are expanded at a time, so that a large graph needs little memory.
ROWS_AT_ONCE = 2000
SLOPES = (POSITIVE_SLOPE, NEGATIVE_SLOPE)
# Several times the rounding error of a score in float32.
LEAST_SUM = 2e-6


def row_sums(pointers, values):
    """Sums of the values [E, ...] over each row's entries; zeros where there are none."""
    sums = np.zeros((len(pointers) - 1, *values.shape[1:]))
    filled = np.flatnonzero(np.diff(pointers))
    if len(filled):
        sums[filled] = np.add.reduceat(values, pointers[:-1][filled], axis=0)
    return sums


def collect(pointers, columns, values, x):
    """Row by row the sum of values_e x_(columns_e)."""
    parts = []
    for first in range(0, len(pointers) - 1, ROWS_AT_ONCE):
        part = pointers[first : first + ROWS_AT_ONCE + 1]
        entries = slice(part[0], part[-1])
        products = values[entries, None] * x[columns[entries]]
        parts.append(row_sums(part - part[0], products))
    return np.concatenate(parts)


def entry_dots(rows, columns, dy, x):
    """dy_(rows_e) . x_(columns_e) for each entry."""
    parts = [np.zeros(0)]
    for first in range(0, len(rows), 50_000):
        at = slice(first, first + 50_000)
        parts.append(np.einsum("ew,ew->e", dy[rows[at]], x[columns[at]]))
    return np.concatenate(parts)


def softmax_of_rows(pointers, rows, scores):
    """Softmax of the scores [E, K] inside each row."""
    largest = np.full((len(pointers) - 1, scores.shape[1]), -np.inf)
    np.maximum.at(largest, rows, scores)
    shares = np.exp(scores - largest[rows])
    return shares / row_sums(pointers, shares)[rows]


def csr_cases(cases, random, graph, width, label, is_timed=False):
    rows, columns = len(graph.pointers) - 1, len(graph.transposed) - 1
    entries = len(graph.columns)
    x, dy = floats(random, columns, width), floats(random, rows, width)
    values = floats(random, entries)
    row_bytes = 4 * width
    product_bytes = entries * (row_bytes + 8) + rows * row_bytes
    x64, dy64, values64 = x.astype(np.float64), dy.astype(np.float64), values.astype(np.float64)
    product = collect(graph.pointers, graph.columns, values64, x64)
    dots = entry_dots(graph.rows, graph.columns, dy64, x64)
    back = collect(graph.transposed, graph.receivers, values64[graph.places], dy64)
    with cases.case(CSR if is_timed else f"csr_product: {label}") as case:
        places = [case.input(graph.pointers), case.input(graph.columns)]
        out = case.output(rows * width)
        case.call("csr_product", rows, width, *places, case.input(values), case.input(x), out)
        case.check(out, product)
        if is_timed:
            case.time(product_bytes)
    with cases.case(f"csr_sampled_dot: {label}") as case:
        places = [case.input(graph.pointers), case.input(graph.columns)]
        out = case.output(entries)
        case.call("csr_sampled_dot", rows, width, *places, case.input(dy), case.input(x), out)
        case.check(out, dots)
        if is_timed:
            case.time(product_bytes)
    with cases.case(CSR_GRADIENTS if is_timed else f"csr with gradients: {label}") as case:
        pattern = [case.input(graph.pointers), case.input(graph.columns)]
        turned = [case.input(graph.transposed), case.input(graph.receivers)]
        given, dense, gradient = case.input(values), case.input(x), case.input(dy)
        out, dx, dvalues = [case.output(n) for n in (rows * width, columns * width, entries)]
        permuted, order = case.output(entries), case.input(graph.places)
        case.call("csr_product", rows, width, *pattern, given, dense, out)
        case.call("gather_row_blocks", entries, given, entries, 1, order, entries, permuted)
        case.call("csr_product", columns, width, *turned, permuted, gradient, dx)
        case.call("csr_sampled_dot", rows, width, *pattern, gradient, dense, dvalues)
        case.check(out, product)
        case.check(dx, back)
        case.check(dvalues, dots)
        if is_timed:
            case.time(3 * product_bytes)
    if not is_timed:
        plain_cases(cases, graph, x, label)


def plain_cases(cases, graph, x, label):
    """Without values, and with rows that do not begin at whole 16 bytes."""
    rows, width = len(graph.pointers) - 1, x.shape[1]
    ones = np.ones(len(graph.columns))
    shifted = np.concatenate([[0], x.ravel()]).astype(np.float32)
    with cases.case(f"csr_product without values, shifted: {label}") as case:
        places = [case.input(graph.pointers), case.input(graph.columns)]
        out = case.output(rows * width)
        case.call("csr_product", rows, width, *places, None, f"{case.input(shifted)}+1", out)
        case.check(out, collect(graph.pointers, graph.columns, ones, x.astype(np.float64)))


class Layer:
    """Graph attention with its gradients, as packages/tensor/src/ops defines it, in float64."""

    def __init__(self, random, graph, width, heads, has_weights):
        self.graph, self.width, self.heads = graph, width, heads
        self.nodes, self.entries = len(graph.pointers) - 1, len(graph.columns)
        self.x, self.dy = floats(random, self.nodes, width), floats(random, self.nodes, width)
        self.weights = floats(random, heads, width) if has_weights else None
        x = self.x.astype(np.float64)
        self.vectors = self.draw_vectors(random, x)
        self.forward(x, self.vectors.astype(np.float64))
        self.backward(self.x.astype(np.float64), self.dy.astype(np.float64))

    def sums(self, x, vectors):
        """What the pairs give before the slope: [E, K], and the scores of the nodes."""
        scores = np.einsum("nw,ksw->nks", x, vectors)
        return scores[self.graph.rows, :, 0] + scores[self.graph.columns, :, 1], scores

    def draw_vectors(self, random, x):
        """Score vectors for which rounding never changes the sign of a sum, nor so the slope."""
        while True:
            shape = (self.heads, 2, self.width)
            vectors = floats(random, *shape) / np.float32(np.sqrt(self.width))
            sums, _ = self.sums(x, vectors.astype(np.float64))
            if np.abs(sums).min(initial=1) > LEAST_SUM:
                return vectors

    def forward(self, x, vectors):
        rows, columns = self.graph.rows, self.graph.columns
        sums, self.scores = self.sums(x, vectors)
        self.slopes = np.where(sums > 0, *np.float32(SLOPES).astype(np.float64))
        self.shares = softmax_of_rows(self.graph.pointers, rows, self.slopes * sums)
        self.factors = (
            np.ones((self.heads, self.width))
            if self.weights is None
            else self.weights.astype(np.float64)
        ) / self.heads
        self.out = sum(
            factor * collect(self.graph.pointers, columns, self.shares[:, k], x)
            for k, factor in enumerate(self.factors)
        )

    def backward(self, x, dy):
        graph, rows = self.graph, self.graph.rows
        placed = self.shares[graph.places]
        sent = [
            collect(graph.transposed, graph.receivers, placed[:, k], dy) for k in range(self.heads)
        ]
        self.sent = sum(factor * part for factor, part in zip(self.factors, sent))
        self.weight_rows = np.stack([x * part for part in sent], axis=1)
        self.share_gradient = np.stack(
            [entry_dots(rows, graph.columns, dy * factor, x) for factor in self.factors], axis=1
        )
        means = row_sums(graph.pointers, self.shares * self.share_gradient)
        self.entry_gradient = self.shares * (self.share_gradient - means[rows]) * self.slopes
        self.score_gradient = np.stack(
            [
                row_sums(graph.pointers, self.entry_gradient),
                row_sums(graph.transposed, self.entry_gradient[graph.places]),
            ],
            axis=2,
        )
        self.dvectors = np.einsum("nks,nw->ksw", self.score_gradient, x)
        vectors = self.vectors.astype(np.float64)
        self.dx = self.sent + np.einsum("nks,ksw->nw", self.score_gradient, vectors)
        self.dweights = self.weight_rows.sum(axis=0) / self.heads

    def weight_parts(self, block):
        """Sums of the weights' gradient over blocks of nodes, without the mean of the heads."""
        starts = np.arange(0, self.nodes, block)
        return np.add.reduceat(self.weight_rows, starts, axis=0)


# Nodes that have one part of the weights' gradient.
BLOCK = 16


def forward_calls(case, layer):
    """Puts the calls of the layer's forward pass into a case; returns the buffers."""
    n, k, w, entries = layer.nodes, layer.heads, layer.width, layer.entries
    pattern = [case.input(layer.graph.pointers), case.input(layer.graph.columns)]
    x, vectors = case.input(layer.x), case.input(layer.vectors)
    scores, shares, out = [case.output(size) for size in (2 * n * k, entries * k, n * w)]
    case.call("product", n, 2 * k, w, 0, 1, x, vectors, scores)
    case.call("attention_coefficients", n, k, *pattern, scores, *SLOPES, shares)
    weights, collected, heads = None, shares, k
    if layer.weights is not None:
        weights = case.output(k * w)
        case.call("scale_values", k * w, case.input(layer.weights), 1 / k, weights)
    elif k > 1:
        collected, heads = case.output(entries), 1
        case.call("attention_head_mean", entries, k, shares, collected)
    case.call("attention_collect", n, w, heads, *pattern, collected, x, weights, out)
    return pattern, x, vectors, scores, shares, weights, out


def backward_calls(case, layer, buffers):
    pattern, x, vectors, scores, shares, weights, _ = buffers
    graph, n, k, w = layer.graph, layer.nodes, layer.heads, layer.width
    parts_count = -(-n // BLOCK)
    turned = [case.input(a) for a in (graph.transposed, graph.receivers, graph.places)]
    dy, gradient, dx = case.input(layer.dy), case.output(layer.entries * k), case.output(n * w)
    dscores, dvectors = case.output(2 * n * k), case.output(2 * k * w)
    parts = None if weights is None else case.output(parts_count * k * w)
    given = [shares, dy, x, weights, parts, BLOCK]
    case.call("attention_sent", n, w, k, *turned, *given, gradient, dx)
    case.call(
        *("attention_softmax_backward", n, k, *pattern, scores, *SLOPES),
        *(shares, dscores, gradient),
    )
    case.call("attention_source_sums", n, k, turned[0], turned[2], gradient, dscores)
    case.call("add_row_combinations", n, w, 2 * k, dscores, vectors, dx)
    case.call("product", 2 * k, w, n, 1, 0, dscores, x, dvectors)
    case.check(dx, layer.dx)
    case.check(dvectors, layer.dvectors)
    if weights is not None:
        dweights = case.output(k * w)
        case.call("sum_parts", parts_count, k * w, parts, dweights)
        case.call("scale_values", k * w, dweights, 1 / k, dweights)
        case.check(dweights, layer.dweights)


def attention_cases(cases, random, graph, width, heads, label, has_weights=True, is_timed=False):
    layer = Layer(random, graph, width, heads, has_weights)
    with cases.case(ATTENTION if is_timed else f"graph attention: {label}") as case:
        *_, scores, shares, _, out = forward_calls(case, layer)
        case.check(scores, layer.scores)
        case.check(shares, layer.shares)
        case.check(out, layer.out)
        if is_timed:
            case.time()
    name = ATTENTION_GRADIENTS if is_timed else f"graph attention with gradients: {label}"
    with cases.case(name) as case:
        backward_calls(case, layer, forward_calls(case, layer))
        if is_timed:
            case.time()
    attention_kernel_cases(cases, layer, label, is_timed)


def attention_kernel_cases(cases, layer, label, is_timed):
    """The kernels of the layer one by one, each from inputs that are right."""
    graph, n, k, w = layer.graph, layer.nodes, layer.heads, layer.width
    single = {name: getattr(layer, name).astype(np.float32) for name in ("scores", "shares")}
    share_gradient = layer.share_gradient.astype(np.float32)
    weights = None if layer.weights is None else layer.factors.astype(np.float32)
    with cases.case(f"attention_sent: {label}") as case:
        turned = [case.input(a) for a in (graph.transposed, graph.receivers, graph.places)]
        given = [case.input(a) for a in (single["shares"], layer.dy, layer.x, weights)]
        parts = None if weights is None else case.output(-(-n // BLOCK) * k * w)
        gradient, out = case.output(layer.entries * k), case.output(n * w)
        case.call("attention_sent", n, w, k, *turned, *given, parts, BLOCK, gradient, out)
        case.check(gradient, layer.share_gradient)
        case.check(out, layer.sent)
        if weights is not None:
            case.check(parts, layer.weight_parts(BLOCK))
        if is_timed:
            case.time()
    with cases.case(f"attention_softmax_backward and sums: {label}") as case:
        pattern = [case.input(graph.pointers), case.input(graph.columns)]
        turned = [case.input(graph.transposed), case.input(graph.places)]
        scores, shares = case.input(single["scores"]), case.input(single["shares"])
        gradient, dscores = case.input(share_gradient), case.output(2 * n * k)
        case.call(
            *("attention_softmax_backward", n, k, *pattern, scores, *SLOPES),
            *(shares, dscores, gradient),
        )
        case.call("attention_source_sums", n, k, *turned, gradient, dscores)
        case.check(gradient, layer.entry_gradient)
        case.check(dscores, layer.score_gradient)
        if is_timed:
            case.time()


def graph_timings(cases, random, graph, width):
    csr_cases(cases, random, graph, width, "large graph", is_timed=True)
    attention_cases(cases, random, graph, width, HEADS, "large graph", is_timed=True)
