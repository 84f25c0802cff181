#!/usr/bin/env python3
"""Makes the golden models and predictions that the tests of gbdt/lightgbm and gbdt/xgboost read.

    make_golden.py models  lightgbm|xgboost DIR          train with the release that this python imports
    make_golden.py predict lightgbm|xgboost DIR FILE     answer from DIR's files with this python's release

Two steps, so that files of an old release can be answered by the current one, which is the yardstick: run "models"
with a python that has the old release and "predict" with one that has the current release. FILE is a tar.gz:
made.json (releases, seed, date, platform), rows.f64 and one folder a case with the model files and the answers
(little endian, row-major; raw = sums of leaves, out = after the link, leaf = leaf or node numbers). Its bytes depend
on the date and the releases only.
"""
import datetime
import gzip
import importlib
import io
import json
import pathlib
import platform
import sys
import tarfile

import numpy as np

import golden_data as data


def make_models(lib, cases, folder):
    version = lib.__version__
    old = version.split(".")[:2] != {"lightgbm": ["4", "7"], "xgboost": ["3", "2"]}[lib.__name__]
    count = 0
    for case, booster in cases.models(lib, old):
        d = folder / case
        d.mkdir(parents=True)
        cases.write(booster, d)
        count += 1
    made = {"library": lib.__name__, "trained_with": version, "python": platform.python_version(),
            "numpy": np.__version__, "seed": data.SEED, "date": datetime.date.today().isoformat(),
            "platform": platform.system() + " " + platform.machine(), "cases": count}
    (folder / "made.json").write_text(json.dumps(made, indent=1) + "\n")
    print(f"{lib.__name__} {version}: {count} models")


def make_archive(lib, cases, folder, out):
    made = json.loads((folder / "made.json").read_text())
    made["predicted_with"] = lib.__version__
    made["command"] = "scripts/gbdt/make_golden.py"
    members = {}
    x = cases.rows()
    for name, array in x.items():
        members[name + ".f64"] = array.astype("<f8").tobytes()
    for model in sorted(folder.rglob("model.*")):
        members[str(model.relative_to(folder))] = model.read_bytes()
    for d in sorted({m.parent for m in folder.rglob("model.*")}):
        for name, array in cases.predict(lib, d, x).items():
            members[f"{d.relative_to(folder)}/{name}"] = array.tobytes()
    members["made.json"] = (json.dumps(made, indent=1) + "\n").encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(members, key=lambda n: (n != "made.json", n)):
            info = tarfile.TarInfo(name)
            info.size = len(members[name])
            tar.addfile(info, io.BytesIO(members[name]))
    out.write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))
    print(f"{out}: {len(members)} members, {out.stat().st_size} bytes")


def main():
    if len(sys.argv) < 4 or sys.argv[2] not in ("lightgbm", "xgboost"):
        sys.exit(__doc__)
    lib = importlib.import_module(sys.argv[2])
    cases = importlib.import_module("golden_" + sys.argv[2])
    folder = pathlib.Path(sys.argv[3])
    if sys.argv[1] == "models":
        make_models(lib, cases, folder)
    elif sys.argv[1] == "predict" and len(sys.argv) == 5:
        make_archive(lib, cases, folder, pathlib.Path(sys.argv[4]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
