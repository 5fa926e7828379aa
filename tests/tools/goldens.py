#!/usr/bin/env python3
"""Writes tests/graph/goldens/*.json: what PyTorch computes, in float64, for the stock networks.

    python3 tests/tools/goldens.py [NETWORK...]        (needs torch and torchvision; run by hand)

Weights and pictures are not stored: both sides make them from a hash of name and place (see `value`, and its twin in
tests/graph/test_goldens.c). Stored are, for one batch: the logits of inference, the values behind some layers, and of
one training step the loss, the gradient of every parameter, the running statistics and the parameters
after SGD with Nesterov momentum; of large tensors the L2 norm and a few values at hashed places.
SPDX-License-Identifier: MIT
"""
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES, LEARNING_RATE, MOMENTUM = 10, 0.005, 0.9
SAMPLES = 10
MASK = (1 << 64) - 1


# ---- The generator ----


def name_hash(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & MASK
    return h


def mix(z):
    """SplitMix64's finisher, on arrays of uint64 (which wrap around)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def bits(name, count):
    place = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return mix(place + np.uint64(name_hash(name)))


def value(name, shape):
    """Uniform in [-1, 1), multiples of 2^-23: exact in float32."""
    count = int(np.prod(shape))
    flat = (bits(name, count) >> np.uint64(40)).astype(np.float64) / 8388608.0 - 1.0
    return torch.from_numpy(flat.reshape(shape))


def parameter(name, tensor, norm):
    """Most norms shift by about 3, so that few values lie near the corners of ReLU and ReLU6, where the rounding of
    one sum would decide over a whole gradient."""
    v = value(name, tuple(tensor.shape))
    if tensor.dim() > 1:
        fan_in, scale = tensor[0].numel(), 1.0
        while 6 < fan_in * scale * scale:
            scale /= 2
        return v * scale
    if name.endswith("running_var"):
        return 1 + 0.5 * v
    if norm and name.endswith("bias"):
        return torch.where(v > -0.9375, 3 + 0.5 * v, v + 1)
    if name.endswith("running_mean") or name.endswith("bias"):
        return 0.25 * v
    return 1 + 0.25 * v


# ---- The networks that torchvision does not have ----


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    def __init__(self, c, k):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(c, k, 3, padding=1, bias=False), nn.BatchNorm2d(k)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [1, 32, 32, 64, 64, 128]
        self.blocks = nn.ModuleList(Block(c, k) for c, k in zip(widths, widths[1:]))
        self.fc = nn.Linear(128, CLASSES)

    def forward(self, x):
        for i, block in enumerate(self.blocks):
            x = block(x)
            x = F.max_pool2d(x, 2) if i in (1, 3) else x
        return self.fc(x.mean((2, 3)))


class ResNet9(nn.Module):
    def __init__(self):
        super().__init__()
        self.prep, self.layer1 = Block(3, 64), Block(64, 128)
        self.layer2, self.layer3 = Block(128, 256), Block(256, 512)
        self.res1 = nn.Sequential(Block(128, 128), Block(128, 128))
        self.res3 = nn.Sequential(Block(512, 512), Block(512, 512))
        self.fc = nn.Linear(512, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(self.layer1(self.prep(x)), 2)
        x = x + self.res1(x)
        x = F.max_pool2d(self.layer3(F.max_pool2d(self.layer2(x), 2)), 2)
        x = x + self.res3(x)
        return self.fc(F.adaptive_max_pool2d(x, 1).flatten(1))


class Airbench94(nn.Module):
    def __init__(self):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.group1, self.group2, self.group3 = Group(24, 64), Group(64, 256), Group(256, 256)
        self.head = nn.Linear(256, CLASSES, bias=False)

    def forward(self, x):
        x = self.group3(self.group2(self.group1(F.gelu(self.whiten(x)))))
        return self.head(F.adaptive_max_pool2d(x, 1).flatten(1)) / 9


class Group(nn.Module):
    def __init__(self, c, k):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(n, k, 3, padding=1, bias=False) for n in (c, k))
        self.norm1, self.norm2 = (nn.BatchNorm2d(k, eps=1e-12, momentum=0.4) for _ in range(2))

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


def torchvision_models():
    """torchvision registers compiled operators, which a CPU build of torch may lack; no model here uses them."""
    register = torch.library.register_fake
    torch.library.register_fake = lambda name, *a, **k: (
        (lambda f: f) if str(name).startswith("torchvision::") else register(name, *a, **k))
    import torchvision.models
    torch.library.register_fake = register
    return torchvision.models


def mobilenet_v2():
    return torchvision_models().mobilenet_v2(num_classes=CLASSES, dropout=0.0)


def mobilenet_v3_large():
    return torchvision_models().mobilenet_v3_large(num_classes=CLASSES, dropout=0.0)


def efficientnet_b0():
    return torchvision_models().efficientnet_b0(num_classes=CLASSES, dropout=0.0, stochastic_depth_prob=0.0)


# name: model, side, channels, batch, {node of our graph: module of torch whose output it has}
NETWORKS = {
    "lenet5": (LeNet, 28, 1, 5, {1: "conv1", 4: "conv2"}),
    "plain": (Plain, 28, 1, 4, {3: "blocks.0", 10: "blocks.2", 17: "blocks.4"}),
    "resnet9": (ResNet9, 32, 3, 4, {3: "prep", 6: "layer1", 17: "layer2", 21: "layer3"}),
    "airbench94": (Airbench94, 32, 3, 4, {1: "whiten", 9: "group1", 16: "group2", 23: "group3"}),
    "resnet18": (lambda: torchvision_models().resnet18(num_classes=CLASSES), 64, 3, 4,
                 {3: "relu", 11: "layer1.0", 18: "layer1", 34: "layer2", 50: "layer3", 66: "layer4"}),
    "mobilenet_v2": (mobilenet_v2, 64, 3, 4,
                     {3: "features.0", 8: "features.1", 16: "features.2", 25: "features.3",
                      146: "features.17", 149: "features.18"}),
    "mobilenet_v3_large": (mobilenet_v3_large, 64, 3, 4,
                           {3: "features.0", 163: "features.14", 181: "features.16"}),
    "efficientnet_b0": (efficientnet_b0, 64, 3, 4,
                        {3: "features.0", 14: "features.1", 44: "features.2", 245: "features.8"}),
}


# ---- Computing and writing ----


def number(x):
    return float(f"{x.item():.8g}")


def summary(name, tensor):
    """The L2 norm and the values at hashed places; activations in the order of NHWC."""
    tensor = tensor.detach()
    if tensor.dim() == 4 and name.startswith("layer:"):
        tensor = tensor.permute(0, 2, 3, 1)
    flat = tensor.reshape(-1)
    count = min(SAMPLES, flat.numel())
    places = (bits("sample:" + name, count) % np.uint64(flat.numel())).astype(np.int64)
    return {"norm": number(flat.norm()), "values": [number(flat[int(i)]) for i in places]}


def compute(network):
    make, side, channels, batch, layers = NETWORKS[network]
    model = make().double()
    with torch.no_grad():
        state = model.state_dict()
        for name, tensor in state.items():
            norm = name.rpartition(".")[0] + ".running_var" in state
            if tensor.is_floating_point():
                tensor.copy_(parameter(name, tensor, norm))
    x = value("input", (batch, side, side, channels)).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor([i * 7 % CLASSES for i in range(batch)])
    golden = {"network": network, "size": side, "channels": channels, "batch": batch}

    model.eval()
    outputs, modules = {}, dict(model.named_modules())
    hooks = [modules[module].register_forward_hook(
        lambda m, a, y, node=node: outputs.setdefault(node, y.detach().clone()))
        for node, module in layers.items()]
    golden["logits"] = [number(v) for v in model(x).reshape(-1)]
    golden["layers"] = [{"node": node, "name": layers[node], **summary(f"layer:{node}", outputs[node])}
                        for node in layers]
    for hook in hooks:
        hook.remove()

    model.train()
    optimiser = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True)
    loss = F.cross_entropy(model(x), labels)
    loss.backward()
    golden["loss"] = number(loss)
    golden["gradients"] = {n: summary(n, p.grad) for n, p in model.named_parameters()}
    optimiser.step()
    golden["stepped"] = {n: summary(n, t) for n, t in model.state_dict().items() if t.is_floating_point()}
    return golden


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "graph" / "goldens"
    for network in sys.argv[1:] or NETWORKS:
        golden = compute(network)
        lines = []
        for key, item in golden.items():
            if isinstance(item, dict):
                rows = ",\n  ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in item.items())
                lines.append(f"{json.dumps(key)}: {{\n  {rows}}}")
            else:
                lines.append(f"{json.dumps(key)}: {json.dumps(item)}")
        path = folder / f"{network}.json"
        path.write_text("{" + ",\n".join(lines) + "}\n")
        print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
