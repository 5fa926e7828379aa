"""The data side: whole trainings from JPEG files, beside a DataLoader script; decoding and resizing alone, beside Pillow
and OpenCV. SPDX-License-Identifier: MIT
"""
import pathlib
import subprocess
import tempfile
import time

from parts import sides, tables

# What both sides train, on: resnet18 with the recipe's own settings for the flowers.
SIZE, BATCH, CROP, JITTER, VALIDATION = 96, 32, 0.5, 0.3, 0.15
WORKERS = (0, 1, 2)
TIMED = ("ours", "Pillow", "OpenCV")


def pictures_of(folder):
    return sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))


def our_training(options, epochs, threads):
    """Pictures a second of `imgcls train`, from its start to its end: training and validation pictures count."""
    data = options.data / "train" if (options.data / "train").is_dir() else options.data
    with tempfile.TemporaryDirectory() as folder:
        command = [options.program("examples/cli/imgcls"), "train", data, "--out", f"{folder}/m.safetensors",
                   "--threads", threads, "--epochs", epochs, "--network", "resnet18", "--input-size", SIZE,
                   "--batch-size", BATCH, "--crop-scale", CROP, "--brightness", JITTER, "--contrast", JITTER,
                   "--saturation", JITTER, "--flip", "on", "--rotation", 0, "--erasing", 0, "--shift", 0,
                   "--validation-share", VALIDATION, *options.train_options]
        begin = time.monotonic()
        answer = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        seconds = time.monotonic() - begin
    if answer.returncode != 0:
        raise sides.Missing(answer.stderr.strip().splitlines()[-1])
    return {"pictures_per_second": epochs * len(pictures_of(data)) / seconds}


def torch_training(options, epochs, threads, workers):
    data = options.data / "train" if (options.data / "train").is_dir() else options.data
    return sides.once(options, "torch_data.py", threads, data, epochs, threads, workers, SIZE, BATCH, CROP, JITTER,
                      VALIDATION)


def end_to_end(options):
    threads = max(options.threads)
    turns = {"ours": lambda: our_training(options, options.epochs, threads)}
    for workers in WORKERS:
        turns[f"{workers} workers"] = lambda workers=workers: torch_training(options, options.epochs, threads, workers)
    rates = {}
    for _ in range(options.data_rounds):
        for name, act in turns.items():
            try:
                with options.lock:
                    rates.setdefault(name, []).append(act()["pictures_per_second"])
            except sides.Missing as why:
                options.say(f"data: {name}: not measured: {why}")
    return {"threads": threads, "epochs": options.epochs,
            "pictures_per_second": {name: max(values) for name, values in rates.items() if values}}


def decoding(options):
    """Decode + resize of all pictures on one thread: "cut" is the short side to SIZE, shapes kept."""
    starters = {"ours": lambda: sides.Side([options.program("tests/bench/bench_decode"), options.data, SIZE, "--serve"], 1)}
    for library in TIMED[1:]:
        starters[library] = lambda library=library: sides.peer(options, "decode.py", 1, library, options.data, SIZE)
    return sides.measure(options, starters, lambda text: options.say(f"decode: {text}"))


def run(options):
    if not options.data or not pictures_of(options.data):
        options.say("data: no folder of pictures was named with --data: not measured")
        return {}
    return {"end_to_end": end_to_end(options), "decode": decoding(options), "pictures": len(pictures_of(options.data))}


def report(results):
    if not results:
        return ""
    whole, decode = results["end_to_end"], results["decode"]
    rate = whole["pictures_per_second"]
    peers = [rate[name] for name in rate if name != "ours"]
    ratio = f"{rate['ours'] / max(peers):.2f}" if peers and "ours" in rate else "-"
    names = ["ours", *(f"{workers} workers" for workers in WORKERS)]
    first = tables.table(["resnet18, 96x96, b32, pictures/s", "threads", "imgcls train",
                          *(f"DataLoader, {name}" for name in names[1:]), "ours / best"],
                         [[f"{whole['epochs']} epochs", str(whole["threads"]),
                           *(tables.number(rate.get(name)) for name in names), ratio]])
    ours = decode.get("ours")
    per_picture = {name: {"best_ms": row["best_ms"] / results["pictures"],
                          "median_ms": row["median_ms"] / results["pictures"]} for name, row in decode.items()}
    ratio_of = lambda name: tables.ratios([per_picture.get(name)], per_picture.get("ours")) if ours else "-"
    second = tables.table(["decode + resize, ms a picture", "ours", "Pillow", "OpenCV", "Pillow / ours", "OpenCV / ours"],
                          [["short side to 96, 1 thread", *(tables.times(per_picture.get(name)) for name in TIMED),
                            ratio_of("Pillow"), ratio_of("OpenCV")]])
    return first + "\n\n" + second
