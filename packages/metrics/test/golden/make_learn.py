"""Golden values of the learners: scikit-learn on rows that both sides draw from MT19937.

Regenerate: python3 make_learn.py > learn.json   (scikit-learn and numpy; seconds)

Rows are 2 u - 1 of RandomState(seed).random_sample, row by row; labels are stored as one digit a
row. Lists are rounded to twelve digits.
"""
import json
import platform
import warnings

import numpy as np
import sklearn
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

warnings.filterwarnings('error')


def draw(seed, rows, columns):
    return 2 * np.random.RandomState(seed).random_sample((rows, columns)) - 1


def numbers(values):
    return [float(f'{value:.12g}') for value in np.asarray(values, dtype=float).ravel()]


def digits(labels):
    return ''.join(str(int(label)) for label in labels)


def task(seed, rows, columns, classes, noise):
    """Training rows, their labels by noisy directions, and 2,000 test rows."""
    x = draw(seed, rows, columns)
    directions = draw(seed + 1, columns, classes)
    scores = x @ directions + noise * np.random.RandomState(seed + 2).normal(size=(rows, classes))
    return x, scores.argmax(1), draw(seed + 3, 2000, columns)


def about(name, seed, x, labels):
    return {'name': name, 'seed': seed, 'rows': x.shape[0], 'columns': x.shape[1],
            'labels': digits(labels)}


def svm(name, seed, shape, classes, noise, **settings):
    x, labels, test = task(seed, *shape, classes, noise)
    exact = SVC(tol=1e-6, decision_function_shape='ovo', **settings).fit(x, labels)
    usual = SVC(**settings).fit(x, labels)
    found = about(name, seed, x, labels)
    found['settings'] = settings
    found['intercepts'] = numbers(exact.intercept_)
    found['decisions'] = numbers(exact.decision_function(test[:100]))
    found['support'] = int(exact.support_.size)
    found['predicted'] = digits(usual.predict(test))
    if settings['kernel'] == 'linear':
        found['weights'] = numbers(exact.coef_)
    return found


def mlp(name, seed, shape, classes, noise):
    x, labels, test = task(seed, *shape, classes, noise)
    model = MLPClassifier(hidden_layer_sizes=(100,), learning_rate_init=0.01, alpha=0.01,
                          max_iter=300, random_state=42).fit(x, labels)
    found = about(name, seed, x, labels)
    found['losses'] = numbers(model.loss_curve_)
    found['probabilities'] = numbers(model.predict_proba(test[:50]))
    found['predicted'] = digits(model.predict(test))
    return found


def linear(name, seed, shape, classes, noise):
    x, labels, test = task(seed, *shape, classes, noise)
    found = about(name, seed, x, labels)
    few = test[:50]
    ridge = LogisticRegression(C=0.5, tol=1e-12, max_iter=100000)
    if classes == 2:
        ridge.fit(x, labels)
        found['logistic'] = [
            {'weights': numbers(ridge.coef_), 'intercept': float(ridge.intercept_[0])}]
    found['lda'] = []
    for shrinkage in (0.1, 0.5, 1.0):
        model = LinearDiscriminantAnalysis(solver='lsqr', shrinkage=shrinkage).fit(x, labels)
        found['lda'].append({'shrinkage': shrinkage, 'decisions': numbers(model.decision_function(few))})
    means = np.stack([x[labels == c].mean(0) for c in range(classes)])
    found['ledoitWolf'] = float(ledoit_wolf(x - means[labels])[1])
    found['nearestCentroid'] = digits(NearestCentroid().fit(x, labels).predict(test))
    found['silhouette'] = float(silhouette_score(x, labels))
    centred = x - x.mean(0)
    energies = np.linalg.svd(centred, compute_uv=False)[:3] ** 2
    found['energies'] = numbers(energies)
    scaler = StandardScaler().fit(x)
    found['scaler'] = {'means': numbers(scaler.mean_), 'scales': numbers(scaler.scale_)}
    return found


texts = ['How do I prune an apple tree?', 'How do I sharpen a chisel, and a plane?',
         'Write a poem about the sea.', 'Please write the poem again: shorter.', 'A sea of apples',
         'Is the tree taller than the mast? The mast!', "Über-cool naïve words, 3rd time", 'x y z']
word_labels = [0, 0, 1, 1, 0, 1, 0, 1]
unseen = ['the poem of the tree', 'how to sharpen words', 'nothing known']


def words():
    counts = CountVectorizer().fit(texts)
    weights = TfidfVectorizer(ngram_range=(1, 2)).fit(texts)
    bayes = MultinomialNB().fit(counts.transform(texts), word_labels)
    rows = weights.transform(texts + unseen)
    return {'texts': texts, 'labels': word_labels, 'unseen': unseen,
            'vocabulary': sorted(counts.vocabulary_),
            'products': numbers((rows @ rows.T).toarray()),
            'jointLogLikelihood': numbers(
                bayes.predict_joint_log_proba(counts.transform(unseen)))}


print(json.dumps({
    'versions': {'python': platform.python_version(), 'numpy': np.__version__,
                 'sklearn': sklearn.__version__},
    'svm': [svm('two classes', 100, (200, 30), 2, 0.5, kernel='linear', C=1.0),
            svm('three classes', 200, (240, 20), 3, 0.5, kernel='linear', C=1.0),
            svm('wide rows', 300, (300, 500), 2, 4.0, kernel='linear', C=1.0),
            svm('small cost', 400, (300, 40), 2, 1.0, kernel='linear', C=0.01),
            svm('radial basis', 500, (200, 10), 3, 0.5, kernel='rbf', C=1.0)],
    'mlp': [mlp('two classes', 600, (150, 20), 2, 0.5), mlp('three classes', 700, (260, 12), 3, 0.3)],
    'linear': [linear('narrow', 800, (120, 10), 2, 0.5), linear('wide', 900, (60, 150), 3, 1.0),
               linear('wide, two classes', 1000, (60, 150), 2, 1.0)],
    'words': words(),
}))
