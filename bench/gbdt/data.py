"""Generated data for the benchmarks: the same numbers on every machine with numpy.

multiclass: 4 classes, 40 columns, 70,000 rows to train and predict. Columns are normal, log-normal, of few values or
correlated; the classes depend on them through a small random net, products and steps, with Gumbel noise.
"""

import numpy as np

ROWS, COLUMNS, CLASSES = 70_000, 40, 4


def columns(rng, rows, count):
    x = rng.normal(size=(rows, count))
    x[:, 1::5] = np.exp(x[:, 1::5])
    x[:, 2::7] = np.round(3 * x[:, 2::7]) / 3
    later = x[:, 3::8]
    later[:] = 0.7 * (x[:, 0::8][:, : later.shape[1]] + later)
    return x.astype(np.float32)


def scores(rng, x, count, hidden=24, strength=1.6):
    rows, width = x.shape
    net = rng.normal(size=(width, hidden)) / np.sqrt(width)
    out = rng.normal(size=(hidden, count)) / np.sqrt(hidden)
    s = np.maximum(x @ net + 0.5 * rng.normal(size=hidden), 0) @ out
    for k in range(count):
        for _ in range(3):
            i, j = rng.integers(0, width, size=2)
            s[:, k] += 0.5 * rng.normal() * x[:, i] * x[:, j]
        for _ in range(4):
            s[:, k] += rng.normal() * (x[:, rng.integers(0, width)] > 0.7 * rng.normal())
    s *= strength
    return s - s.mean(axis=0)


def multiclass(rows=ROWS):
    rng = np.random.default_rng(20261101)
    x = columns(rng, rows, COLUMNS)
    s = scores(rng, x.astype(np.float64), CLASSES)
    return x, np.argmax(s + rng.gumbel(size=s.shape), axis=1).astype(np.int32)
