#!/usr/bin/env python3
"""Writes tests/model/gradcam_golden.h: Grad-CAM by PyTorch's autograd, in float64, for the stock networks.

    python3 tests/tools/goldens_explain.py > tests/model/gradcam_golden.h      (needs torch and torchvision; run by hand)

Networks, weights and pictures are those of goldens.py. The last map is found by watching torch's calls: the last tensor of
more than one pixel. The class is the one with the hottest map. Beside the map stands what
torch.nn.functional.interpolate makes of it in the pixels of the input, at hashed places.
SPDX-License-Identifier: MIT
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from goldens import NETWORKS, bits, parameter, value

SAMPLES = 8


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"conv": nn.Conv2d(c, k, 3, padding=1, bias=False), "norm": nn.BatchNorm2d(k)})
            for c, k in ((3, 32), (32, 64), (64, 128)))
        self.fc = nn.Linear(128 * 16, 10)

    def forward(self, x):
        for block in self.blocks:
            x = F.relu(block["norm"](F.max_pool2d(block["conv"](x), 2)))
        return self.fc(x.flatten(1))


class Watch(TorchFunctionMode):
    """Keeps the last tensor of more than one pixel that a call returned."""

    last = None

    def __torch_function__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.dim() == 4 and out.shape[2] * out.shape[3] > 1 and out.requires_grad:
            self.last = out
        return out


def prepare(make):
    model = make().double().eval()
    norms = {n for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(parameter(name, tensor, name.rsplit(".", 1)[0] in norms))
    return model


def explain(model, side, channels):
    """(class, map) of the class with the hottest map."""
    x = value("input", (1, side, side, channels)).permute(0, 3, 1, 2).requires_grad_()
    with Watch() as watch:
        logits = model(x)
    best = None
    for k in range(logits.shape[1]):
        gradient, = torch.autograd.grad(logits[0, k], watch.last, retain_graph=True)
        cam = F.relu((gradient.mean((2, 3), keepdim=True) * watch.last).sum(1, keepdim=True)).detach()
        if best is None or cam.max() > best[1].max():
            best = k, cam
    return best


def row(values):
    return "{" + ", ".join(f"{v:.9g}" for v in values) + "}"


def main():
    cases = [(name, make, side, channels) for name, (make, side, channels, *_) in NETWORKS.items()]
    make_resnet18 = NETWORKS["resnet18"][0]
    cases += [("small", Small, 32, 3), ("resnet18", make_resnet18, 32, 3), ("resnet18", make_resnet18, 96, 3)]
    print("/* Made by tests/tools/goldens_explain.py. SPDX-License-Identifier: MIT */")
    print("/* clang-format off */")
    print("static const struct {\n    const char *network;\n    int32_t side, channels, class_index, width, height;\n"
          f"    double map[64], samples[{SAMPLES}];\n}} goldens[] = {{")
    for name, make, side, channels in cases:
        k, cam = explain(prepare(make), side, channels)
        large = F.interpolate(cam, size=(side, side), mode="bilinear", align_corners=False).flatten()
        places = bits("sample:" + name, SAMPLES) % (side * side)
        print(f'    {{"{name}", {side}, {channels}, {k}, {cam.shape[3]}, {cam.shape[2]},\n     {row(cam.flatten().tolist())},'
              f"\n     {row(large[torch.from_numpy(places.astype('int64'))].tolist())}}},")
    print("};\n/* clang-format on */")


if __name__ == "__main__":
    main()
