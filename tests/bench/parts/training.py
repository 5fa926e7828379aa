"""Training steps beside PyTorch's and Keras's: forward, loss, backward, SGD with Nesterov momentum 0.9 and weight decay
5e-4. SPDX-License-Identifier: MIT
"""
from parts import floors, sides, tables

# network: side, channels, batch
NETWORKS = {
    "lenet5": (28, 1, 64),
    "plain": (28, 1, 64),
    "resnet9": (32, 3, 128),
    "resnet18": (224, 3, 16),
    "mobilenet_v2": (224, 3, 16),
    "mobilenet_v3_large": (224, 3, 16),
    "efficientnet_b0": (224, 3, 16),
}
FLOAT32 = ("eager", "channels_last", "compile")
BFLOAT16 = ("bf16", "compile_bf16")
KERAS = ("keras", "keras_xla")


def starters(options, network, threads):
    shape = NETWORKS[network]
    all_sides = {
        "ours": lambda: sides.our_step(options, network, *shape, threads),
        "ours_bf16": lambda: sides.our_step(options, network, *shape, threads, "--precision", "bfloat16"),
    }
    for mode in FLOAT32 + BFLOAT16 + KERAS:
        script = "keras_step.py" if mode in KERAS else "torch_step.py"
        all_sides[mode] = lambda script=script, mode=mode: sides.peer(
            options, script, threads, network, mode, threads, *shape)
    return {name: start for name, start in all_sides.items() if name in options.sides or not options.sides}


def compare(options, network, threads):
    side, channels, batch = NETWORKS[network]
    name = f"{network}, {side}x{side}, batch {batch}, {threads} thread{'s' * (threads > 1)}"
    measured = sides.measure(options, starters(options, network, threads),
                             lambda text: options.say(f"train {name}: {text}"))
    return {"network": network, "side": side, "channels": channels, "batch": batch, "threads": threads,
            "sides": measured, "floor": floors.training(options, network, side, channels, batch, threads)}


def run(options):
    for network in floors.chosen(options, NETWORKS, lambda network: NETWORKS[network][:2]):
        for threads in options.threads:
            yield compare(options, network, threads)


def report(results):
    rows, floor_rows = [], []
    for r in results:
        s = r["sides"]
        ours, half = s.get("ours"), s.get("ours_bf16")
        peers = {mode: s.get(mode) for mode in FLOAT32 + BFLOAT16 + KERAS}
        fastest = min((x for x in (ours, half) if x), key=lambda x: x["best_ms"], default=None)
        label = f"{r['network']}, {r['side']}x{r['side']}, b{r['batch']}"
        rows.append([label, str(r["threads"]), tables.times(ours), tables.times(half),
                     *(tables.times(peers[mode]) for mode in peers),
                     tables.ratios([peers[mode] for mode in FLOAT32], ours),
                     tables.ratios([peers[mode] for mode in FLOAT32 + BFLOAT16], fastest)])
        floor_rows.append([label, str(r["threads"]), *floors.cells(r["floor"], ours)])
    head = ["training step, ms", "threads", "ours", "ours bf16", "PyTorch eager", "channels_last", "compile",
            "bf16 autocast", "compile + bf16", "Keras", "Keras XLA", "fp32: PyTorch / ours",
            "all modes: PyTorch / ours"]
    keep = [i for i in range(len(head)) if i < 3 or any(row[i] != "-" for row in rows)]
    return "\n\n".join([
        tables.table([head[i] for i in keep], [[row[i] for i in keep] for row in rows]),
        tables.table(["training step, ms", "threads", *floors.HEAD], floor_rows)])
