"""Inference beside ONNX Runtime, OpenVINO, ncnn and MNN, each with the same network from PyTorch.
SPDX-License-Identifier: MIT
"""
from parts import floors, sides, tables

SIDE, CHANNELS, BATCHES = 224, 3, (1, 16)
NETWORKS = ("resnet18", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0")
FLOAT32 = ("onnxruntime", "openvino", "ncnn", "mnn")
BFLOAT16 = ("openvino_bf16", "ncnn_bf16")  # MNN's wheel has no bf16 on x86: its low precision gives the bits of fp32
LABELS = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "ncnn": "ncnn", "mnn": "MNN",
          "openvino_bf16": "OpenVINO bf16", "ncnn_bf16": "ncnn bf16"}


def starters(options, network, batch, threads):
    all_sides = {"ours": lambda: sides.our_step(options, network, SIDE, CHANNELS, batch, threads, "--infer"),
                 "ours_bf16": lambda: sides.our_step(options, network, SIDE, CHANNELS, batch, threads, "--infer",
                                                     "--precision", "bfloat16")}
    for engine in FLOAT32 + BFLOAT16:
        if batch == 1 or not engine.startswith("ncnn"):
            all_sides[engine] = lambda engine=engine: sides.peer(
                options, "engines.py", threads, engine, options.cache, network, batch, threads)
    return {name: start for name, start in all_sides.items() if name in options.sides or not options.sides}


def compare(options, network, batch, threads):
    name = f"{network}, batch {batch}, {threads} thread{'s' * (threads > 1)}"
    measured = sides.measure(options, starters(options, network, batch, threads),
                             lambda text: options.say(f"infer {name}: {text}"))
    return {"network": network, "side": SIDE, "batch": batch, "threads": threads, "sides": measured,
            "floor": floors.inference(options, network, SIDE, CHANNELS, batch, threads)}


def run(options):
    for network in floors.chosen(options, NETWORKS, lambda network: (SIDE, CHANNELS)):
        for batch in BATCHES:
            try:
                answer = sides.once(options, "export.py", max(options.threads), options.cache, network, batch, SIDE)
                for engine, why in answer["failed"].items():
                    options.say(f"export of {network} to {engine}: {why}")
            except sides.Missing as why:
                options.say(f"export of {network}: {why}")
            for threads in options.threads:
                yield compare(options, network, batch, threads)


def report(results):
    rows, floor_rows = [], []
    for r in results:
        s = r["sides"]
        ours, half = s.get("ours"), s.get("ours_bf16")
        label = f"{r['network']} b{r['batch']}"
        rows.append([label, str(r["threads"]), tables.times(ours), tables.times(half),
                     *(tables.times(s.get(engine)) for engine in FLOAT32 + BFLOAT16),
                     tables.ratios([s.get(engine) for engine in FLOAT32], ours),
                     tables.ratios([s.get(engine) for engine in BFLOAT16], half or ours)])
        floor_rows.append([label, str(r["threads"]), *floors.cells(r["floor"], ours)])
    head = ["inference, 224x224, ms", "threads", "ours", "ours bf16", *(LABELS[e] for e in FLOAT32 + BFLOAT16),
            "fp32: best peer / ours", "bf16: best peer / ours"]
    keep = [i for i in range(len(head)) if i < 3 or any(row[i] != "-" for row in rows)]
    return "\n\n".join([
        tables.table([head[i] for i in keep], [[row[i] for i in keep] for row in rows]),
        tables.table(["inference, 224x224, ms", "threads", *floors.HEAD], floor_rows)])
