"""Entity-level fusion of modality rows: reference (float64 numpy). No links beside the training seeds are read.

    python3 evidence_reference.py        writes data/evidence.json, numbers of 9 digits
"""
import json
import numpy as np

SLOPE = 2.0
THRESHOLDS = [None, 0.0, 2.0, 4.0, 6.0]  # None: the expert is left out
START = 2.0
SWEEPS = 2
K = 3  # evaluation.cslsNeighbours


def csls(s, k=K):
    """2 s - mean of the k largest of the row - mean of the k largest of the column."""
    kr, kc = min(k, s.shape[1]), min(k, s.shape[0])
    r = np.sort(s, axis=1)[:, -kr:].mean(axis=1)
    c = np.sort(s, axis=0)[-kc:].mean(axis=0)
    return 2 * s - r[:, None] - c[None, :]


def standard_score(cosines, k=K):
    """CSLS of one expert over the candidates, brought to mean 0 and population deviation 1."""
    c = csls(cosines, k)
    deviation = c.std()
    return (c - c.mean()) / deviation if deviation > 0 else np.zeros_like(c)


def evidence(z, threshold):
    """softplus(SLOPE (z - threshold)): bounded below, so that no expert can veto a pair."""
    return np.logaddexp(0.0, SLOPE * (z - threshold))


def fused_score(zs, thresholds, k=K):
    """Score of every candidate pair; None when every expert is left out."""
    used = [evidence(z, b) for z, b in zip(zs, thresholds) if b is not None]
    return csls(sum(used), k) if used else None


def mutual_pairs(score):
    """Rows and columns that are each other's best (first of equals)."""
    best = score.argmax(axis=1)
    back = score.argmax(axis=0)
    rows = np.arange(len(best))
    keep = back[best] == rows
    return rows[keep], best[keep]


def kept_edges(score, left, right, seeds, edges_left, edges_right):
    """Undirected edges (no loops, each once) of graph 1 whose two ends are paired, by a seed or as a mutual
    pair of candidates, with the two ends of an edge of graph 2."""
    rows, columns = mutual_pairs(score)
    partner = {int(a): int(b) for a, b in seeds}
    partner.update({int(left[i]): int(right[j]) for i, j in zip(rows, columns)})
    known = {(min(a, b), max(a, b)) for a, b in edges_right}
    count = 0
    for a, b in edges_left:
        u, v = partner.get(int(a)), partner.get(int(b))
        if u is not None and v is not None and (min(u, v), max(u, v)) in known:
            count += 1
    return count


def choose_thresholds(zs, left, right, seeds, edges_left, edges_right, k=K):
    """Coordinate ascent on kept edges: an option replaces the present one only where it keeps more."""
    count = lambda bs: kept_edges(fused_score(zs, bs, k), left, right, seeds, edges_left, edges_right)
    current = [START] * len(zs)
    best = count(current)
    trace = {tuple(current): best}
    for _ in range(SWEEPS):
        changed = False
        for at in range(len(zs)):
            for option in THRESHOLDS:
                if option == current[at]:
                    continue
                trial = current[:at] + [option] + current[at + 1:]
                if all(b is None for b in trial):
                    continue
                found = count(trial)
                trace[tuple(trial)] = found
                if found > best:
                    best, current, changed = found, trial, True
        if not changed:
            break
    return current, best, list(trace.values())  # each choice once, in the order of first trials


def golden():
    rng = np.random.default_rng(7)
    n, seeded = 18, 6
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
    left_ids = np.arange(n)
    right_ids = np.arange(n) + n
    truth = rng.permutation(n)
    pairs = [(int(i), int(truth[i] + n)) for i in range(n)]
    edges = sorted({tuple(sorted(map(int, rng.choice(n, 2, False)))) for _ in range(45)})
    edges_right = sorted({tuple(sorted((int(truth[a] + n), int(truth[b] + n)))) for a, b in edges[:38]})
    left, right = left_ids[seeded:], right_ids[np.sort(truth[seeded:])]
    experts = []
    for noise, faulty in ((1.0, 0.0), (0.5, 0.6), (0.8, 0.3)):
        base = rng.normal(size=(n, 5))
        other = np.empty_like(base)
        other[truth] = base + noise * rng.normal(size=base.shape)
        swap = np.flatnonzero(rng.random(n) < faulty)
        base[swap] = base[np.roll(swap, 1)]
        cosines = unit(base)[left] @ unit(other)[right - n].T
        experts.append(np.round(cosines, 6))
    zs = [standard_score(c) for c in experts]
    args = (left, right, pairs[:seeded], edges, edges_right)
    thresholds, kept, trace = choose_thresholds(zs, *args)
    score = fused_score(zs, thresholds)
    rows, columns = mutual_pairs(score)
    tolist = lambda x: np.asarray(x).tolist()
    return {
        'slope': SLOPE, 'thresholds': THRESHOLDS, 'start': START, 'sweeps': SWEEPS, 'k': K,
        'input': {
            'left': tolist(left), 'right': tolist(right), 'seeds': pairs[:seeded], 'edgesLeft': edges,
            'edgesRight': edges_right, 'cosines': [tolist(c) for c in experts],
        },
        'output': {
            'standardScores': [tolist(z) for z in zs], 'startScore': tolist(fused_score(zs, [START] * 3)),
            'chosen': thresholds, 'keptEdges': kept, 'trace': trace, 'score': tolist(score),
            'mutualPairs': [[int(left[i]), int(right[j])] for i, j in zip(rows, columns)],
        },
    }


def rounded(x):
    if isinstance(x, float):
        return float(f'{x:.9g}')
    if isinstance(x, list):
        return [rounded(y) for y in x]
    return {key: rounded(value) for key, value in x.items()} if isinstance(x, dict) else x


if __name__ == '__main__':
    found = golden()
    with open('data/evidence.json', 'w') as file:
        json.dump(rounded(found), file)
    print(found['output']['chosen'], found['output']['keptEdges'], found['output']['trace'], len(found['output']['mutualPairs']))
