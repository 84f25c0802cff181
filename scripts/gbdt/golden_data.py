"""Rows and labels for the golden models: the same for every release, from fixed seeds.

Training columns: 0 and 1 plain, 2 with many zeros of both signs nearby, 3 positive and skewed, 4 with NaN, 5 few
distinct values with NaN, 6 and 7 category codes (6 has 5 of them, 7 has 20 and NaN).
"""
import numpy as np

SEED = 20261122
FEATURES = 8
CATEGORICAL = [6, 7]

# Every value here meets every kind of node: infinities, both zeros, subnormals, LightGBM's zero bounds and their
# neighbours, values outside int32, negative, fractional and unseen category codes.
SPECIAL = np.array([
    np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -5e-324, 1e-310, -2e-45, 1e-45, 1e-35, -1e-35,
    1.0000000180025095e-35, -1.0000000180025095e-35, 1.0000000180025097e-35, -1.0000000180025097e-35,
    1.1e-35, -1.1e-35, 1e-30, -1e-30, 1e300, -1e300, 3.4028234663852886e38, 3.5e38, -1.0, -0.5, -7.0, 0.5, 2.7, 3.0,
    21.0, 31.0, 32.0, 64.0, 1000.0, 16777215.0, 16777216.0, 2147483647.0, 2147483648.0, -2147483649.0, 4e9,
])


def train_rows(n, missing):
    """n training rows; missing says whether columns 4, 5 and 7 hold NaN."""
    rng = np.random.default_rng(SEED)
    x = np.empty((n, FEATURES))
    x[:, 0] = rng.normal(size=n)
    x[:, 1] = rng.uniform(-3, 3, size=n)
    x[:, 2] = rng.choice([0.0, 0.0, 0.0, -1e-34, 1e-34, -1.0, 1.0, 2.0], size=n)
    x[:, 3] = rng.gamma(1.0, 2.0, size=n)
    x[:, 4] = rng.normal(size=n)
    x[:, 5] = rng.integers(-2, 3, size=n)
    x[:, 6] = rng.integers(0, 5, size=n)
    x[:, 7] = rng.integers(0, 20, size=n)
    x[rng.random(n) < 0.3, 4] = np.nan
    x[rng.random(n) < 0.2, 5] = np.nan
    x[rng.random(n) < 0.1, 7] = np.nan
    return x if missing else np.nan_to_num(x)


def signal(x):
    """A noisy score that every column moves."""
    rng = np.random.default_rng(SEED + 1)
    z = np.nan_to_num(x)
    even = np.isin(z[:, 7], [1, 2, 5, 7, 11, 12, 17])
    return (z[:, 0] + 0.7 * np.abs(z[:, 1]) + 0.5 * z[:, 2] - 0.2 * z[:, 3] + 0.8 * np.isnan(x[:, 4]) + 0.3 * z[:, 4]
            + 0.4 * z[:, 5] + 0.9 * (z[:, 6] % 2) + 1.1 * even + 0.3 * rng.normal(size=len(x)))


def labels(kind, x):
    """Labels of the given kind for the rows x."""
    s = signal(x)
    if kind == "real":
        return s
    if kind == "positive":
        return np.exp(0.5 * s) + 0.01
    if kind == "count":
        return np.floor(np.exp(0.4 * s))
    if kind == "unit":
        return 1 / (1 + np.exp(-s))
    if kind == "binary":
        return (s > np.median(s)).astype(float)
    if kind == "class4":
        return np.digitize(s, np.quantile(s, [0.2, 0.5, 0.8])).astype(float)
    if kind == "grade":
        return np.clip(np.digitize(s, np.quantile(s, [0.4, 0.7, 0.9])), 0, 3).astype(float)
    if kind == "targets2":
        return np.column_stack([s, np.abs(s)])
    raise ValueError(kind)


def test_rows(n, special):
    """n rows to predict; a share of the values is replaced by the values in special."""
    rng = np.random.default_rng(SEED + 2)
    x = train_rows(4 * n, True)[rng.permutation(4 * n)[:n]]
    x[:, :6] += rng.normal(scale=0.01, size=(n, 6)) * (rng.random((n, 6)) < 0.5)
    mask = rng.random(x.shape) < 0.35
    x[mask] = rng.choice(special, size=mask.sum())
    return x
