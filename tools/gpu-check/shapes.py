"""The sizes that are timed, their arrays, and the graph; the same for our kernels and PyTorch."""

from dataclasses import dataclass

import numpy as np

NODES = 15_000
ENTRIES = 200_000
WIDTH = 300
HEADS = 2
ROWS = 30_000
PARAMETERS = 5_000_000
POSITIVE_SLOPE = 1.0
NEGATIVE_SLOPE = 0.2
SEED = 2024

# Labels of what is timed.
CSR = "csr product"
CSR_GRADIENTS = "csr product with gradients"
ATTENTION = "graph attention layer"
ATTENTION_GRADIENTS = "graph attention layer with gradients"
ADAMW = "AdamW step"
GATHER = "gather rows"
SEGMENT_SUM = "segment sum with its order"
SEGMENT_TOTAL = "segment sum, order given"
SOFTMAX = "softmax of rows"


@dataclass
class Graph:
    """A pattern in compressed rows, and its transpose; `places` are the entries of the pattern."""

    pointers: np.ndarray
    columns: np.ndarray
    transposed: np.ndarray
    receivers: np.ndarray
    places: np.ndarray

    @property
    def rows(self):
        """The row of each entry."""
        counts = np.diff(self.pointers)
        return np.repeat(np.arange(len(counts)), counts)


def pointers_of(ids, count):
    counts = np.bincount(ids, minlength=count)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def graph_of(rows, columns, row_count, column_count):
    """The graph of entries that are given in any order."""
    order = np.argsort(rows, kind="stable")
    rows, columns = rows[order], columns[order].astype(np.int32)
    places = np.argsort(columns, kind="stable").astype(np.int32)
    return Graph(
        pointers_of(rows, row_count),
        columns,
        pointers_of(columns, column_count),
        rows[places].astype(np.int32),
        places,
    )


def large_graph(nodes=NODES, entries=ENTRIES):
    """A graph with a few nodes of many neighbours, as knowledge graphs have, and many of few.

    No pair comes twice and columns ascend in their row: PyTorch's sparse gradients need both.
    """
    random = np.random.default_rng(SEED)
    mixed = random.permutation(nodes)

    def skewed():
        share = random.random(entries)
        return mixed[np.minimum((share**2 * nodes).astype(np.int64), nodes - 1)]

    pairs = np.zeros(0, np.int64)
    while len(pairs) < entries:
        pairs = np.union1d(pairs, skewed() * nodes + skewed())
    kept = np.sort(random.choice(pairs, entries, replace=False))
    return graph_of(kept // nodes, kept % nodes, nodes, nodes)


def floats(random, *shape):
    return random.standard_normal(shape, dtype=np.float32)
