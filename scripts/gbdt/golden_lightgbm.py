"""The LightGBM half of make_golden.py: which models there are, and how they are trained and asked."""
import logging

import numpy as np

import golden_data as data

# name -> (objective, label kind, further parameters)
OBJECTIVES = {
    "regression": ("regression", "real", {}),
    "regression_sqrt": ("regression", "real", {"reg_sqrt": True}),
    "regression_l1": ("regression_l1", "real", {}),
    "huber": ("huber", "real", {}),
    "fair": ("fair", "real", {}),
    "poisson": ("poisson", "count", {}),
    "quantile": ("quantile", "real", {"alpha": 0.3}),
    "mape": ("mape", "positive", {}),
    "gamma": ("gamma", "positive", {}),
    "tweedie": ("tweedie", "positive", {"tweedie_variance_power": 1.3}),
    "binary": ("binary", "binary", {"sigmoid": 1.25}),
    "multiclass": ("multiclass", "class4", {"num_class": 4}),
    "multiclassova": ("multiclassova", "class4", {"num_class": 4, "sigmoid": 0.7}),
    "cross_entropy": ("cross_entropy", "unit", {}),
    "cross_entropy_lambda": ("cross_entropy_lambda", "unit", {}),
    "lambdarank": ("lambdarank", "grade", {}),
    "rank_xendcg": ("rank_xendcg", "grade", {}),
    "none": ("none", "real", {}),
}
MISSING = {
    "none": {"use_missing": False},
    "zero": {"zero_as_missing": True},
    "nan": {},
}
BOOSTERS = {
    "gbdt": {},
    "dart": {"boosting": "dart", "drop_rate": 0.5, "skip_drop": 0.1},
    "rf": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7, "feature_fraction": 0.9},
    "linear": {"linear_tree": True},
}
# A smaller choice for older releases.
OLD = ["regression", "regression_sqrt", "binary", "multiclass", "multiclassova", "poisson", "lambdarank"]

BASE = {
    "num_leaves": 5, "learning_rate": 0.2, "min_data_in_leaf": 8, "min_data_per_group": 5, "cat_smooth": 1.0,
    "min_sum_hessian_in_leaf": 1e-6, "max_bin": 31, "num_threads": 1, "seed": 7, "verbose": -1, "deterministic": True,
}

QUIET = logging.getLogger("lightgbm")
QUIET.setLevel(logging.ERROR)


def refuses(lgb, objective, missing, booster):
    """Combinations that LightGBM itself does not train."""
    if booster == "rf" and OBJECTIVES[objective][1] == "class4" and lgb.__version__.startswith("2.1."):
        return True
    if booster == "linear" and (missing == "zero" or objective == "regression_l1"):
        return True
    return booster == "rf" and objective == "none"


def squared_error(scores, dataset):
    return scores - dataset.get_label(), np.ones_like(scores)


def train(lgb, objective, missing, categorical, booster, old):
    name, kind, extra = OBJECTIVES[objective]
    x = data.train_rows(240, missing != "none")
    params = {**BASE, **extra, **MISSING[missing], **BOOSTERS[booster]}
    modern = int(lgb.__version__.split(".")[0]) >= 4
    if name == "none":
        params["objective"] = squared_error if modern else "none"
    else:
        params["objective"] = name
    group = np.full(12, 20, dtype=np.int32) if kind == "grade" else None
    names = ["plain", "b=2", "sparse", "skewed", "holes", "few", "code_5", "code_20"]
    if old:
        names[1] = "b2"  # LightGBM 2.1 cannot read a name with "="
    d = lgb.Dataset(x, label=data.labels(kind, x).astype(np.float32), group=group, feature_name=names,
                    categorical_feature=data.CATEGORICAL if categorical else [], params=params)
    rounds = 2 if kind == "class4" else 3
    if name == "none" and not modern:
        return lgb.train(params, d, rounds, fobj=squared_error)
    return lgb.train(params, d, rounds)


def constant(lgb):
    """A model whose trees have no split."""
    x = data.train_rows(40, True)
    return lgb.train({**BASE, "objective": "regression", "min_gain_to_split": 1e9},
                     lgb.Dataset(x, label=np.arange(40) % 2), 2)


def models(lgb, old):
    """Yields (case, booster) for every case."""
    yield "constant", constant(lgb)
    for objective in OLD if old else OBJECTIVES:
        for missing in ["nan", "zero"] if old else MISSING:
            for categorical in [False, True]:
                for booster in ["gbdt", "dart", "rf"] if old else BOOSTERS:
                    if old and (booster != "gbdt" and not categorical or booster == "gbdt" and missing == "zero"):
                        continue
                    if refuses(lgb, objective, missing, booster):
                        continue
                    case = "-".join([objective, missing, "cat" if categorical else "num", booster])
                    yield case, train(lgb, objective, missing, categorical, booster, old)
    if old and int(lgb.__version__.split(".")[0]) >= 3:
        yield "regression-nan-cat-linear", train(lgb, "regression", "nan", True, "linear", old)


def write(booster, folder):
    booster.save_model(str(folder / "model.txt"))


def rows():
    return {"rows": data.test_rows(48, data.SPECIAL)}


def predict(lgb, folder, x):
    """name -> array for one case, from the file alone."""
    lgb.register_logger(QUIET)  # old files hold parameters that the current release warns about
    b = lgb.Booster(model_file=str(folder / "model.txt"))
    x = x["rows"]
    leaf = b.predict(x, pred_leaf=True).reshape(len(x), -1)
    return {
        "raw.f64": b.predict(x, raw_score=True).astype("<f8"),
        "out.f64": b.predict(x).astype("<f8"),
        "leaf.u8": leaf.astype("u1"),
    }
