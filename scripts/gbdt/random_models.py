#!/usr/bin/env python3
"""Trains small random models with a genuine library and writes its answers, for the differential tests of gbdt/lightgbm
and gbdt/xgboost.

    random_models.py lightgbm|xgboost FOLDER SEED COUNT

Each model gets a folder in FOLDER with model.txt, model.json or model.ubj, rows.f64 (little endian, row-major),
raw.f64, out.f64, leaf.i32 and, where the library explains the model, contrib.f64; about.txt says how it was trained. The
library answers with the model that it reads from the file. The same seed gives the same models. The last line printed is
the library's version. Exit code 3 says that the library or numpy cannot be imported.
"""
import importlib
import json
import logging
import pathlib
import sys

try:
    import numpy as np

    lib = importlib.import_module(sys.argv[1])
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)

SPECIAL = np.array([np.nan, np.nan, 0.0, -0.0, 1e-35, -1e-35, 1.1e-35, -1e-40, 1e-45, 1e30, -1e30, 3e38, -1.0, -0.5, 0.5, 7.0,
                    33.0, 1000.0, 16777216.0, 2147483648.0])
INFINITE = np.array([np.inf, -np.inf, 1e300, -1e300])


def column(rng, n):
    kind = rng.integers(6)
    if kind == 0:
        return rng.normal(size=n)
    if kind == 1:
        return rng.integers(-3, 4, size=n).astype(float)
    if kind == 2:
        return rng.choice([0.0, 0.0, -1e-34, 1e-34, 1.0], size=n)
    if kind == 3:
        return np.exp(4 * rng.normal(size=n))
    if kind == 4:
        return np.full(n, float(rng.integers(3)))
    return np.round(rng.uniform(-1, 1, size=n), 1)


def table(rng):
    """Rows for training with their categorical columns, and rows to ask."""
    n, features = int(rng.integers(60, 600)), int(rng.integers(1, 9))
    x = np.column_stack([column(rng, n) for _ in range(features)])
    categorical = [j for j in range(features) if rng.random() < 0.25]
    for j in categorical:
        x[:, j] = rng.integers(0, rng.integers(2, 70), size=n)
    for j in range(features):
        if rng.random() < 0.4:
            x[rng.random(n) < rng.uniform(0, 0.6), j] = np.nan
    ask = x[rng.integers(0, n, size=120)].copy()
    mask = rng.random(ask.shape) < 0.25
    ask[mask] = rng.choice(SPECIAL, size=mask.sum())
    return x, categorical, ask


def labels(rng, kind, x):
    s = np.tanh(np.nan_to_num(x, nan=0.7)).sum(axis=1) + 0.4 * rng.normal(size=len(x))
    if kind == "class":
        classes = int(rng.integers(2, 6))
        y = np.digitize(s, np.quantile(s, np.linspace(0, 1, classes + 1)[1:-1]))
        y[:classes] = np.arange(classes)
        return y.astype(float), classes
    return {"real": s, "binary": (s > np.median(s)).astype(float), "positive": np.exp(s / 3) + 0.01,
            "count": np.floor(np.exp(s / 3)), "unit": 1 / (1 + np.exp(-s)), "grade": np.clip(np.floor(s + 1), 0, 3)}[kind], 1


def groups(rng, n):
    sizes = []
    while sum(sizes) < n:
        sizes.append(int(min(rng.integers(1, 20), n - sum(sizes))))
    return sizes


LIGHTGBM = {
    "regression": "real", "regression_l1": "real", "huber": "real", "fair": "real", "quantile": "real", "mape": "real",
    "poisson": "count", "gamma": "positive", "tweedie": "positive", "binary": "binary", "cross_entropy": "unit",
    "cross_entropy_lambda": "unit", "multiclass": "class", "multiclassova": "class", "lambdarank": "grade", "rank_xendcg": "grade",
}


def train_lightgbm(rng):
    x, categorical, ask = table(rng)
    objective = str(rng.choice(list(LIGHTGBM)))
    y, classes = labels(rng, LIGHTGBM[objective], x)
    p = {
        "objective": objective, "verbosity": -1, "num_threads": 1, "deterministic": True, "seed": int(rng.integers(1 << 30)),
        "num_leaves": int(rng.integers(2, 40)), "max_depth": int(rng.choice([-1, 3, 6])), "learning_rate": float(rng.choice([0.03, 0.1, 0.5])),
        "min_data_in_leaf": int(rng.integers(1, 20)), "lambda_l1": float(rng.choice([0, 0.3])), "lambda_l2": float(rng.choice([0, 1.0])),
        "max_bin": int(rng.choice([7, 63, 255])), "feature_fraction": float(rng.choice([1.0, 0.6])), "min_sum_hessian_in_leaf": 1e-6,
        "use_missing": bool(rng.random() < 0.85), "zero_as_missing": bool(rng.random() < 0.2), "extra_trees": bool(rng.random() < 0.15),
        "boosting": str(rng.choice(["gbdt", "gbdt", "dart", "rf"])), "path_smooth": float(rng.choice([0, 0, 2.0])),
        "boost_from_average": bool(rng.random() < 0.8), "min_data_per_group": 5, "cat_smooth": 1.0,
        "max_cat_to_onehot": int(rng.choice([1, 4, 32])),
    }
    if p["boosting"] == "rf" or rng.random() < 0.3:
        p.update(bagging_freq=1, bagging_fraction=0.7)
    if classes > 1:
        p["num_class"] = classes
    if objective in ("binary", "multiclassova"):
        p["sigmoid"] = float(rng.choice([1.0, 0.7]))
    if objective == "regression" and p["boosting"] != "rf":
        p["reg_sqrt"] = bool(rng.random() < 0.3)
        p["linear_tree"] = bool(rng.random() < 0.3) and not p["zero_as_missing"] and p["boosting"] == "gbdt"
        if p.get("linear_tree"):
            p["path_smooth"] = 0.0
    rank = {"group": groups(rng, len(x))} if "rank" in objective else {}
    data = lib.Dataset(x, y, categorical_feature=categorical, params={k: p[k] for k in ("max_bin", "zero_as_missing", "use_missing")}, **rank)
    return p, lib.train(p, data, int(rng.integers(1, 25))), ask


def answer_lightgbm(rng, folder, booster, ask):
    booster.save_model(str(folder / "model.txt"))
    b = lib.Booster(model_file=str(folder / "model.txt"))
    mask = rng.random(ask.shape) < 0.03
    ask[mask] = rng.choice(INFINITE, size=mask.sum())
    explained = None
    if "is_linear=1" not in (folder / "model.txt").read_text():
        explained = b.predict(ask, pred_contrib=True)
    return b.predict(ask, raw_score=True), b.predict(ask), b.predict(ask, pred_leaf=True), explained


XGBOOST = {
    "reg:squarederror": "real", "reg:squaredlogerror": "positive", "reg:logistic": "unit", "reg:pseudohubererror": "real",
    "reg:absoluteerror": "real", "reg:quantileerror": "real", "binary:logistic": "binary", "binary:logitraw": "binary",
    "binary:hinge": "binary", "count:poisson": "count", "reg:gamma": "positive", "reg:tweedie": "positive", "survival:cox": "positive",
    "multi:softprob": "class", "multi:softmax": "class", "rank:pairwise": "grade", "rank:ndcg": "grade",
}


def train_xgboost(rng):
    x, categorical, ask = table(rng)
    objective = str(rng.choice(list(XGBOOST)))
    y, classes = labels(rng, XGBOOST[objective], x)
    p = {
        "objective": objective, "nthread": 1, "verbosity": 0, "seed": int(rng.integers(1 << 30)), "eta": float(rng.choice([0.03, 0.1, 0.5])),
        "max_depth": int(rng.integers(1, 8)), "lambda": float(rng.choice([0, 1.0])), "alpha": float(rng.choice([0, 0.3])),
        "gamma": float(rng.choice([0, 0.05])), "min_child_weight": float(rng.choice([0, 1.0])), "subsample": float(rng.choice([1.0, 0.7])),
        "colsample_bytree": float(rng.choice([1.0, 0.6])), "max_bin": int(rng.choice([8, 64, 256])),
        "tree_method": "hist" if categorical else str(rng.choice(["hist", "approx", "exact"])), "max_cat_to_onehot": int(rng.choice([1, 4, 80])),
        "num_parallel_tree": int(rng.choice([1, 1, 1, 3])), "booster": str(rng.choice(["gbtree", "gbtree", "dart"])),
    }
    if p["booster"] == "dart":
        p.update(rate_drop=0.3, normalize_type=str(rng.choice(["tree", "forest"])))
    if p["tree_method"] == "hist" and rng.random() < 0.4:
        p.update(grow_policy="lossguide", max_leaves=int(rng.integers(2, 30)), max_depth=0)
    if classes > 1:
        p["num_class"] = classes
    if objective == "reg:quantileerror":
        p["quantile_alpha"] = float(rng.choice([0.1, 0.5, 0.9]))
    if rng.random() < 0.5 and objective != "survival:cox":
        p["base_score"] = float(rng.uniform(0.05, 0.95))
    p["kinds"] = ["c" if j in categorical else "float" for j in range(x.shape[1])]
    for j in categorical:  # the library takes codes only
        ask[:, j] = np.where(ask[:, j] >= 0, np.floor(ask[:, j]), np.nan)
        ask[ask[:, j] > 1000, j] = 1000
    data = matrix(x, p["kinds"], label=y)
    if objective.startswith("rank"):
        data.set_group(groups(rng, len(x)))
    kinds = p.pop("kinds")
    booster = lib.train(p, data, int(rng.integers(1, 20)))
    p["kinds"] = kinds
    return p, booster, ask


def matrix(x, kinds, **more):
    return lib.DMatrix(x.astype(np.float32), feature_types=kinds, enable_categorical=True, **more)


def answer_xgboost(rng, folder, booster, ask):
    path = folder / str(rng.choice(["model.json", "model.ubj"]))
    booster.save_model(str(path))
    b = lib.Booster(model_file=str(path))
    b.set_param({"nthread": 1})
    x = matrix(ask, b.feature_types)
    return b.predict(x, output_margin=True), b.predict(x), b.predict(x, pred_leaf=True), b.predict(x, pred_contribs=True)


def main():
    name, root, seed, count = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    train, answer = {"lightgbm": (train_lightgbm, answer_lightgbm), "xgboost": (train_xgboost, answer_xgboost)}[name]
    if name == "lightgbm":
        quiet = logging.getLogger("quiet")
        quiet.setLevel(logging.CRITICAL)
        lib.register_logger(quiet)
    refused = 0
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        try:
            about, booster, ask = train(rng)
        except (lib.basic.LightGBMError if name == "lightgbm" else lib.core.XGBoostError):
            refused += 1  # parameters that do not go together
            continue
        folder = root / f"{i:05d}"
        folder.mkdir()
        (folder / "about.txt").write_text(json.dumps(about))
        raw, out, leaf, explained = answer(rng, folder, booster, ask)
        ask.astype("<f8").tofile(folder / "rows.f64")
        raw.astype("<f8").tofile(folder / "raw.f64")
        out.astype("<f8").tofile(folder / "out.f64")
        leaf.astype("<i4").tofile(folder / "leaf.i32")
        if explained is not None:
            explained.astype("<f8").tofile(folder / "contrib.f64")
    print(f"{refused} of {count} trainings were refused")
    print(lib.__version__)


main()
