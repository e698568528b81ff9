"""Times the probes of scikit-learn on rows that another program wrote: prints one JSON line.

    python3 probes.py FOLDER

The folder has splits.json and a float32 array [N, D] for each state; the first half of the rows is
of class 0.
"""
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

warnings.simplefilter('ignore')
folder = Path(sys.argv[1])
splits = json.loads((folder / 'splits.json').read_text())
train, test = np.array(splits['train']), np.array(splits['test'])


def machine(x, y):
    return SVC(kernel='linear').fit(x, y)


def perceptron(x, y):
    return MLPClassifier(hidden_layer_sizes=(100,), learning_rate_init=0.01, alpha=0.01,
                         max_iter=300, random_state=42).fit(x, y)


def timed(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def folds(x, y):
    for part in splits['folds']:
        machine(x[part['train']], y[part['train']]).predict(x[part['test']])


found = []
for path in sorted(folder.glob('*.npy'), key=lambda path: int(path.stem)):
    x = np.load(path)
    y = (np.arange(len(x)) >= len(x) // 2).astype(int)
    svm, svm_seconds = timed(lambda: machine(x[train], y[train]).predict(x[test]))
    _, fold_seconds = timed(lambda: folds(x, y))

    def scaled():
        scaler = StandardScaler().fit(x[train])
        return scaler, perceptron(scaler.transform(x[train]), y[train])

    (scaler, mlp), mlp_seconds = timed(scaled)
    found.append({
        'seconds': {'svm': svm_seconds, 'folds': fold_seconds, 'mlp': mlp_seconds},
        'svm': svm.tolist(),
        'mlp': mlp.predict(scaler.transform(x[test])).tolist(),
    })
print(json.dumps(found))
