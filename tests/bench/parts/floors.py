"""The floor under a time: what the machine needs for the arithmetic and the bytes that cannot be avoided.

Of each convolution and linear layer, per pass: the arithmetic at the measured multiply-add peak (direct, or with
Winograd's tiles where they fit, its transforms not counted), and the bytes at the measured bandwidth: input and
output once each in forward; in backward the gradient of the output read once, the input read once, the gradient of the
input written once; weights, gradients and momentum as a step of SGD touches them. All else (norms, activations,
pooling, additions) is thought of as fused away. The floor of a layer is the larger of both; "bytes" assumes that
nothing stays in a cache, so that small networks go below it. SPDX-License-Identifier: MIT
"""
import json
import subprocess

HEAD = ["direct", "Winograd", "bytes", "floor", "ours / floor"]


def work(options, network, side, channels):
    command = [str(options.program("tests/bench/bench_work")), network, str(side), str(channels)]
    answer = subprocess.run(command, capture_output=True, text=True)
    return json.loads(answer.stdout) if answer.returncode == 0 else []


def chosen(options, networks, shape_of):
    """Those of the networks that were asked for and that the library has."""
    for network in networks:
        if options.networks and network not in options.networks:
            continue
        if work(options, network, *shape_of(network)):
            yield network
        else:
            options.say(f"{network}: left out: the library does not have it")


def layer_seconds(machine, threads, batch, layer, passes, bytes_moved):
    peak = machine["peak_gflops"] * 1e9 * threads
    bandwidth = machine["triad_gbytes"][0 if threads == 1 else 1] * 1e9
    direct, winograd = (2 * passes * batch * layer[kind] / peak for kind in ("products", "winograd"))
    return direct, winograd, bytes_moved / bandwidth, max(min(direct, winograd), bytes_moved / bandwidth)


def add_up(layers):
    total = [1e3 * sum(column) for column in zip(*layers)]
    return dict(zip(("direct_ms", "winograd_ms", "bytes_ms", "floor_ms"), total)) if total else None


def training(options, network, side, channels, batch, threads):
    layers = []
    for layer in work(options, network, side, channels):
        x, y, w = batch * layer["x"], batch * layer["y"], layer["w"]
        first = layer["first"]  # nobody asks for the gradient of the pictures
        floats = 2 * x + 2 * y + (0 if first else x) + 8 * w
        layers.append(layer_seconds(options.machine, threads, batch, layer, 2 if first else 3, 4 * floats))
    return add_up(layers)


def inference(options, network, side, channels, batch, threads):
    return add_up([layer_seconds(options.machine, threads, batch, layer, 1,
                                 4 * (batch * (layer["x"] + layer["y"]) + layer["w"]))
                   for layer in work(options, network, side, channels)])


def cells(floor, ours):
    if not floor:
        return ["-"] * len(HEAD)
    gap = f"{ours['best_ms'] / floor['floor_ms']:.2f}" if ours else "-"
    return [f"{floor[key]:.3g}" for key in ("direct_ms", "winograd_ms", "bytes_ms", "floor_ms")] + [gap]
