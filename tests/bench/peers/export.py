"""Exports a network of PyTorch for the engines: export.py FOLDER NETWORK BATCH SIDE.

Writes NETWORK_bBATCH.onnx, .mnn, the pictures and PyTorch's logits for them, and for batch 1 ncnn's files; what is
there already is kept. Answers {"failed": {engine: why}}. The running statistics of norms are measured on random
pictures first, so that signals are of a natural size in every layer. SPDX-License-Identifier: MIT
"""
import json
import pathlib
import shutil
import subprocess
import sys

import answers

try:
    import numpy
    import torch

    import networks
except ImportError as error:
    answers.missing(error)


def make(network, side):
    torch.manual_seed(0)
    model = networks.make(network, classes=1000)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        for _ in range(2):
            model.train()(torch.randn(8, 3, side, side))
    return model.eval()


def to_onnx(model, x, stem):
    torch.onnx.export(model, x, f"{stem}.onnx", input_names=["x"], output_names=["y"], dynamo=False)


def to_mnn(model, x, stem):
    from MNN.tools import mnnconvert  # noqa: F401
    code = "from MNN.tools.mnnconvert import main; main()"
    subprocess.run([sys.executable, "-c", code, "-f", "ONNX", "--modelFile", f"{stem}.onnx", "--MNNModel",
                    f"{stem}.mnn", "--bizCode", "bench"], check=True, stdout=sys.stderr)


def to_ncnn(model, x, stem):
    pnnx = shutil.which("pnnx", path=f"{pathlib.Path(sys.executable).parent}:{pathlib.Path.home()}/.local/bin:/usr/bin")
    if not pnnx:
        raise ImportError("no pnnx beside this interpreter")
    torch.jit.trace(model, x).save(f"{stem}.pt")
    subprocess.run([pnnx, f"{stem}.pt", "inputshape=" + json.dumps(list(x.shape)).replace(" ", ""), "fp16=0"],
                   check=True, stdout=sys.stderr, cwd=pathlib.Path(stem).parent)


def main():
    folder, network, batch, side = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    stem = folder / f"{network}_b{batch}"
    wanted = {"onnx": (to_onnx, ".onnx"), "mnn": (to_mnn, ".mnn")}
    if batch == 1:
        wanted["ncnn"] = (to_ncnn, ".ncnn.param")
    failed = {}
    model, x = make(network, side), torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        numpy.save(f"{stem}_y.npy", model(x).numpy())
    numpy.save(f"{stem}_x.npy", x.numpy())
    for engine, (convert, suffix) in wanted.items():
        if pathlib.Path(f"{stem}{suffix}").exists():
            continue
        try:
            convert(model, x, stem)
        except Exception as error:
            failed[engine] = " ".join(str(error).split())[:300]
    answers.answer(json.dumps({"failed": failed}))


main()
