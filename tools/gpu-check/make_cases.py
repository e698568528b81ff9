"""Writes the cases of the GPU check: `python3 make_cases.py FOLDER [--small]`.

Expectations are NumPy float64, written from the definitions. Small awkward shapes come first, then
the large shapes that are timed; --small makes those small too, to try the check itself.
"""

import sys

import graph_cases
import numpy as np
import row_cases
import segment_cases
from case_file import Cases
from shapes import ENTRIES, NODES, PARAMETERS, ROWS, SEED, WIDTH, graph_of, large_graph

WIDTHS = (1, 3, 4, 37, 300)
HEAD_COUNTS = (1, 2, 3, 5, 8, 9)


def small_graphs(random, nodes=41, entries=230):
    """Patterns with empty rows, with no entry, with all in one row, and with half in one column."""
    some = random.integers(0, nodes // 2, entries) * 2
    columns = random.integers(0, nodes, entries)
    nothing = np.zeros(0, np.int64)
    return {
        "empty rows": graph_of(some, columns, nodes, nodes),
        "no entries": graph_of(nothing, nothing, nodes, nodes),
        "one row": graph_of(np.full(entries, 5), columns, nodes, nodes),
        "busy column": graph_of(columns, np.where(some % 4 == 0, 7, some), nodes, nodes),
    }


def small_graph_cases(cases, random):
    for name, graph in small_graphs(random).items():
        for width in WIDTHS:
            graph_cases.csr_cases(cases, random, graph, width, f"{name}, width {width}")
            for has_weights in (True, False):
                weights = "with" if has_weights else "without"
                label = f"{name}, width {width}, 2 heads {weights} weights"
                graph_cases.attention_cases(cases, random, graph, width, 2, label, has_weights)
    graph = small_graphs(random)["empty rows"]
    for heads in HEAD_COUNTS:
        for width, has_weights in ((37, False), (520, True)):
            label = f"{heads} heads, width {width}"
            graph_cases.attention_cases(cases, random, graph, width, heads, label, has_weights)


def ids_of(random):
    """Ids by name: with and without -1, sorted, all the same, so many that they are read again."""
    lone = np.full(3000, 2, np.int32)
    lone[[0, 5, 2999]] = [0, 1, 0]
    return {
        "with -1": (random.integers(-1, 20, 90).astype(np.int32), 23),
        "no -1": (random.integers(0, 20, 90).astype(np.int32), 23),
        "sorted": (np.sort(random.integers(0, 20, 90)).astype(np.int32), 23),
        "one long segment": (lone, 4),
        "no rows": (np.zeros(0, np.int32), 5),
        "all -1": (np.full(7, -1, np.int32), 3),
        "many segments": (random.integers(0, 2500, 400).astype(np.int32), 2500),
    }


def small_segment_cases(cases, random):
    for name, (ids, segments) in ids_of(random).items():
        segment_cases.order_cases(cases, ids, segments, name)
        for width in WIDTHS if len(ids) < 100 else (3, 8):
            label = f"{name}, width {width}"
            segment_cases.total_cases(cases, random, ids, segments, width, label)
            segment_cases.largest_cases(cases, random, ids, segments, width, label)
            if width < 8:
                segment_cases.sum_cases(cases, random, ids, segments, width, label)
        if not (ids < 0).any():
            segment_cases.softmax_cases(cases, random, ids, segments, name)
    for width in WIDTHS:
        segment_cases.gather_cases(cases, random, 3, 17, width, 29, f"width {width}")
    segment_cases.index_cases(cases, random)


def small_row_cases(cases, random):
    for width in (*WIDTHS, 2052, 2501):
        label = f"width {width}"
        row_cases.softmax_cases(cases, random, 9, width, label)
        row_cases.norm_cases(cases, random, 9, width, label)
    for count in (1, 4, 7, 1030):
        row_cases.dropout_cases(cases, random, count)
        row_cases.adamw_cases(cases, random, count)
        row_cases.plain_cases(cases, random, count, parts=70)


def large_cases(cases, random, is_small):
    shrink = 100 if is_small else 1
    nodes, entries, width = NODES // shrink, ENTRIES // shrink, WIDTH
    graph = large_graph(nodes, entries)
    graph_cases.graph_timings(cases, random, graph, width)
    ids = random.permutation(graph.rows.astype(np.int32))
    segment_cases.order_cases(cases, ids, nodes, "large graph", is_timed=True)
    segment_cases.total_cases(cases, random, ids, nodes, width, "large graph", is_timed=True)
    segment_cases.softmax_cases(cases, random, ids, nodes, "large graph", is_timed=True)
    label, count = "large graph", entries
    segment_cases.gather_cases(cases, random, 1, nodes, width, count, label, is_timed=True)
    row_cases.row_timings(cases, random, ROWS // shrink, width, PARAMETERS // shrink)


def main():
    cases = Cases(sys.argv[1])
    random = np.random.default_rng(SEED)
    small_graph_cases(cases, random)
    small_segment_cases(cases, random)
    small_row_cases(cases, random)
    large_cases(cases, random, "--small" in sys.argv)
    cases.close()


if __name__ == "__main__":
    main()
