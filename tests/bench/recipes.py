#!/usr/bin/env python3
"""Trains by the recipes, measures on the data's own test part, and prints the table of lib/recipe/README.md.

    python3 tests/bench/recipes.py DATA... [--minutes 0,2,5,15] [--seeds 1,2,3] [--build BUILD] [--options "--flip on"]
                                   [--views 1] [--json FILE]

DATA: folders with train/ and test/, or the path of IDX files as `imgcls train` takes them. Minutes 0: no budget given.
Every choice is made by the library on training and validation pictures; the test part is looked at once, in the end.
A row is the mean of its seeds; "+-" is the standard deviation between them. Takes as long as the trainings do.
SPDX-License-Identifier: MIT
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def numbers(kind):
    return lambda text: [kind(word) for word in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+")
    parser.add_argument("--minutes", default="0", type=numbers(float))
    parser.add_argument("--seeds", default="1,2,3", type=numbers(int))
    parser.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
    parser.add_argument("--options", default="", type=str.split, help="more for imgcls train")
    parser.add_argument("--views", default="1")
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


def run(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done


def train(options, data, minutes, seed, model):
    budget = ["--minutes", minutes] if minutes > 0 else []
    began = time.monotonic()
    done = run([options.build / "examples/cli/imgcls", "train", data, "--out", model, "--seed", seed, "--json",
                *budget, *options.options])
    seconds = time.monotonic() - began
    chosen = [line for line in done.stderr.splitlines() if line.startswith(("network", "input size"))]
    epochs = [json.loads(line) for line in done.stdout.splitlines()]
    best = epochs[-1]["best_epoch"]
    return {"seconds": seconds, "epochs": epochs[-1]["epochs"], "validation": epochs[best - 1]["validation_accuracy"],
            "chosen": "; ".join(line.split(":")[0] for line in chosen)}


def measure(options, data, model):
    report = json.loads(run([options.build / "examples/cli/imgcls", "evaluate", model, data, "--split", "test",
                             "--views", options.views, "--json"]).stdout)
    rows = [sum(row) for row in report["confusion"]]
    return {"accuracy": report["accuracy"], "auc": report.get("auc"), "majority": max(rows) / sum(rows)}


def spread(values):
    return statistics.stdev(values) if len(values) > 1 else 0.0


def row(data, minutes, runs):
    def mean(key):
        return statistics.mean(run[key] for run in runs)
    auc = f"{mean('auc'):.4f}" if runs[0]["auc"] is not None else "-"
    over = f"{100 * (max(run['seconds'] for run in runs) / 60 / minutes - 1):+.1f} %" if minutes > 0 else "-"
    return (f"| {pathlib.Path(data).name} | {minutes:g} | {runs[0]['chosen']} | {mean('epochs'):.0f} "
            f"| {100 * mean('validation'):.1f} % | {100 * mean('accuracy'):.2f} +- "
            f"{100 * spread([run['accuracy'] for run in runs]):.2f} % | {auc} | {mean('seconds'):.0f} s | {over} |")


def main():
    options = parse()
    results = []
    print("| data | minutes | chosen | epochs | validation | test | AUC | time | over the budget |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.safetensors"
        for data in options.data:
            for minutes in options.minutes:
                runs = []
                for seed in options.seeds:
                    runs.append({**train(options, data, minutes, seed, model), **measure(options, data, model)})
                    results.append({"data": str(data), "minutes": minutes, "seed": seed, **runs[-1]})
                print(row(data, minutes, runs), flush=True)
                if options.json:
                    options.json.write_text(json.dumps(results, indent=1))


main()
