"""Golden values of one-shot pruning by second order: explicit inverses, column by column.

python3 make_sparse_gpt.py > sparse-gpt.json
"""

import json

import numpy as np

rng = np.random.default_rng(5)
outputs, inputs, tokens, share, block, damping = 5, 9, 30, 0.4, 3, 0.01
x = rng.normal(size=(tokens, inputs)) + 1.5 * rng.normal(size=(tokens, 1))
weights = rng.normal(size=(outputs, inputs)).astype(np.float32).astype(np.float64)
products = x.T @ x
h = products + damping * np.mean(np.diag(products)) * np.eye(inputs)


def inverse_of_rest(column):
    """Inverse of H on the columns from `column` on: those before it are fixed."""
    return np.linalg.inv(h[column:, column:])


w = weights.copy()
for start in range(0, inputs, block):
    columns = range(start, min(start + block, inputs))
    diagonal = np.array([inverse_of_rest(column)[0, 0] for column in columns])
    # Optimal brain surgeon: what removing a weight costs at least, w^2 / (H^-1)_jj.
    costs = w[:, columns] ** 2 / diagonal
    count = int(share * costs.size)
    mask = np.zeros(costs.size, dtype=bool)
    mask[np.argsort(costs, axis=None, kind="stable")[:count]] = True
    mask = mask.reshape(costs.shape)
    for place, column in enumerate(columns):
        rest = inverse_of_rest(column)
        for row in range(outputs):
            if mask[row, place]:
                w[row, column:] -= w[row, column] / rest[0, 0] * rest[0]
                w[row, column] = 0.0

print(
    json.dumps(
        {
            "outputs": outputs,
            "inputs": inputs,
            "share": share,
            "blockSize": block,
            "damping": damping,
            "products": products.ravel().tolist(),
            "weights": weights.ravel().tolist(),
            "pruned": w.ravel().tolist(),
        }
    )
)
