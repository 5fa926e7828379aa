#!/usr/bin/env python3
"""Measures this library beside its peers and prints the tables of README.md.

    python3 tests/bench/compare.py --python PYTHON [--only train,infer,memory,data,kernels] [--networks lenet5,resnet18]
                                   [--threads 1,2] [--rounds 3] [--seconds 2] [--data FOLDER] [--json FILE]

Builds what it measures. PYTHON is an interpreter that has the peers, or some of them: torch and torchvision, onnx and
onnxruntime, openvino, ncnn and pnnx, MNN, keras, Pillow, opencv; each that is missing is told of on stderr, and the
rest is measured. All sides take turns, round after round, with equal threads; a time is the best (median) of all runs
of all rounds.
SPDX-License-Identifier: MIT
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from parts import data, inference, kernels, memory, sides, training  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PARTS = {"train": training, "infer": inference, "memory": memory, "data": data, "kernels": kernels}
PROGRAMS = ["tests/bench/bench_step", "tests/bench/bench_work", "tests/bench/bench_kernels", "examples/cli/imgcls"]


def words(text):
    return [word for word in text.split(",") if word]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the peers")
    parser.add_argument("--build", default=ROOT / "build", type=pathlib.Path, help="made if it is not there")
    parser.add_argument("--only", default=",".join(PARTS), type=words, help="of " + ",".join(PARTS))
    parser.add_argument("--networks", default="", type=words)
    parser.add_argument("--sides", default="", type=words, help="such as ours,channels_last,bf16,onnxruntime; all")
    parser.add_argument("--threads", default="1,2", type=lambda text: [int(word) for word in words(text)])
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--seconds", default=2, type=float, help="of one side in one round")
    parser.add_argument("--data", type=pathlib.Path, help="a folder of labelled photographs, such as the flowers")
    parser.add_argument("--epochs", default=3, type=int, help="of a whole training; 0: only decode and resize")
    parser.add_argument("--data-rounds", default=2, type=int, help="of whole trainings")
    parser.add_argument("--train-options", default="", type=str.split, help="more for imgcls train")
    parser.add_argument("--kernel-seconds", default=0.3, type=float, help="of each pass of each layer")
    parser.add_argument("--cache", default=pathlib.Path(tempfile.gettempdir()) / "imgcls-bench", type=pathlib.Path,
                        help="where the exported networks stay")
    parser.add_argument("--lock", help="a file to lock around each run, if other programs here measure too")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.load = os.getloadavg()[0]  # before we build
    options.lock = sides.Lock(options.lock)
    options.program = lambda name: options.build / name
    options.say = lambda text: print(text, file=sys.stderr, flush=True)
    options.cache.mkdir(parents=True, exist_ok=True)
    return options


def build(options):
    """As users get it: the default build type."""
    if not (options.build / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(options.build), str(ROOT), "-Dtests=true"], check=True,
                       stdout=subprocess.DEVNULL)
    programs = list(PROGRAMS)
    if (ROOT / "tests/bench/decode.c").exists():
        programs.append("tests/bench/bench_decode")
    subprocess.run(["ninja", "-C", str(options.build), *programs], check=True, stdout=subprocess.DEVNULL)


def machine(options):
    command = [str(options.program("tests/bench/bench_kernels")), "--machine", "--threads", str(max(options.threads))]
    with options.lock:
        facts = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    info = pathlib.Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines()
             if line.startswith("model name")] if info.exists() else []
    return {"cpu": names[0] if names else platform.machine(), "cores": os.cpu_count(), "load": options.load,
            **facts}


def measure(options, results, name):
    """One part: the JSON grows row by row, the tables come at the end, or as they are when somebody loses patience."""
    rows = results[name] = []
    try:
        for row in PARTS[name].run(options):
            rows.append(row)
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n")
            options.say(f"{name}: {len(rows)} measured")
    finally:
        if rows:
            print(PARTS[name].report(rows) + "\n", flush=True)


def main():
    options = parse()
    unknown = [part for part in options.only if part not in PARTS]
    if unknown:
        sys.exit(f"compare: there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    build(options)
    m = options.machine = machine(options)
    results = {"machine": m}
    print(f"{m['cpu']}, {m['cores']} cores, {m['level']}: {m['peak_gflops']:.0f} GF/s of multiply-adds a core; memory "
          f"{m['read_gbytes'][0]:.1f} GB/s read and {m['triad_gbytes'][0]:.1f} triad on one thread, "
          f"{m['read_gbytes'][1]:.1f} and {m['triad_gbytes'][1]:.1f} on {m['threads']}; load {m['load']:.1f} before\n",
          flush=True)
    if m["load"] > 0.5:
        options.say("compare: the machine is not quiet; the figures are only a first impression")
    try:
        for name in options.only:
            measure(options, results, name)
    except KeyboardInterrupt:
        sys.exit("compare: stopped; the tables have what was measured until then")


if __name__ == "__main__":
    main()
