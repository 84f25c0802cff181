#!/usr/bin/env python3
"""Prediction: the time of the genuine LightGBM and XGBoost divided by that of the package gbdt.

    predict.py [--folder FOLDER] [--pairs 5] [--tries 3] [--only TEXT] [--rounds 300] [--shap 300]

Needs Python with numpy, lightgbm and xgboost, and Go; with lleaves 1.3.0 (and llvmlite 0.43) LightGBM's model is also compared
with what LLVM makes of it. It trains a model with each library on the generated data (once a
folder), asks the libraries through their C interfaces and the program bench/gbdt/ours in turn, and prints for each kind
of work the median over the pairs of theirs / ours, by the wall clock and by processor time, with the share of a core that
other programs took meanwhile (a pair with more than 5 % is run again, up to --tries times; if the machine does not become
quiet it counts and is marked). One thread: processor time is the figure to read on a busy machine. Raw scores are compared
bit for bit, contributions to 1e-9 (LightGBM) and 2e-6 (XGBoost) of the largest.

plain is the batch in plain Go, batch the same with vector instructions where the processor has them.
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import data

HERE = os.path.dirname(os.path.abspath(__file__))
SOME = 2000  # rows that are asked about one by one or in small batches


class LightGBM:
    name = "LightGBM"
    file = "lightgbm.txt"

    def __init__(self):
        import lightgbm

        self.version = lightgbm.__version__
        self.python = lightgbm

    def train(self, x, y, rounds, path):
        p = dict(objective="multiclass", num_class=data.CLASSES, num_leaves=31, max_depth=7, learning_rate=0.05, max_bin=255,
                 lambda_l2=1.0, min_data_in_leaf=20, verbosity=-1)
        self.python.train(p, self.python.Dataset(x, y), rounds).save_model(path)

    def open(self, threads):
        folder = os.path.dirname(self.python.__file__)
        self.lib = ctypes.CDLL(os.path.join(folder, "lib", "lib_lightgbm.so"))
        self.lib.LGBM_GetLastError.restype = ctypes.c_char_p
        self.options = f"num_threads={threads}".encode()

    def check(self, code):
        if code != 0:
            raise RuntimeError(self.lib.LGBM_GetLastError())

    def load(self, path):
        handle, rounds = ctypes.c_void_p(), ctypes.c_int()
        self.check(self.lib.LGBM_BoosterCreateFromModelfile(path.encode(), ctypes.byref(rounds), ctypes.byref(handle)))
        return handle

    def free(self, handle):
        self.check(self.lib.LGBM_BoosterFree(handle))

    def predict(self, handle, x, out, kind=1):  # 1: raw scores, 3: contributions
        length = ctypes.c_int64()
        self.check(self.lib.LGBM_BoosterPredictForMat(
            handle, ctypes.c_void_p(x.ctypes.data), 0, ctypes.c_int32(x.shape[0]), ctypes.c_int32(x.shape[1]), 1, kind, 0, -1,
            self.options, ctypes.byref(length), ctypes.c_void_p(out.ctypes.data)))

    def contributions(self, handle, x):
        out = np.empty((len(x), data.CLASSES * (x.shape[1] + 1)))
        self.predict(handle, x, out, 3)
        return out

    def one_by_one(self, handle, x, out):
        fast, length = ctypes.c_void_p(), ctypes.c_int64()
        self.check(self.lib.LGBM_BoosterPredictForMatSingleRowFastInit(
            handle, 1, 0, -1, 1, ctypes.c_int32(x.shape[1]), self.options, ctypes.byref(fast)))
        x = x.astype(np.float64)
        predict, size = self.lib.LGBM_BoosterPredictForMatSingleRowFast, ctypes.byref(length)
        rows = [(ctypes.c_void_p(r.ctypes.data), ctypes.c_void_p(o.ctypes.data)) for r, o in zip(x, out)]

        def run():
            for row, o in rows:
                if predict(fast, row, size, o) != 0:
                    self.check(-1)

        return run


class XGBoost:
    name = "XGBoost"
    file = "xgboost.json"

    def __init__(self):
        import xgboost

        self.version = xgboost.__version__
        self.python = xgboost

    def train(self, x, y, rounds, path):
        p = dict(tree_method="hist", eta=0.05, max_depth=7, max_leaves=31, grow_policy="lossguide", max_bin=256, reg_lambda=1.0,
                 verbosity=0, objective="multi:softprob", num_class=data.CLASSES)
        self.python.train(p, self.python.QuantileDMatrix(x, y, max_bin=256), rounds).save_model(path)

    def open(self, threads):
        self.lib = ctypes.CDLL(os.path.join(os.path.dirname(self.python.__file__), "lib", "libxgboost.so"))
        self.lib.XGBGetLastError.restype = ctypes.c_char_p
        self.threads = threads

    def check(self, code):
        if code != 0:
            raise RuntimeError(self.lib.XGBGetLastError())

    def load(self, path):
        handle = ctypes.c_void_p()
        self.check(self.lib.XGBoosterCreate(None, ctypes.c_uint64(0), ctypes.byref(handle)))
        self.check(self.lib.XGBoosterLoadModel(handle, path.encode()))
        self.check(self.lib.XGBoosterSetParam(handle, b"nthread", str(self.threads).encode()))
        return handle

    def free(self, handle):
        self.check(self.lib.XGBoosterFree(handle))

    options = json.dumps(dict(type=1, training=False, iteration_begin=0, iteration_end=0, strict_shape=False, missing=float("nan"),
                              cache_id=0)).encode()

    @staticmethod
    def interface(x):
        return json.dumps(dict(data=[x.ctypes.data, True], shape=list(x.shape), typestr="<f4", version=3)).encode()

    def ask(self, handle, interface):
        shape, dim, out = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64(), ctypes.POINTER(ctypes.c_float)()
        self.check(self.lib.XGBoosterPredictFromDense(handle, interface, self.options, None, ctypes.byref(shape), ctypes.byref(dim),
                                                      ctypes.byref(out)))
        return out

    def predict(self, handle, x, out):
        got = self.ask(handle, self.interface(x))
        self.last = lambda: np.ctypeslib.as_array(got, out.shape).astype(np.float64)

    def contributions(self, handle, x):
        booster = self.python.Booster(params={"nthread": self.threads}, model_file=self.path)
        return booster.predict(self.python.DMatrix(x, nthread=self.threads), pred_contribs=True).astype(np.float64).reshape(len(x), -1)

    def one_by_one(self, handle, x, out):
        interfaces = [self.interface(x[i : i + 1]) for i in range(len(x))]

        def run():
            for i in interfaces:
                self.ask(handle, i)

        return run


class LLeaves(LightGBM):
    """LightGBM's model as machine code: compiled once a folder, its rows handed over in the float64 that it works on."""

    name = "lleaves"

    def __init__(self):
        import importlib.metadata

        import lleaves

        super().__init__()
        self.compiler = lleaves
        self.version = importlib.metadata.version("lleaves")

    def open(self, threads):
        self.threads = threads

    def load(self, path):
        model = self.compiler.Model(model_file=path)
        model.compile(cache=path + ".lleaves", raw_score=True)
        return model

    def predict(self, handle, x, out):
        if x.dtype != np.float64:
            raise TypeError("want float64")
        got = handle.predict(x, n_jobs=self.threads)
        self.last = lambda: got


def worker(library, what, model, rows, count, threads, repetitions):
    """One side of a pair, with the arguments and the output of bench/gbdt/ours."""
    x = np.fromfile(rows, dtype="<f4").reshape(-1, int(count))
    library.open(int(threads))
    library.path = model
    what, _, number = what.partition(":")
    n = int(number or len(x))
    out = np.empty((len(x), data.CLASSES))
    handle = library.load(model)
    result = lambda: out
    if what in ("batch", "plain"):
        if isinstance(library, LLeaves):
            x = x.astype(np.float64)
        run = lambda: library.predict(handle, x, out)
        if isinstance(library, (XGBoost, LLeaves)):
            result = lambda: library.last()
    elif what == "rows":
        parts = [(x[i : i + n], out[i : i + n]) for i in range(0, SOME - n + 1, n)]
        run = lambda: [library.predict(handle, a, b) for a, b in parts]
    elif what == "row":
        run = library.one_by_one(handle, x[:SOME], out[:SOME])
    elif what == "load":

        def run():
            h = library.load(model)
            library.predict(h, x[:1], out[:1])
            library.free(h)

    else:
        result = lambda: kept[0]
        kept = [None]

        def run():
            kept[0] = library.contributions(handle, x[:n])

    for _ in range(int(repetitions)):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        print(f"{time.perf_counter() - wall:.9f} {time.process_time() - cpu:.9f}")
    if os.environ.get("OUT"):
        result().astype("<f8").tofile(os.environ["OUT"])


def busy():
    """Seconds that all processors have been busy, as far as the machine tells."""
    try:
        with open("/proc/stat") as f:
            v = [int(s) for s in f.readline().split()[1:]]
    except OSError:
        return 0.0
    return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / os.sysconf("SC_CLK_TCK")


def side(command, threads, out=None):
    """The quickest repetition (wall and processor seconds) and the share of a core that others took."""
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), GOMAXPROCS=str(threads), OUT=out or "")
    before, wall, children = busy(), time.perf_counter(), os.times()
    text = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    wall = time.perf_counter() - wall
    used = os.times()
    own = used.children_user - children.children_user + used.children_system - children.children_system
    lines = [[float(v) for v in line.split()] for line in text.splitlines()]
    return min(l[0] for l in lines), min(l[1] for l in lines), max(0.0, busy() - before - own) / wall


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="where models and data are kept; a temporary one if not given")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tries", type=int, default=3, help="how often a disturbed pair is measured at most")
    parser.add_argument("--only", default="", help="only kinds of work that hold this text")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--shap", type=int, default=300, help="rows of contributions")
    o = parser.parse_args()
    folder = o.folder or tempfile.mkdtemp(prefix="bench-gbdt-")
    os.makedirs(folder, exist_ok=True)
    root = os.path.dirname(os.path.dirname(HERE))
    ours = os.path.join(folder, "ours")
    subprocess.run(["go", "build", "-o", ours, "./bench/gbdt/ours"], cwd=root, check=True, env=dict(os.environ, CGO_ENABLED="0"))
    rows = os.path.join(folder, "multiclass.f32")
    x, y = data.multiclass()
    x.tofile(rows)
    print(f"{'work':44} {'wall':>7} {'cpu':>7}   ours, theirs (wall, us a row; load: ms)   others, answers")
    for make in (LightGBM, LLeaves, XGBoost):
        try:
            library = make()
        except ImportError:
            print(f"{make.name} is not installed")
            continue
        model = os.path.join(folder, f"{o.rounds}-{library.file}")
        if not os.path.exists(model):
            library.train(x, y, o.rounds, model)
        work = [(w, t, len(x)) for w in ("plain", "batch") for t in (1, 2)]
        if make is not LLeaves:
            work += [("row", 1, SOME)] + [(f"rows:{n}", 1, SOME) for n in (10, 100, 1000)]
            work += [("load", 1, 1), (f"shap:{o.shap}", 1, o.shap)]
        for what, threads, units in work:
            title = f"{library.name} {library.version}, {what}, {threads} thread{'s' * (threads > 1)}"
            if o.only not in title:
                continue
            if make is LLeaves and not os.path.exists(model + ".lleaves"):
                start = time.perf_counter()
                library.load(model)
                print(f"lleaves compiled the model in {time.perf_counter() - start:.1f} s")
            measure(library, ours, title, what, model, rows, threads, units, o.pairs, o.tries, folder)


def measure(library, ours, title, what, model, rows, threads, units, pairs, tries, folder):
    args = [what, model, rows, str(data.COLUMNS), str(threads), "3"]
    theirs = [sys.executable, os.path.abspath(__file__), "--worker", library.name, *args]
    out = [os.path.join(folder, "theirs.f64"), os.path.join(folder, "ours.f64")]
    wall, cpu, others, times = [], [], [], []
    for _ in range(pairs):
        for _ in range(tries):
            a, b = side(theirs, threads, out[0]), side([ours, *args], threads, out[1])
            if max(a[2], b[2]) <= 0.05:
                break
        wall.append(a[0] / b[0])
        cpu.append(a[1] / b[1])
        others.append(max(a[2], b[2]))
        times.append((b[0], a[0]))
    unit = 1e3 if what == "load" else 1e6 / units
    mine, other = (statistics.median(t[i] for t in times) * unit for i in range(2))
    share = statistics.median(others)
    mark = " disturbed" if share > 0.05 else ""
    print(f"{title:44} {statistics.median(wall):7.2f} {statistics.median(cpu):7.2f}   {mine:9.2f} {other:9.2f}   "
          f"{100 * share:3.0f} %{mark}, {compare(library, what, out)}", flush=True)


def compare(library, what, out):
    if not (what in ("batch", "plain") or what.startswith("shap")):
        return "-"
    a, b = (np.fromfile(f) for f in out)
    if not what.startswith("shap"):
        return f"{np.count_nonzero(a.view(np.int64) != b.view(np.int64))} of {len(a)} raw scores differ"
    off = np.abs(a - b).max() / np.abs(a).max()
    return f"off by {off:.1e} of the largest" + (" TOO FAR" if off > {"LightGBM": 1e-9, "XGBoost": 2e-6}[library.name] else "")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker({"LightGBM": LightGBM, "lleaves": LLeaves, "XGBoost": XGBoost}[sys.argv[2]](), *sys.argv[3:])
    else:
        main()
