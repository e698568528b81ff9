"""Writes golden.json: what scipy and scikit-learn compute on small fixed inputs.

Run: python3 make_golden.py   (numpy, scipy, scikit-learn; versions are written into the file)
"""

import json
import pathlib

import numpy
import scipy
import sklearn
from scipy import optimize, stats
from sklearn import metrics
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

random = numpy.random.default_rng(20261126)
n = 60
scores = numpy.round(random.normal(size=n), 1)
labels = (scores + random.normal(size=n) > 0).astype(int)
predicted = random.integers(0, 4, n)
actual = numpy.where(random.random(n) < 0.6, predicted, random.integers(0, 4, n))
other = numpy.round(0.5 * scores + random.normal(size=n), 1)
short, longer = random.normal(0.3, 1, 7), random.normal(0, 2, 12)
grid = [-3.0, -1.05, -0.2, 0.0, 0.33, 1.21, 4.0]
slope, intercept = _sigmoid_calibration(scores, labels)
isotonic = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
wide, tall = random.normal(size=(7, 11)), random.integers(0, 9, (12, 8)).astype(float)


def assignment(cost):
    rows, columns = optimize.linear_sum_assignment(cost)
    return {"cost": cost.tolist(), "total": float(cost[rows, columns].sum())}


def averages(kind):
    values = metrics.precision_recall_fscore_support(
        actual, predicted, average=kind, zero_division=0
    )
    return dict(zip(["precision", "recall", "f1"], map(float, values[:3])))


def wilson(successes, trials, level):
    interval = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    return [successes, trials, level, interval.low, interval.high]


welch = stats.ttest_ind(short, longer, equal_var=False)
welch_interval = welch.confidence_interval(0.95)
pvalues = random.random(9) ** 3
mean_interval = stats.t.interval(
    0.95, len(short) - 1, loc=short.mean(), scale=stats.sem(short)
)
paired = random.normal(0.4, 1, 8)
golden = {
    "versions": {
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "scores": scores.tolist(),
    "labels": labels.tolist(),
    "other": other.tolist(),
    "predicted": predicted.tolist(),
    "actual": actual.tolist(),
    "short": short.tolist(),
    "longer": longer.tolist(),
    "auroc": metrics.roc_auc_score(labels, scores),
    "brier": metrics.brier_score_loss(labels, 1 / (1 + numpy.exp(-scores))),
    "platt": {"grid": grid, "values": (1 / (1 + numpy.exp(slope * numpy.array(grid) + intercept))).tolist()},
    "isotonic": {"grid": grid, "values": isotonic.predict(grid).tolist()},
    "accuracy": metrics.accuracy_score(actual, predicted),
    "confusion": metrics.confusion_matrix(actual, predicted).tolist(),
    "micro": averages("micro"),
    "macro": averages("macro"),
    "kappa": {
        kind: metrics.cohen_kappa_score(actual, predicted, weights=None if kind == "none" else kind)
        for kind in ["none", "linear", "quadratic"]
    },
    "pearson": stats.pearsonr(scores, other)[0],
    "spearman": stats.spearmanr(scores, other)[0],
    "kendall": stats.kendalltau(scores, other)[0],
    "wilson": [wilson(0, 9, 0.95), wilson(9, 9, 0.95), wilson(775, 1050, 0.95), wilson(3, 11, 0.99)],
    "tInterval": list(mean_interval),
    "welch": {
        "t": welch.statistic,
        "degrees": welch.df,
        "pValue": welch.pvalue,
        "low": welch_interval.low,
        "high": welch_interval.high,
    },
    "mcNemar": [[b, c, stats.binomtest(b, b + c).pvalue] for b, c in [(1, 9), (5, 5), (30, 71), (0, 4)]],
    "fdr": {"pValues": pvalues.tolist(), "adjusted": stats.false_discovery_control(pvalues).tolist()},
    "signFlips": {
        "first": paired.tolist(),
        "pValue": stats.permutation_test(
            (paired, numpy.zeros(8)), lambda x, y: x.mean() - y.mean(), permutation_type="samples"
        ).pvalue,
    },
    "assignment": [assignment(wide), assignment(tall)],
}
path = pathlib.Path(__file__).parent / "golden.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
