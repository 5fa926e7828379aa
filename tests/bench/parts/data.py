"""The data side: whole trainings from JPEG files, beside a DataLoader script; decoding and resizing alone, beside
Pillow and OpenCV. SPDX-License-Identifier: MIT
"""
import json
import pathlib
import subprocess
import tempfile
import time

from parts import sides, tables

# What both sides train: resnet18 by SGD, with a recipe's crops and jitter, on pictures of one size.
SIZE, BATCH, CROP, JITTER, VALIDATION = 96, 32, 0.5, 0.3, 0.15
WORKERS = (0, 1, 2)
CANVAS = (SIZE * 8 + 3) // 7  # what bench_decode resizes to: room for random crops
MOST = 400  # pictures to decode
STAGES = {"ours": "decode+resize", "ours, shrunk": "shrink+resize"}  # of bench_decode
PEERS = ("Pillow", "OpenCV", "OpenCV_area")


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
                   "--validation-share", VALIDATION, "--optimizer", "sgd", "--average", "none", "--resize-from", 1,
                   *options.train_options]
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


class OurDecoding:
    """bench_decode as a side: a process each turn."""
    note = ""

    def __init__(self, options, count, stage):
        self.command = [options.program("tests/bench/bench_decode"), options.data, "--size", SIZE, "--most", count,
                        "--json", "--stage", stage]
        self.count, self.stage = count, stage

    def wait(self):
        self.run(0)

    def run(self, seconds):
        try:
            answer = subprocess.run(list(map(str, [*self.command, "--seconds", seconds])), capture_output=True,
                                    text=True)
        except OSError as error:
            raise sides.Missing(error) from error
        if answer.returncode != 0:
            raise sides.Missing(answer.stderr.strip())
        return [1e3 * self.count / json.loads(answer.stdout)[self.stage]]

    def close(self):
        pass


def decoding(options, count):
    """Decode + resize to the canvas, on one thread; a run is all of the pictures."""
    starters = {name: lambda stage=stage: OurDecoding(options, count, stage) for name, stage in STAGES.items()}
    for library in PEERS:
        starters[library] = lambda library=library: sides.peer(options, "decode.py", 1, library, options.data, CANVAS,
                                                               count)
    return sides.measure(options, starters, lambda text: options.say(f"decode: {text}"))


def run(options):
    if not options.data or not pictures_of(options.data):
        options.say("data: no folder of pictures was named with --data: not measured")
        return
    count = min(MOST, len(pictures_of(options.data)))
    yield {"decode": decoding(options, count), "pictures": count}
    if options.epochs:
        yield end_to_end(options)


def report_end_to_end(whole):
    rate = whole["pictures_per_second"]
    names = ["ours", *(f"{workers} workers" for workers in WORKERS)]
    peers = [rate[name] for name in names[1:] if name in rate]
    ratio = f"{rate['ours'] / max(peers):.2f}" if peers and "ours" in rate else "-"
    return tables.table(["resnet18, 96x96, b32, pictures/s", "threads", "imgcls train",
                         *(f"DataLoader, {name}" for name in names[1:]), "ours / best"],
                        [[f"{whole['epochs']} epochs", str(whole["threads"]),
                          *(tables.number(rate.get(name)) for name in names), ratio]])


def report_decoding(rows, count):
    each = {name: {key: row[key] / count for key in ("best_ms", "median_ms")} for name, row in rows.items()}
    return tables.table([f"decode + resize to {CANVAS}x{CANVAS}, ms a picture, 1 thread", "time",
                         *(f"{name} / it" for name in PEERS)],
                        [[name, tables.times(each.get(name)),
                          *(tables.ratios([each.get(peer)], each.get(name)) if name in STAGES else "" for peer in PEERS)]
                         for name in (*STAGES, *PEERS)])


def report(results):
    return "\n\n".join(report_decoding(row["decode"], row["pictures"]) if "decode" in row else report_end_to_end(row)
                       for row in results)
