#!/usr/bin/env python3
"""Flips labels of a training part at random, and counts which of them `imgcls inspect --labels` finds.

    python3 tests/bench/label_errors.py DATA [--share 0.05] [--seeds 1,2,3] [--minutes 2] [--build BUILD] [--options "..."]

DATA: a folder with train/ of class folders. Recall: flipped labels that are listed; precision: listed ones that were
flipped (the data's own errors count against it).
SPDX-License-Identifier: MIT
"""
import argparse
import csv
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--share", default=0.05, type=float)
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--minutes", default="2")
    parser.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
    parser.add_argument("--options", default="", type=str.split, help="more for imgcls inspect")
    return parser.parse_args()


def flip(folder, share, seed, manifest):
    """Writes a manifest of the pictures with some labels changed; returns the paths of those."""
    pictures = sorted((str(path), path.parent.name) for path in folder.glob("*/*") if path.is_file())
    classes = sorted({label for _, label in pictures})
    draw = random.Random(seed)
    chosen = set(draw.sample(range(len(pictures)), round(share * len(pictures))))
    with open(manifest, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label"])
        for i, (path, label) in enumerate(pictures):
            others = [name for name in classes if name != label]
            rows.writerow([path, draw.choice(others) if i in chosen else label])
    return {pictures[i][0] for i in chosen}


def inspect(options, manifest, seed):
    command = [options.build / "examples/cli/imgcls", "inspect", manifest, "--labels", "--json", "--seed", seed,
               "--duplicates", "off", "--minutes", options.minutes, *options.options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    options = parse()
    recalls, precisions = [], []
    print(f"{'seed':>4} {'flipped':>8} {'listed':>7} {'found':>6} {'recall':>8} {'precision':>10} {'accuracy':>9} {'seconds':>8}")
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            manifest = pathlib.Path(folder) / "flipped.csv"
            flipped = flip(options.data / "train", options.share, seed, manifest)
            began = time.monotonic()
            report = inspect(options, manifest, seed)
        listed = {entry["file"] for entry in report["label_errors"]}
        found = len(listed & flipped)
        recalls.append(found / len(flipped))
        precisions.append(found / max(1, len(listed)))
        print(f"{seed:>4} {len(flipped):>8} {len(listed):>7} {found:>6} {recalls[-1]:>8.1%} {precisions[-1]:>10.1%} "
              f"{report['accuracy']:>9.1%} {time.monotonic() - began:>8.0f}", flush=True)
    print(f"mean: recall {statistics.mean(recalls):.1%}, precision {statistics.mean(precisions):.1%}")


if __name__ == "__main__":
    main()
