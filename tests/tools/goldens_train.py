#!/usr/bin/env python3
"""Writes tests/train/goldens/steps.json: twenty steps of each optimiser as PyTorch does them, in float64.

    python3 tests/tools/goldens_train.py        (needs torch; run by hand)

Parameters and gradients come from the hash of goldens.py (twin: tests/support/hashed.h). Muon is written down here from
its description (Jordan 2024), lookahead as in airbench94 (arXiv:2404.00498). Decay is decoupled everywhere.
SPDX-License-Identifier: MIT
"""
import fnmatch
import json
import pathlib

import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler as lr

from goldens import bits, number, value

EPOCHS, EACH, PEAK, MOMENTUM, DECAY = 5, 4, 0.05, 0.9, 0.01
STEPS = EPOCHS * EACH
TENSORS = {"conv1.weight": (6, 3, 3, 3), "norm.weight": (6,), "norm.bias": (6,), "norm.running_mean": (6,),
           "norm.running_var": (6,), "fc1.weight": (24, 6), "fc1.bias": (24,), "fc2.weight": (5, 24), "fc2.bias": (5,)}

# Options as the library has them; what is left out is the same for all.
CASES = {
    "sgd": {"optimizer": "sgd", "schedule": "one-cycle"},
    "adamw": {"optimizer": "adamw", "schedule": "cosine"},
    "muon": {"optimizer": "muon", "schedule": "triangle", "sgd_rate": "0.1"},
    "clip": {"optimizer": "sgd", "schedule": "step", "clip_norm": "2.5"},
    "accumulate": {"optimizer": "adamw", "schedule": "triangle", "accumulate": "3", "clip_norm": "4"},
    "ema": {"optimizer": "sgd", "schedule": "constant", "average": "ema", "ema_decay": "0.6"},
    "lookahead": {"optimizer": "sgd", "schedule": "triangle", "average": "lookahead"},
    "rates": {"optimizer": "sgd", "schedule": "constant", "rates": "fc1.*=10,norm.w*=0.1,fc2.bia?=1@3,c*=0.5",
              "freeze": "conv1.weight"},
}


def schedules():
    def optimiser():
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)

    def warm(o, rest):
        return lr.SequentialLR(o, [lr.LinearLR(o, 1 / (EACH + 1), total_iters=EACH), rest], [EACH])

    def triangle(i):
        top = int(0.23 * STEPS)
        return 0.2 + 0.8 * i / top if i < top else 1 + (0.07 - 1) * (i - top) / (STEPS - top)

    def falling(o):  # StepLR counts from its own start, the library from the training's
        return lr.LambdaLR(o, lambda i: 0.1 ** ((i + EACH) // 8))

    kinds = {"one-cycle": lambda o: lr.OneCycleLR(o, PEAK, total_steps=STEPS, pct_start=0.3, cycle_momentum=False),
             "cosine": lambda o: warm(o, lr.CosineAnnealingLR(o, STEPS - EACH)),
             "constant": lambda o: warm(o, lr.ConstantLR(o, 1)),
             "step": lambda o: warm(o, falling(o)),
             "triangle": lambda o: lr.LambdaLR(o, triangle)}
    rates = {}
    for kind, make in kinds.items():
        o = optimiser()
        schedule, rates[kind] = make(o), []
        for _ in range(STEPS):
            rates[kind].append(o.param_groups[0]["lr"])
            o.step()
            schedule.step()
    return rates


def newton_schulz(g):
    x = g / (g.norm() + 1e-7)
    x = x.T if g.size(0) > g.size(1) else x
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if g.size(0) > g.size(1) else x


def muon_step(p, gradient, velocity, rate):
    velocity.mul_(MOMENTUM).add_(gradient)
    u = (gradient + MOMENTUM * velocity).flatten(1)
    p.sub_(rate * max(1, u.size(0) / u.size(1)) ** 0.5 * newton_schulz(u).view_as(p))


def factor_of(case, name, epoch):
    listed = [f + "=0" for f in case.get("freeze", "").split(",") if f] + case.get("rates", "").split(",")
    for item in filter(None, listed):
        pattern, _, rest = item.partition("=")
        factor, _, epochs = rest.partition("@")
        if fnmatch.fnmatchcase(name, pattern):
            return 0.0 if epochs and epoch >= int(epochs) else float(factor)
    return 1.0


def average(case, step, state, averages):
    """step counts from 1."""
    if case.get("average") == "ema":
        decay = min(float(case["ema_decay"]), (1 + step) / (10 + step))
        for n in averages:
            averages[n].lerp_(state[n], 1 - decay)
    elif case.get("average") == "lookahead":
        shares = [1 - 0.95 ** 5 * (step / STEPS) ** 3] if step % 5 == 0 else []
        for share in shares + ([0.0] if step == STEPS else []):
            for n in averages:
                averages[n].lerp_(state[n], share)
                state[n].copy_(averages[n])


def run(case, rates):
    state = {n: (1 if n.endswith("var") else 0) + value(n, shape) / 2 for n, shape in TENSORS.items()}
    trained = {n: torch.nn.Parameter(state[n]) for n in TENSORS if "running" not in n}
    state = {n: trained[n].data if n in trained else state[n] for n in TENSORS}
    averages = {n: t.clone() for n, t in state.items()}
    make = {"adamw": lambda p: torch.optim.AdamW([p], betas=(MOMENTUM, 0.999), weight_decay=0),
            }.get(case["optimizer"], lambda p: torch.optim.SGD([p], lr=1, momentum=MOMENTUM, nesterov=True))
    optimisers = {n: make(p) for n, p in trained.items()}
    velocities = {n: torch.zeros_like(p) for n, p in state.items()}
    accumulate = int(case.get("accumulate", 1))
    for step in range(STEPS):
        moving = {}
        for n, p in trained.items():
            factor = factor_of(case, n, step // EACH)
            gradients = [value(f"gradient {step * accumulate + i} {n}", TENSORS[n]) for i in range(accumulate)]
            p.grad = sum(gradients) / accumulate if factor > 0 else None
            moving.update({n: factor} if factor > 0 else {})
        for n in TENSORS:
            if n not in trained:
                state[n].copy_((1 if n.endswith("var") else 0) + value(f"statistic {step} {n}", TENSORS[n]) / 2)
        if "clip_norm" in case:
            torch.nn.utils.clip_grad_norm_(trained.values(), float(case["clip_norm"]))
        for n, factor in moving.items():
            p, matrix = trained[n], case["optimizer"] == "muon" and n in ("conv1.weight", "fc1.weight")
            by_sgd = case["optimizer"] == "muon" and not matrix
            rate = rates[step] * factor * (float(case["sgd_rate"]) / PEAK if by_sgd else 1)
            if p.dim() > 1:
                p.data.mul_(1 - rate * DECAY)
            if matrix:
                muon_step(p.data, p.grad, velocities[n], rate)
            else:
                optimisers[n].param_groups[0]["lr"] = rate
                optimisers[n].step()
        average(case, step + 1, state, averages)
    return averages if case.get("average") == "ema" else state


def summary(name, tensor):
    flat = tensor.reshape(-1)
    places = [int(b) % flat.numel() for b in bits("sample:" + name, 3)]
    return [number(flat.norm())] + [number(flat[i]) for i in places]


def loss():
    """Smoothed, weighted by the class of the label; the mean over the batch, as the library has it."""
    logits, labels = (4 * value("logits", (6, 5))).requires_grad_(), torch.tensor([0, 3, 1, 4, 3, 3])
    counts = torch.bincount(labels, minlength=5).double()
    weights = torch.where(counts > 0, 6 / (4 * counts.clamp(min=1)), 1.0)
    rows = F.cross_entropy(logits, labels, label_smoothing=0.2, reduction="none") * weights[labels]
    rows.mean().backward()
    return {"sum": number(rows.sum()), "gradients": [number(g) for g in logits.grad.reshape(-1)]}


def main():
    rates = schedules()
    golden = {"schedules": {k: [float(f"{x:.12g}") for x in v] for k, v in rates.items()}, "loss": loss(), "cases": {}}
    for name, case in CASES.items():
        state = run(case, rates[case["schedule"]])
        golden["cases"][name] = {"options": case, "after": {n: summary(n, t) for n, t in state.items()}}
    path = pathlib.Path(__file__).resolve().parent.parent / "train" / "goldens" / "steps.json"
    rows = {k: ",\n  ".join(f"{json.dumps(n)}: {json.dumps(v)}" for n, v in item.items()) for k, item in golden.items()}
    path.write_text("{" + ",\n".join(f"{json.dumps(k)}: {{\n  {v}}}" for k, v in rows.items()) + "}\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
