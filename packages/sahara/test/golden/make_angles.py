"""Angles between subspaces of random states, by numpy.linalg.svd in float64: writes angles.json.

    python3 make_angles.py

numpy.random.default_rng(7); float32 states, as a model gives them.
"""
import json
import os

import numpy as np

random = np.random.default_rng(7)
cases = []


def basis(states, side, center, rank):
    states = states.astype(np.float64)
    if center:
        states = states - states.mean(0)
    left, values, right = np.linalg.svd(states, full_matrices=False)
    return (left[:, :rank] if side == 'left' else right[:rank].T), values


for rows, width, shift in [(5, 3, 0.3), (6, 16, 1e-2), (12, 8, 1e-4), (20, 32, 1.0)]:
    common = random.normal(size=(1, width)) * 3
    first = (common + random.normal(size=(rows, width))).astype(np.float32)
    second = (first + shift * random.normal(size=(rows, width))).astype(np.float32)
    for side in ['left', 'right']:
        for center in [False, True]:
            for rank in [1, 2]:
                one, values = basis(first, side, center, rank)
                other, _ = basis(second, side, center, rank)
                # Angles of the products lose digits where they are small: sines beside cosines.
                cosines = np.linalg.svd(one.T @ other, compute_uv=False).clip(-1, 1)
                rest = other - one @ (one.T @ other)
                sines = np.sort(np.linalg.svd(rest, compute_uv=False).clip(0, 1))
                angles = np.where(cosines ** 2 > 0.5, np.arcsin(sines), np.arccos(cosines))
                cases.append({
                    'rows': rows, 'width': width, 'side': side, 'center': center, 'rank': rank,
                    'first': first.flatten().tolist(), 'second': second.flatten().tolist(),
                    'values': values.tolist(), 'degrees': np.degrees(angles).tolist(),
                })
path = os.path.join(os.path.dirname(__file__), 'angles.json')
with open(path, 'w') as file:
    json.dump(cases, file)
    file.write('\n')
