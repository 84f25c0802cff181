"""The XGBoost half of make_golden.py: which models there are, and how they are trained and asked."""
import ctypes

import numpy as np

import golden_data as data

# name -> (objective, label kind, further parameters)
OBJECTIVES = {
    "squarederror": ("reg:squarederror", "real", {}),
    "squarederror_2": ("reg:squarederror", "targets2", {}),
    "squaredlogerror": ("reg:squaredlogerror", "positive", {}),
    "reg_logistic": ("reg:logistic", "unit", {}),
    "pseudohuber": ("reg:pseudohubererror", "real", {"huber_slope": 0.8}),
    "absoluteerror": ("reg:absoluteerror", "real", {}),
    "quantile": ("reg:quantileerror", "real", {"quantile_alpha": 0.3}),
    "quantile_3": ("reg:quantileerror", "real", {"quantile_alpha": [0.1, 0.5, 0.9]}),
    "logistic": ("binary:logistic", "binary", {}),
    "logitraw": ("binary:logitraw", "binary", {}),
    "hinge": ("binary:hinge", "binary", {}),
    "poisson": ("count:poisson", "count", {}),
    "gamma": ("reg:gamma", "positive", {}),
    "tweedie": ("reg:tweedie", "positive", {"tweedie_variance_power": 1.3}),
    "cox": ("survival:cox", "positive", {}),
    "aft": ("survival:aft", "positive", {}),
    "softprob": ("multi:softprob", "class4", {"num_class": 4}),
    "softmax": ("multi:softmax", "class4", {"num_class": 4}),
    "pairwise": ("rank:pairwise", "grade", {}),
    "ndcg": ("rank:ndcg", "grade", {}),
    "map": ("rank:map", "binary", {}),
}
BOOSTERS = {
    "gbtree": {},
    "dart": {"booster": "dart", "rate_drop": 0.5, "skip_drop": 0.1},
    "forest": {"num_parallel_tree": 2, "subsample": 0.7, "colsample_bynode": 0.7},
}
# A smaller choice for older releases; 1.6 has none of the newer objectives.
OLD = ["squarederror", "logistic", "poisson", "softprob", "gamma"]
TARGETS = {"squarederror_2"}

BASE = {"max_depth": 3, "max_leaves": 6, "grow_policy": "lossguide", "learning_rate": 0.3, "tree_method": "hist",
        "max_bin": 32, "max_cat_to_onehot": 6, "min_child_weight": 0.0, "nthread": 1, "seed": 7, "verbosity": 0}


def train(xgb, objective, missing, categorical, boosting, **more):
    name, kind, extra = OBJECTIVES[objective]
    x = data.train_rows(240, missing)
    y = data.labels(kind, x)
    params = {**BASE, **extra, **BOOSTERS[boosting], "objective": name, **more}
    if boosting == "dart":
        params["base_score"] = 0.25
    types = ["q"] * data.FEATURES
    if categorical:
        for f in data.CATEGORICAL:
            types[f] = "c"
    names = ["plain", "b=2", 'quo"te', "back\\slash", "tab\there", "few", "caf\u00e9", "code 20"]
    plain = not missing  # half the models carry no names
    d = xgb.DMatrix(x.astype(np.float32), label=y, feature_types=types if categorical or not plain else None,
                    feature_names=None if plain else names, enable_categorical=categorical)
    if name == "survival:aft":
        d.set_float_info("label_lower_bound", y)
        d.set_float_info("label_upper_bound", y * 1.5)
    if name.startswith("rank:"):
        d.set_group(np.full(12, 20))
    b = xgb.train(params, d, 2 if kind in ("class4", "targets2") or objective == "quantile_3" else 3)
    if not plain:
        b.set_attr(best_iteration="1", note='with "quotes" \\ and caf\u00e9')
    return b


def frame(xgb):
    """A model of a data frame, whose names of categories stand in the file. Its rows are given as codes."""
    import pandas as pd

    x = data.train_rows(240, True)
    f = pd.DataFrame(x, columns=["plain", "uniform", "sparse", "skewed", "holes", "few", "names", "numbers"])
    f["names"] = pd.Categorical.from_codes(x[:, 6].astype(int), ["red", "dark blue", "x", "yy", "caf\u00e9"])
    f["numbers"] = pd.Categorical.from_codes(np.nan_to_num(x[:, 7], nan=-1).astype(int), np.arange(100, 120))
    params = {**BASE, "objective": "reg:squarederror"}
    return xgb.train(params, xgb.DMatrix(f, data.labels("real", x), enable_categorical=True), 3)


def models(xgb, old):
    """Yields (case, booster) for every case; case names under refused/ are models that a reader must refuse."""
    for objective in OLD if old else OBJECTIVES:
        for missing in [True] if old else [False, True]:
            for categorical in [False, True]:
                for booster in BOOSTERS:
                    if old and categorical and booster == "forest":
                        continue
                    case = "-".join([objective, "nan" if missing else "full", "cat" if categorical else "num", booster])
                    yield case, train(xgb, objective, missing, categorical, booster)
    # The exact method prunes afterwards and leaves deleted nodes in the arrays.
    exact = {"tree_method": "exact", "grow_policy": "depthwise", "max_leaves": 0, "max_depth": 4}
    yield "squarederror-pruned", train(xgb, "squarederror", True, False, "gbtree", gamma=8.0, **exact)
    yield "logistic-base", train(xgb, "logistic", True, False, "gbtree", base_score=0.3)
    yield "constant", train(xgb, "squarederror", True, False, "gbtree", gamma=1e9)
    if old:
        return
    yield "logistic-pruned", train(xgb, "logistic", True, False, "gbtree", gamma=1.0, **exact)
    yield "frame", frame(xgb)
    yield "refused/linear", train(xgb, "squarederror", False, False, "gbtree", booster="gblinear")
    yield "refused/vector", train(xgb, "squarederror_2", True, False, "gbtree", multi_strategy="multi_output_tree",
                                  max_leaves=0, grow_policy="depthwise")


def write(booster, folder):
    booster.save_model(str(folder / "model.json"))
    if "-full-" not in folder.name:
        booster.save_model(str(folder / "model.ubj"))


def rows():
    # Matrices refuse infinity, so leaf numbers are asked for rows without it.
    x = data.test_rows(48, data.SPECIAL)
    with np.errstate(over="ignore"):
        finite = np.where(np.isinf(x.astype(np.float32)), 0.25, x)
    return {"rows": x, "finite": finite, "logf": logarithms()}


def logarithms():
    """Pairs x, ln x of the C library's logf, which XGBoost makes margins with."""
    libm = ctypes.CDLL("libm.so.6")
    libm.logf.restype, libm.logf.argtypes = ctypes.c_float, [ctypes.c_float]
    rng = np.random.default_rng(data.SEED + 3)
    x = np.concatenate([rng.integers(1, 0x7f800000, 200).astype(np.uint32).view(np.float32),
                        rng.uniform(0, 4, 100).astype(np.float32), np.float32([1, 1e-45, 3.4e38, 0.5, 1e-6])])
    return np.array([[v, libm.logf(v)] for v in x.tolist()])


def predict(xgb, folder, x):
    """name -> array for one case, from the file alone."""
    if folder.parent.name == "refused":
        return {}
    b = xgb.Booster(model_file=str(folder / "model.json"))
    b.set_param({"nthread": 1})
    kind = b.feature_types
    with np.errstate(over="ignore"):
        finite = xgb.DMatrix(x["finite"].astype(np.float32), feature_names=b.feature_names, feature_types=kind,
                             enable_categorical=True)
    leaf = b.predict(finite, pred_leaf=True).reshape(len(x["finite"]), -1).astype("u1")
    if '"weight_drop"' in (folder / "model.json").read_text():
        # inplace_predict of a dart booster adds the base score to each tree and takes it off again, so its last bits
        # are not those of predict.
        return {"raw.f32": b.predict(finite, output_margin=True).astype("<f4"),
                "out.f32": b.predict(finite).astype("<f4"), "leaf.u8": leaf}
    return {
        "raw.f32": b.inplace_predict(x["rows"], predict_type="margin", validate_features=False).astype("<f4"),
        "out.f32": b.inplace_predict(x["rows"], validate_features=False).astype("<f4"),
        "leaf.u8": leaf,
    }
