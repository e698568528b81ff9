"""Golden values of the released code's procedure: scikit-learn's split, SVC and MLPClassifier.

Regenerate: python3 make_probes.py > probes.json   (scikit-learn and numpy; seconds)

Rows of state s are 2 u - 1 of RandomState(10 + s).random_sample, row by row; to the feature with
the number of a row's class the distance of the state is added; then they are rounded to float32.
"""
import json
import platform

import numpy as np
import sklearn
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

WIDTH = 24
DISTANCES = [0.0, 0.5, 1.5]


def state(seed, distance, labels):
    x = 2 * np.random.RandomState(seed).random_sample((len(labels), WIDTH)) - 1
    x[np.arange(len(labels)), labels] += distance
    return x.astype(np.float32).astype(float)


def scores(predicted, actual):
    report = classification_report(actual, predicted, output_dict=True, zero_division=0)
    keep = lambda row: {key: row[key] for key in ('precision', 'recall', 'f1-score')}
    return {'accuracy': report['accuracy'], 'macro': keep(report['macro avg']),
            'weighted': keep(report['weighted avg']),
            'confusion': confusion_matrix(actual, predicted).tolist()}


def explain(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    found = []
    for index, distance in enumerate(DISTANCES):
        x = state(10 + index, distance, labels)
        x_train, x_test, y_train, y_test = train_test_split(
            x, labels, test_size=0.3, random_state=42)
        svm = SVC(kernel='linear').fit(x_train, y_train)
        scaler = StandardScaler().fit(x_train)
        mlp = MLPClassifier(hidden_layer_sizes=(100,), learning_rate_init=0.01, alpha=0.01,
                            max_iter=300, random_state=42)
        mlp.fit(scaler.transform(x_train), y_train)
        found.append({'svm': scores(svm.predict(x_test), y_test),
                      'mlp': scores(mlp.predict(scaler.transform(x_test)), y_test)})
    return {'counts': counts, 'states': found}


print(json.dumps({
    'versions': {'python': platform.python_version(), 'numpy': np.__version__,
                 'sklearn': sklearn.__version__},
    'width': WIDTH, 'distances': DISTANCES,
    'tasks': [explain([101, 101]), explain([60, 50, 70])],
}))
