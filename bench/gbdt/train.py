#!/usr/bin/env python3
"""Compares the training times of package gbdt with those of LightGBM and XGBoost, in pairs.

    train.py FOLDER [sets=multi,binary,mixed] [engines=lightgbm,xgboost] [pairs=5] [threads=1,2] [rounds=300] [busy=0.05]
                    [seeds=5]

    train.py losses [sets=multi,mixed] [engines=lightgbm,xgboost] [seeds=5] [threads=2] [rounds=300]

    train.py curve [columns=40] [rounds=10] [threads=2]

FOLDER holds the data of train_data.py. Ours and theirs take turns, each run in a process of its own: A B A B. A ratio is
theirs / ours, and the median of the pairs' ratios is what counts. While a pair runs, the processor time that other
programs take is measured; a pair with more than busy of a core taken is told as disturbed and repeated, up to three
times. The Go program is built first (go must be on the path).

How far the log losses on the test rows are apart differs by some tenths of a percent from one set of rows to the next: the
second form, with which the first one ends, tells the gaps over that many sets with other seeds (seeds=0: none). The third
form shows how time and memory grow from 10^4 to 10^7 streamed rows.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
COMMON = {"learning_rate": 0.05, "max_depth": 7}
CATEGORIES = [0, 8, 16, 24]


def theirs(engine, folder, name, threads, rounds):
    """One run of a genuine library, in this process: seconds of binning and boosting, log loss on the test rows."""
    import numpy as np

    x, y, xt, yt = (np.load(f"{folder}/{name}.{part}.npy") for part in ("train", "train.y", "test", "test.y"))
    classes = int(y.max()) + 1
    if engine == "lightgbm":
        import lightgbm as lib

        p = dict(COMMON, num_leaves=31, num_threads=threads, max_bin=255, lambda_l2=1.0, min_data_in_leaf=20, verbosity=-1,
                 objective="multiclass" if classes > 2 else "binary")
        if classes > 2:
            p["num_class"] = classes
        start = time.perf_counter()
        data = lib.Dataset(x, y.astype(np.float32), params=p,
                           categorical_feature=CATEGORIES if name == "mixed" else []).construct()
        middle, cpu = time.perf_counter(), time.process_time()
        model = lib.Booster(p, data)
        for _ in range(rounds):
            model.update()
        end = time.perf_counter()
        answer = model.predict(xt)
    else:
        import xgboost as lib

        p = dict(COMMON, tree_method="hist", nthread=threads, max_leaves=31, grow_policy="lossguide", max_bin=256,
                 reg_lambda=1.0, verbosity=0, objective="multi:softprob" if classes > 2 else "binary:logistic")
        if classes > 2:
            p["num_class"] = classes
        kinds = ["c" if name == "mixed" and j in CATEGORIES else "float" for j in range(x.shape[1])]
        start = time.perf_counter()
        data = lib.QuantileDMatrix(x, y, nthread=threads, max_bin=256, feature_types=kinds, enable_categorical=True)
        middle, cpu = time.perf_counter(), time.process_time()
        model = lib.train(p, data, rounds)
        end = time.perf_counter()
        answer = model.predict(lib.DMatrix(xt, feature_types=kinds, enable_categorical=True))
    cpu = time.process_time() - cpu
    if answer.ndim == 1:
        answer = np.column_stack([1 - answer, answer])
    loss = -np.mean(np.log(np.clip(answer[np.arange(len(yt)), yt].astype(np.float64), 1e-15, 1)))
    return {"engine": f"{engine} {lib.__version__}", "bin": middle - start, "boost": end - middle, "cpu": cpu, "logloss": loss}


def busy_seconds():
    """Processor seconds that all programs have used, stolen ones included."""
    v = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / os.sysconf("SC_CLK_TCK")


def children():
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def run(command, threads):
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), GOMAXPROCS=str(threads))
    before, own, start = busy_seconds(), children(), time.perf_counter()
    out = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    wall = time.perf_counter() - start
    foreign = max(0.0, (busy_seconds() - before) - (children() - own)) / wall
    return json.loads(out.splitlines()[-1]), foreign


def compare(ours, engine, folder, name, threads, rounds, pairs, busy):
    ratios, with_bins, cpu, disturbed, left = [], [], [], 0, 4 * pairs
    while len(ratios) < pairs and left > 0:
        left -= 1
        a, taken = run([ours, folder, name, str(rounds)], threads)
        b, taken_b = run([sys.executable, __file__, "theirs", engine, folder, name, str(threads), str(rounds)], threads)
        ratio, note = b["boost"] / a["boost"], ""
        quiet = max(taken, taken_b) <= busy
        if quiet or left < pairs - len(ratios):
            ratios.append(ratio)
            with_bins.append((b["bin"] + b["boost"]) / (a["bin"] + a["boost"]))
            cpu.append(b["cpu"] / a["cpu"])
            disturbed += not quiet
        else:
            note = " (repeated)"
        print(f"  {name} threads={threads} ours {a['bin']:.2f}+{a['boost']:.2f} s loss {a['logloss']:.5f}  "
              f"{b['engine']} {b['bin']:.2f}+{b['boost']:.2f} s loss {b['logloss']:.5f}  ratio {ratio:.2f}  "
              f"others {taken:.2f}, {taken_b:.2f}{note}", flush=True)
    print(f"{name}, {rounds} rounds, {threads} threads, {b['engine']} / ours: {statistics.median(ratios):.2f} "
          f"(with binning {statistics.median(with_bins):.2f}; processor time {statistics.median(cpu):.2f}; {min(ratios):.2f} to {max(ratios):.2f} of {len(ratios)}, "
          f"{disturbed} disturbed); log loss {100 * (a['logloss'] / b['logloss'] - 1):+.2f} %", flush=True)


def losses(ours, option):
    """The gaps of log loss, ours to theirs, over sets of rows with other seeds. Nothing is timed."""
    threads, rounds = option["threads"].split(",")[-1], option["rounds"]
    for name in option["sets"].split(","):
        gaps = {engine: [] for engine in option["engines"].split(",")}
        for seed in range(1, int(option["seeds"]) + 1):
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([sys.executable, HERE / "train_data.py", folder, name, f"seed={seed}"], check=True)
                a, _ = run([ours, folder, name, rounds], threads)
                for engine in gaps:
                    b, _ = run([sys.executable, __file__, "theirs", engine, folder, name, threads, rounds], threads)
                    gaps[engine].append(100 * (a["logloss"] / b["logloss"] - 1))
        for engine, g in gaps.items():
            print(f"{name}, {rounds} rounds, log loss to that of {engine}: {statistics.median(g):+.2f} % "
                  f"({', '.join(f'{x:+.2f}' for x in g)})", flush=True)


def curve(option):
    with tempfile.TemporaryDirectory() as place:
        ours = os.path.join(place, "train")
        subprocess.run(["go", "build", "-o", ours, "./train"], cwd=HERE, check=True)
        for rows in (10**4, 10**5, 10**6, 10**7):
            a, taken = run([ours, "stream", str(rows), option.get("columns", "40"), option.get("rounds", "10")],
                           int(option.get("threads", "2")))
            print(f"{rows} rows: binning {1e9 * a['bin'] / rows:.0f} ns a row, boosting {a['boost_ns_per_row_and_round']:.0f} "
                  f"ns a row and round, peak {a['peak_mb']:.0f} MB of {a['allowed_mb']:.0f}  others {taken:.2f}", flush=True)


def main():
    if sys.argv[1] == "curve":
        curve(dict(a.split("=", 1) for a in sys.argv[2:]))
        return
    if sys.argv[1] == "theirs":
        engine, folder, name, threads, rounds = sys.argv[2:]
        print(json.dumps(theirs(engine, folder, name, int(threads), int(rounds))))
        return
    folder = sys.argv[1]
    option = {"sets": "multi,binary,mixed", "engines": "lightgbm,xgboost", "pairs": "5", "threads": "1,2", "rounds": "300",
              "busy": "0.05", "seeds": "5"}
    if folder == "losses":
        option["sets"] = "multi,mixed"
    option.update(a.split("=", 1) for a in sys.argv[2:])
    with tempfile.TemporaryDirectory() as place:
        ours = os.path.join(place, "train")
        subprocess.run(["go", "build", "-o", ours, "./train"], cwd=HERE, check=True)
        if folder != "losses":
            for name in option["sets"].split(","):
                for engine in option["engines"].split(","):
                    for threads in option["threads"].split(","):
                        compare(ours, engine, folder, name, int(threads), int(option["rounds"]), int(option["pairs"]),
                                float(option["busy"]))
        if int(option["seeds"]) > 0:
            losses(ours, option)


main()
