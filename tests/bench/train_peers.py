#!/usr/bin/env python3
"""Training steps, ours beside PyTorch's: same network, batch, threads, in turns on one machine.

    python3 tests/bench/train_peers.py [--build build] [--python PYTHON] [--networks lenet5,resnet9]
                                       [--threads 1,2] [--rounds 5] [--seconds 2] [--json FILE]

PyTorch runs in fp32, eager, as it is and in channels_last; its better one counts. Each side gives its best and its median
step over all rounds. --python names an interpreter that has torch, if this one does not.
SPDX-License-Identifier: MIT
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

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
MODES = ("eager", "channels_last")
SCRIPT = pathlib.Path(__file__).resolve()


# ---- The side of PyTorch: a process that steps when told to ----


def torch_model(network):
    sys.path.insert(0, str(SCRIPT.parent.parent / "tools"))
    import goldens
    if network in ("mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0"):
        return getattr(goldens.torchvision_models(), network)(num_classes=goldens.CLASSES)
    return goldens.NETWORKS[network][0]()


def torch_worker(network, mode, threads):
    try:
        import torch
        import torch.nn.functional as F
    except ImportError:
        print("missing", flush=True)
        return
    import time
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    side, channels, batch = NETWORKS[network]
    model, x = torch_model(network).train(), torch.randn(batch, channels, side, side)
    labels = torch.arange(batch) % 10
    if mode == "channels_last":
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def step():
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(model(x), labels).backward()
        optimiser.step()

    for _ in range(3):
        step()
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps(times), flush=True)


class Peer:
    def __init__(self, python, network, mode, threads):
        self.process = subprocess.Popen(
            [python, str(SCRIPT), "--worker", network, mode, str(threads)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.hello = self.process.stdout.readline().split()

    def run(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- Our side ----


def our_times(build, network, threads, seconds):
    side, channels, batch = NETWORKS[network]
    command = [str(pathlib.Path(build) / "tests/bench/bench_step"), network, str(side), str(channels),
               str(batch), str(threads), "--seconds", str(seconds), "--times"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def compare(options, network, threads):
    peers = {mode: Peer(options.python, network, mode, threads) for mode in MODES}
    if any(peer.hello[:1] != ["ready"] for peer in peers.values()):
        sys.exit(f"train_peers: {options.python} has no working torch (pip install torch torchvision), "
                 "or name one that has with --python; nothing was measured")
    times = {"ours": [], **{mode: [] for mode in MODES}}
    for _ in range(options.rounds):
        times["ours"] += our_times(options.build, network, threads, options.seconds)
        for mode, peer in peers.items():
            times[mode] += peer.run(options.seconds)
    version = peers[MODES[0]].hello[1]
    for peer in peers.values():
        peer.close()
    rows = {side: {"best_ms": min(t), "median_ms": statistics.median(t)} for side, t in times.items()}
    result = {"network": network, "threads": threads, "torch": version, **rows}
    for key in ("best_ms", "median_ms"):
        result["ratio_" + key[:-3]] = rows["ours"][key] / min(rows[mode][key] for mode in MODES)
    return result


def main():
    if sys.argv[1:2] == ["--worker"]:
        return torch_worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--networks", default="lenet5,resnet9")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--json")
    options = parser.parse_args()
    results = []
    print(f"{'network':14}{'threads':>8}{'ours ms':>20}{'eager':>20}{'channels_last':>20}{'ours/torch':>16}"
          "   (best / median)")
    for network in options.networks.split(","):
        for threads in map(int, options.threads.split(",")):
            r = compare(options, network, threads)
            results.append(r)
            cells = "".join(f"{r[s]['best_ms']:10.2f}/{r[s]['median_ms']:9.2f}" for s in ("ours", *MODES))
            print(f"{network:14}{threads:8}{cells}{r['ratio_best']:8.2f}/{r['ratio_median']:7.2f}", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
