#!/usr/bin/env python3
"""Makes the data of the training benchmarks, the same on every machine.

    train_data.py FOLDER [multi] [binary] [mixed] [seed=0]

multi   4 classes, 40 columns, 70,000 rows to train on and 30,000 to test on.
binary  2 classes, 28 columns, 1,000,000 and 100,000 rows.
mixed   the rows of multi with one value in ten missing and four columns made into 50 categories each.

Another seed makes other rows, of other classes.

A set is NAME.train.npy, NAME.test.npy (float32, row after row) and NAME.train.y.npy, NAME.test.y.npy (int32).
"""
import pathlib
import sys

import numpy as np


def columns(rng, rows, cols):
    """Normal, log-normal, few-valued and correlated columns."""
    x = rng.normal(size=(rows, cols))
    x[:, 1::5] = np.exp(x[:, 1::5])
    x[:, 2::7] = np.round(x[:, 2::7] * 3) / 3.0
    part = x[:, 0::8][:, : x[:, 3::8].shape[1]]
    x[:, 3::8] = 0.7 * part + 0.7 * x[:, 3::8]
    return x.astype(np.float32)


def scores(rng, x, classes):
    """A smooth score for each class (a random net of two layers) with products and steps of single columns."""
    cols, width = x.shape[1], 24
    w1 = rng.normal(size=(cols, width)) / np.sqrt(cols)
    b1 = rng.normal(size=width) * 0.5
    w2 = rng.normal(size=(width, classes)) / np.sqrt(width)
    s = np.maximum(x @ w1 + b1, 0.0) @ w2
    for _ in range(3 * classes):
        i, j = rng.integers(0, cols, size=2)
        k = rng.integers(0, classes)
        s[:, k] += 0.5 * rng.normal() * x[:, i] * x[:, j]
    for _ in range(4 * classes):
        i, k = rng.integers(0, cols), rng.integers(0, classes)
        s[:, k] += rng.normal() * (x[:, i] > rng.normal() * 0.7)
    return 1.6 * s


def save(folder, name, x, y, train):
    for part, rows in (("train", slice(0, train)), ("test", slice(train, None))):
        np.save(folder / f"{name}.{part}.npy", x[rows])
        np.save(folder / f"{name}.{part}.y.npy", y[rows].astype(np.int32))


def multi(seed):
    rng = np.random.default_rng(20240501 + 1000 * seed)
    x = columns(rng, 100_000, 40)
    s = scores(rng, x.astype(np.float64), 4)
    s -= s.mean(axis=0)
    return x, np.argmax(s + rng.gumbel(size=s.shape), axis=1), 70_000


def binary(seed):
    rng = np.random.default_rng(20240502 + 1000 * seed)
    x = columns(rng, 1_100_000, 28)
    s = scores(rng, x.astype(np.float64), 1)[:, 0]
    s -= s.mean()
    return x, rng.random(len(x)) < 1.0 / (1.0 + np.exp(-s)), 1_000_000


def mixed(seed):
    x, y, train = multi(seed)
    rng = np.random.default_rng(20240503 + 1000 * seed)
    for j in (0, 8, 16, 24):  # the place of each value among 50 parts of its column, in an order of no meaning
        parts = np.quantile(x[:train, j], np.linspace(0, 1, 51)[1:-1])
        x[:, j] = rng.permutation(50)[np.searchsorted(parts, x[:, j])]
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, y, train


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    names = [a for a in sys.argv[2:] if "=" not in a]
    seed = int(dict(a.split("=", 1) for a in sys.argv[2:] if "=" in a).get("seed", 0))
    for name in names or ["multi", "binary", "mixed"]:
        save(folder, name, *{"multi": multi, "binary": binary, "mixed": mixed}[name](seed))


main()
