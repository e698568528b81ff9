"""Golden values of fitLogistic: scikit-learn on standardised features, C = 1 (l2 = 1), no name but numbers.

Regenerate: python3 make_logistic.py > logistic.json   (scikit-learn and numpy)
"""
import json

import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(7)
x = np.round(rng.normal(size=(40, 3)) * [1, 5, 0.1] + [0, 2, 1], 4)
y = (rng.uniform(size=40) < 1 / (1 + np.exp(-(x @ [1.0, -0.3, 5] - 4)))).astype(int)
mean, deviation = x.mean(0), x.std(0)
model = LogisticRegression(C=1.0, tol=1e-12, max_iter=100000).fit((x - mean) / deviation, y)
coefficients = model.coef_[0] / deviation
intercept = float(model.intercept_[0] - coefficients @ mean)
print(json.dumps({"rows": x.tolist(), "labels": y.tolist(), "coefficients": coefficients.tolist(), "intercept": intercept}))
