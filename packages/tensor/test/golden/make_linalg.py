"""Writes linalg.json: numpy.linalg.svd, eigh and qr on small matrices.

    python3 make_linalg.py

Committed numbers: Python 3.11.7, NumPy 2.4.6, seed 2024, 2026-11-26.
"""

import json
import os

import numpy as np

random = np.random.default_rng(2024)
low_rank = random.standard_normal((6, 2)) @ random.standard_normal((2, 5))
CASES = {
    "tall": random.standard_normal((7, 4)),
    "wide": random.standard_normal((3, 6)),
    "square": random.standard_normal((5, 5)),
    "low rank": low_rank,
    "graded": random.standard_normal((4, 4)) * 10.0 ** np.array([0, -3, -6, -9]),
    "hilbert": 1 / (np.arange(6)[:, None] + np.arange(6)[None, :] + 1.0),
}


def listed(matrix):
    return [float(value) for value in np.ascontiguousarray(matrix).reshape(-1)]


content = {"numpy": np.__version__, "cases": {}}
for name, matrix in CASES.items():
    _, values, _ = np.linalg.svd(matrix)
    q, r = np.linalg.qr(matrix)
    signs = np.where(np.diagonal(r) < 0, -1.0, 1.0)
    rank = min(matrix.shape)
    case = {"rows": matrix.shape[0], "columns": matrix.shape[1], "data": listed(matrix),
            "singularValues": listed(values),
            "r": listed(signs[:, None] * r), "q": listed(q[:, :rank] * signs)}
    gram = matrix @ matrix.T
    case["gram"] = listed(gram)
    case["eigenvalues"] = listed(np.linalg.eigh(gram)[0])
    content["cases"][name] = case
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "linalg.json"), "w") as file:
    json.dump(content, file, indent=1)
    file.write("\n")
