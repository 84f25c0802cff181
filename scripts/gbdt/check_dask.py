#!/usr/bin/env python3
"""Trains XGBoost and LightGBM models on a Dask cluster of two local workers and checks that pppq answers with the bits
that the libraries answer with.

    check_dask.py PPPQ

PPPQ is the program. Exit code 1 says that an answer differs, 3 that dask, distributed, xgboost, lightgbm, numpy, pandas
or pyarrow cannot be imported.
"""
import pathlib
import subprocess
import sys
import tempfile
import warnings

try:
    import dask.array as da
    import dask.dataframe  # the libraries' Dask interfaces want it
    import lightgbm
    import numpy as np
    import pandas as pd
    import xgboost
    import xgboost.dask
    from dask.distributed import Client, LocalCluster
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)

FEATURES = 8
NAMES = [f"x{j}" for j in range(FEATURES)]


def rows(seed, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, FEATURES)).astype(np.float32)
    y = (x[:, 0] + np.abs(x[:, 1]) + rng.normal(size=n) > 0.8).astype(np.float64)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, y


def ours(pppq, model, table):
    out = subprocess.run([pppq, "gbdt", "predict", "--model", str(model), "--data", "-", "--output", "raw", "--out", "-"],
                         input=table.to_csv(index=False).encode(), check=True, stdout=subprocess.PIPE).stdout
    header, *lines = out.decode().splitlines()
    assert header == "raw", header
    return np.array([float(line) for line in lines])


def report(name, workers, got, want):
    differing = int((got.view(np.uint64) != want.astype(np.float64).view(np.uint64)).sum())
    print(f"{name}: trained by {workers} Dask workers; {len(got)} raw scores, {differing} differing")
    return differing + (len(got) != len(want))


def main():
    warnings.simplefilter("ignore")
    pppq, wrong = sys.argv[1], 0
    x, y = rows(1, 6000)
    ask = pd.DataFrame(rows(2, 2000)[0].astype(np.float64), columns=NAMES)
    with tempfile.TemporaryDirectory() as folder, LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=folder) as cluster, Client(cluster) as client:
        workers = len(client.scheduler_info()["workers"])
        dx, dy = da.from_array(x, chunks=(1500, FEATURES)), da.from_array(y, chunks=1500)

        data = xgboost.dask.DaskDMatrix(client, dx, dy, feature_names=NAMES)
        booster = xgboost.dask.train(client, {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1}, data, num_boost_round=30)["booster"]
        for kind in ["json", "ubj"]:
            path = pathlib.Path(folder, "model." + kind)
            booster.save_model(path)
            want = xgboost.Booster(model_file=path).predict(xgboost.DMatrix(ask.astype(np.float32)), output_margin=True)
            wrong += report(f"XGBoost {xgboost.__version__} {kind}", workers, ours(pppq, path, ask), want)

        model = lightgbm.DaskLGBMClassifier(client=client, n_estimators=30, verbosity=-1, n_jobs=1, time_out=120).fit(dx, dy)
        path = pathlib.Path(folder, "model.txt")
        model.booster_.save_model(path)
        named = ask.set_axis([f"Column_{j}" for j in range(FEATURES)], axis=1)
        want = lightgbm.Booster(model_file=path).predict(named, raw_score=True)
        wrong += report(f"LightGBM {lightgbm.__version__}", workers, ours(pppq, path, named), want)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
