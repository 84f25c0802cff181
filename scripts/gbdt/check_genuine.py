#!/usr/bin/env python3
"""Lets a genuine library answer with models that pppq wrote, for the tests of gbdt/lightgbm and gbdt/xgboost.

    check_genuine.py lightgbm|xgboost FOLDER

Each folder in FOLDER holds a model (model.txt, model.json or model.ubj) and rows.f64 (little endian, row-major). The
answers go beside them: raw.f64, out.f64, leaf.i32, and again.txt or again.json, which is the model as the library
writes it. What goes wrong with a model goes to error.txt. The last line printed is the library's version. Exit code 3
says that the library or numpy cannot be imported.
"""
import importlib
import logging
import pathlib
import sys
import traceback

try:
    import numpy as np

    lib = importlib.import_module(sys.argv[1])
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)


def ask_lightgbm(path, rows):
    if hasattr(lib, "register_logger"):
        quiet = logging.getLogger("quiet")
        quiet.setLevel(logging.ERROR)
        lib.register_logger(quiet)
    b = lib.Booster(model_file=str(path))
    x = rows.reshape(-1, b.num_feature())
    b.save_model(str(path.with_name("again.txt")))
    return b.predict(x, raw_score=True), b.predict(x), b.predict(x, pred_leaf=True)


def ask_xgboost(path, rows):
    b = lib.Booster(model_file=str(path))
    b.set_param({"nthread": 1})
    kinds = b.feature_types
    x = lib.DMatrix(rows.reshape(-1, b.num_features()).astype(np.float32), feature_names=b.feature_names,
                    feature_types=kinds, enable_categorical=True)
    b.save_model(str(path.with_name("again.json")))
    return b.predict(x, output_margin=True), b.predict(x), b.predict(x, pred_leaf=True)


def main():
    ask = {"lightgbm": ask_lightgbm, "xgboost": ask_xgboost}[sys.argv[1]]
    for path in sorted(pathlib.Path(sys.argv[2]).glob("*/model.*")):
        try:
            raw, out, leaf = ask(path, np.fromfile(path.with_name("rows.f64"), dtype="<f8"))
        except Exception:
            path.with_name("error.txt").write_text(traceback.format_exc())
            continue
        raw.astype("<f8").tofile(path.with_name("raw.f64"))
        out.astype("<f8").tofile(path.with_name("out.f64"))
        leaf.astype("<i4").tofile(path.with_name("leaf.i32"))
    print(lib.__version__)


main()
