"""Reading of a folder in the field's layout into plain numpy arrays: entities, pairs of neighbours with their relation
sets, sparse relation and attribute counts, links, seeds.

Entities get dense ids, KG1 first, in file order. Everything plain or gzipped.
"""

import gzip
import hashlib
import os
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Sparse:
    """Sorted (row, column) cells of a sparse matrix with their values."""
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    shape: tuple


@dataclass
class Alignment:
    names: list
    dense: dict
    sizes: list
    triples: int
    pairs: np.ndarray  # [E, 2]: (i, j) joined by a triple in either direction, sorted
    pair_sets: np.ndarray  # [E]: number of the relation set of each pair
    sets: Sparse  # [U, 2 R0]: set u averages over its directed relations
    features: dict = field(default_factory=dict)
    links: list = field(default_factory=list)


def read_lines(folder, name, optional=False):
    for candidate, opener in ((name, open), (name + ".gz", gzip.open)):
        path = os.path.join(folder, candidate)
        if os.path.exists(path):
            with opener(path, "rt", encoding="utf-8-sig", newline=None) as stream:
                return [line.rstrip("\r\n").split("\t") for line in stream if line.strip()]
    if optional:
        return None
    raise FileNotFoundError(f"{name}[.gz] in {folder}")


def relation_pairs(triples):
    """Ordered pairs with their distinct sets of directed relations: (h, t) carries r + 1, (t, h) carries r + 1 + R0,
    R0 = largest r + 2. Sets are numbered by first appearance."""
    r0 = max(r for _, r, _ in triples) + 2
    carried = {}
    for head, relation, tail in triples:
        carried.setdefault((head, tail), set()).add(relation + 1)
        carried.setdefault((tail, head), set()).add(relation + 1 + r0)
    pairs, numbers, pair_sets = sorted(carried), {}, []
    for pair in pairs:
        pair_sets.append(numbers.setdefault(tuple(sorted(carried[pair])), len(numbers)))
    sizes = np.array([len(ids) for ids in numbers])
    sets = Sparse(np.repeat(np.arange(len(numbers)), sizes), np.array([k for ids in numbers for k in ids]),
                  np.repeat(1 / sizes, sizes).astype(np.float32), (len(numbers), 2 * r0))
    return np.array(pairs, dtype=np.int64), np.array(pair_sets, dtype=np.int64), sets


def top_columns(keys, limit):
    """key -> column for the most frequent keys, ties in order of first appearance."""
    counts = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return {key: column for column, key in enumerate(sorted(counts, key=lambda q: -counts[q])[:limit])}


def sparse_counts(cells, shape, binary):
    """How often each (row, column) occurs; binary: 1 where it does."""
    flat, counts = np.unique(np.array([r * shape[1] + c for r, c in cells], dtype=np.int64), return_counts=True)
    values = np.ones(len(flat), np.float32) if binary else counts.astype(np.float32)
    return Sparse(flat // shape[1], flat % shape[1], values, shape)


def distinct_rows(sparse):
    """The distinct rows, numbered by first appearance, and which of them each row is."""
    cells = [[] for _ in range(sparse.shape[0])]
    for row, column, value in zip(sparse.rows.tolist(), sparse.columns.tolist(), sparse.values.tolist()):
        cells[row].append((column, value))
    numbers = {}
    places = np.array([numbers.setdefault(tuple(row), len(numbers)) for row in cells])
    flat = [(u, column, value) for row, u in numbers.items() for column, value in row]
    rows, columns, values = (np.array([cell[k] for cell in flat]) for k in range(3))
    return Sparse(rows, columns, values.astype(np.float32), (len(numbers), sparse.shape[1])), places


def read_features(folder, data, triples, limit):
    """Relation counts (every triple line adds 1 at head and at tail) and binary attributes, of the most frequent names."""
    total = len(data.names)
    column = top_columns((r for _, r, _ in triples), limit)
    cells = [(node, column[r]) for h, r, t in triples if r in column for node in (h, t)]
    data.features["relation"] = sparse_counts(cells, (total, len(column)), binary=False)
    rows = []
    for side, first in ((1, 0), (2, data.sizes[0])):
        by_name = {data.names[i]: i for i in range(first, first + data.sizes[side - 1])}
        for line in read_lines(folder, f"training_attrs_{side}", optional=True) or []:
            if line[0] in by_name:
                rows.append((by_name[line[0]], [a for a in dict.fromkeys(line[1:]) if a]))
    if rows:
        column = top_columns((a for _, attributes in rows for a in attributes), limit)
        cells = [(node, column[a]) for node, attributes in rows for a in attributes if a in column]
        data.features["attribute"] = sparse_counts(cells, (total, len(column)), binary=True)


def read_links(folder, dense):
    """All links: `ill_ent_ids`, or `ref_ent_ids` and what `sup_ent_ids` has besides."""
    pair = lambda lines: [(dense[int(a)], dense[int(b)]) for a, b in lines]
    lines = read_lines(folder, "ill_ent_ids", optional=True)
    if lines is not None:
        return pair(lines)
    links = pair(read_lines(folder, "ref_ent_ids"))
    known = set(links)
    return links + [link for link in pair(read_lines(folder, "sup_ent_ids", optional=True) or []) if link not in known]


def read_alignment(folder, limit=1000):
    names, dense, sizes = [], {}, []
    for side in (1, 2):
        lines = read_lines(folder, f"ent_ids_{side}")
        sizes.append(len(lines))
        for line in lines:
            if int(line[0]) in dense:
                raise ValueError(f"ent_ids_{side}: id {line[0]} occurs twice")
            dense[int(line[0])] = len(names)
            names.append(line[1])
    triples = []
    for side in (1, 2):
        lines = read_lines(folder, f"triples_{side}", optional=True) or read_lines(folder, f"triples_{side}_partial")
        triples += [(dense[int(h)], int(r), dense[int(t)]) for h, r, t in lines]
    data = Alignment(names, dense, sizes, len(triples), *relation_pairs(triples))
    read_features(folder, data, triples, limit)
    data.links = read_links(folder, dense)
    return data


def split(data, seed_file, rate):
    """Seeds [S, 2] and test links [T, 2]: seeds from a file of ids, or the first share of the links sorted by SHA-256 of
    `KG1 URI<TAB>KG2 URI`."""
    if seed_file:
        lines = read_lines(os.path.dirname(os.path.abspath(seed_file)), os.path.basename(seed_file))
        seeds = [(data.dense[int(line[0])], data.dense[int(line[1])]) for line in lines]
    else:
        key = lambda link: hashlib.sha256(f"{data.names[link[0]]}\t{data.names[link[1]]}".encode()).hexdigest()
        seeds = sorted(data.links, key=key)[:int(len(data.links) * rate)]
    chosen = set(seeds)
    return np.array(seeds), np.array([link for link in data.links if link not in chosen])
