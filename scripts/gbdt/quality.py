#!/usr/bin/env python3
"""Compares how well pppq, LightGBM and XGBoost learn, with like parameters, on scikit-learn's small data sets and on two
generated ones with missing values and categories.

    quality.py PPPQ [REPEATS]

PPPQ is the program. Each data set is split into five folds, again and again with other seeds: REPEATS times (default 10)
if it has less than 1,000 rows, a third as often otherwise. Figures are the means over all test folds: log loss, or the
root of the mean squared error for regressions. The gap is that of pppq in a library's arithmetic to that library on the
same fold, as a part of the library's mean figure, with the standard error of its mean over the folds; above 0 pppq is
worse. The score gap is that of the accuracy, or of R2 for regressions, in points of a hundred; above 0 pppq is better.
Ranks are among all four.

Exit code 1 says that noise does not explain it: a gap, or the mean of a library's gaps over all data sets, is above 1 %
by more than twice its standard error. 3 says that a module cannot be imported.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import lightgbm
    import numpy as np
    import pandas as pd
    import xgboost
    from sklearn import datasets
    from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, r2_score
    from sklearn.model_selection import KFold, StratifiedKFold
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)

ROUNDS = 100
LIGHTGBM = {"learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 10, "lambda_l2": 1.0, "max_bin": 255, "seed": 1}
XGBOOST = {"eta": 0.1, "max_depth": 4, "min_child_weight": 1.0, "lambda": 1.0, "max_bin": 256, "tree_method": "hist", "seed": 1}


def generated(regression):
    rng = np.random.default_rng(11 + regression)
    n = 3000
    x = rng.normal(size=(n, 8))
    x[:, 5] = rng.integers(0, 6, size=n)
    x[:, 6] = rng.integers(0, 30, size=n)
    effect = rng.normal(size=30)
    s = x[:, 0] + np.abs(x[:, 1]) - 0.5 * x[:, 2] * (x[:, 3] > 0) + 0.7 * (x[:, 5] % 2) + effect[x[:, 6].astype(int)] + 0.7 * rng.normal(size=n)
    x[rng.random(n) < 0.3, 1] = np.nan
    x[rng.random(n) < 0.1, 4] = np.nan
    return x, s if regression else (s > np.median(s)).astype(int), [5, 6]


def tasks():
    for load in [datasets.load_breast_cancer, datasets.load_digits, datasets.load_wine, datasets.load_diabetes]:
        d = load()
        yield load.__name__[5:], d.data, d.target, []
    yield "generated classes", *generated(False)
    yield "generated regression", *generated(True)


def objectives(y, regression):
    """LightGBM's and XGBoost's parameters for the labels."""
    if regression:
        return {"objective": "regression"}, {"objective": "reg:squarederror"}
    classes = len(np.unique(y))
    if classes == 2:
        return {"objective": "binary"}, {"objective": "binary:logistic"}
    return {"objective": "multiclass", "num_class": classes}, {"objective": "multi:softprob", "num_class": classes}


def theirs_lightgbm(p, categorical, x, y, ask):
    data = lightgbm.Dataset(x, y, categorical_feature=categorical)
    return lightgbm.train(p | {"verbosity": -1, "num_threads": 1}, data, ROUNDS).predict(ask)


def theirs_xgboost(p, categorical, x, y, ask):
    kinds = ["c" if j in categorical else "float" for j in range(x.shape[1])]
    data = xgboost.DMatrix(x, y, feature_types=kinds, enable_categorical=True)
    return xgboost.train(p | {"nthread": 1}, data, ROUNDS).predict(xgboost.DMatrix(ask, feature_types=kinds, enable_categorical=True))


def ours(pppq, folder, name, p, categorical, x, y, ask):
    columns = [f"x{j}" for j in range(x.shape[1])]
    train, test, model, out = (folder / n for n in ["train.csv", "test.csv", name, "out.csv"])
    pd.DataFrame(x, columns=columns).assign(label=y).to_csv(train, index=False)
    pd.DataFrame(ask, columns=columns).to_csv(test, index=False)
    params = ",".join(f"{k}={v}" for k, v in (p | {"num_iterations": ROUNDS}).items())
    command = [pppq, "gbdt", "train", "--data", train, "--label", "label", "--params", params, "--out", model]
    if categorical:
        command += ["--categorical", ",".join(columns[j] for j in categorical)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([pppq, "gbdt", "predict", "--model", model, "--data", test, "--out", out], check=True)
    return np.squeeze(pd.read_csv(out).to_numpy())


def main():
    pppq, most = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    names = ["LightGBM", "pppq (LightGBM)", "XGBoost", "pppq (XGBoost)"]
    ranks, gaps = [], []
    print(f"LightGBM {lightgbm.__version__}, XGBoost {xgboost.__version__}; {ROUNDS} rounds, 5 folds, {most} times or a third of that")
    print(f"{'data':22}" + "".join(f"{n:>18}" for n in names) + f"{'gap LightGBM':>18}{'gap XGBoost':>18}{'score gaps':>16}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for task, x, y, categorical in tasks():
            regression = len(np.unique(y)) > 20
            light, xg = objectives(y, regression)
            light, xg = light | LIGHTGBM, xg | XGBOOST
            figures, scores = [], []
            for repeat in range(most if len(y) < 1000 else max(1, most // 3)):
                folds = (KFold if regression else StratifiedKFold)(5, shuffle=True, random_state=repeat)
                for train, test in folds.split(x, y):
                    data = categorical, x[train], y[train], x[test]
                    answers = [theirs_lightgbm(light, *data), ours(pppq, folder, "model.txt", light, *data),
                               theirs_xgboost(xg, *data), ours(pppq, folder, "model.json", xg, *data)]
                    if regression:
                        figures.append([mean_squared_error(y[test], a) ** 0.5 for a in answers])
                        scores.append([r2_score(y[test], a) for a in answers])
                    else:
                        scores.append([accuracy_score(y[test], a.argmax(axis=1) if a.ndim > 1 else a > 0.5) for a in answers])
                        figures.append([log_loss(y[test], a / a.sum(axis=1, keepdims=True) if a.ndim > 1 else a, labels=np.unique(y)) for a in answers])
            figures, scores = np.array(figures), 100 * np.mean(scores, axis=0)
            mean = figures.mean(axis=0)
            ranks.append(mean.argsort().argsort() + 1)
            line = f"{task:22}" + "".join(f"{m:18.5f}" for m in mean)
            for theirs in [0, 2]:
                difference = (figures[:, theirs + 1] - figures[:, theirs]) / mean[theirs]
                gap, error = difference.mean(), difference.std(ddof=1) / len(difference) ** 0.5
                gaps.append((gap, error))
                line += f"{gap:+10.2%} ±{error:6.2%}"
            print(line + f"{scores[1] - scores[0]:+8.2f}{scores[3] - scores[2]:+8.2f}", flush=True)
    for library in [0, 1]:
        of = np.array(gaps[library:2 * len(ranks):2])
        gaps.append((of[:, 0].mean(), (of[:, 1] ** 2).sum() ** 0.5 / len(of)))
    print(f"{'mean rank, mean gap':22}" + "".join(f"{r:18.2f}" for r in np.mean(ranks, axis=0))
          + "".join(f"{gap:+10.2%} ±{error:6.2%}" for gap, error in gaps[-2:]))
    print(f"worst gap {max(gap for gap, _ in gaps):+.2%}")
    sys.exit(1 if any(gap - 2 * error > 0.01 for gap, error in gaps) else 0)


main()
