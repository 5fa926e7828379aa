"""A training step in PyTorch: torch_step.py NETWORK MODE THREADS SIDE CHANNELS BATCH [--memory].

Modes: eager, channels_last, compile (channels_last too), bf16 (autocast, channels_last), compile_bf16.
--memory answers with how far three steps push the resident memory. SPDX-License-Identifier: MIT
"""
import json
import pathlib
import sys

import answers

try:
    import torch
    import torch.nn.functional as F

    import networks
except ImportError as error:
    answers.missing(error)


def make_step(network, mode, side, channels, batch):
    torch.manual_seed(0)
    model, x = networks.make(network).train(), torch.randn(batch, channels, side, side)
    labels = torch.arange(batch) % 10
    if mode != "eager":
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    run = torch.compile(model) if mode.startswith("compile") else model

    def step():
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode.endswith("bf16")):
            loss = F.cross_entropy(run(x), labels)
        loss.backward()
        optimiser.step()

    return step


def resident(name):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def memory_growth(step):
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew: importing had one of its own
    before = resident("VmRSS")
    for _ in range(3):
        step()
    return {"growth_mb": (resident("VmRSS") - before) / 1e6, "peak_growth_mb": (resident("VmHWM") - before) / 1e6}


def main():
    network, mode, threads, *shape = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    step = make_step(network, mode, *map(int, shape))
    if sys.argv[7:] == ["--memory"]:
        answers.answer(json.dumps(memory_growth(step)))
    else:
        answers.serve(step, f"torch {torch.__version__}")


main()
