"""Inference in another engine: engines.py ENGINE FOLDER NETWORK BATCH THREADS, on what export.py wrote.

Engines: onnxruntime, openvino, openvino_bf16, ncnn, ncnn_bf16, mnn. Only an engine whose logits are PyTorch's takes
part: within 1e-2 of the largest, in bf16 within 2e-1 (50 layers of random weights let 8 bits drift to 1e-1).
SPDX-License-Identifier: MIT
"""
import pathlib
import sys

import answers


def onnxruntime_step(stem, x, threads, half):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(f"{stem}.onnx", settings, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})[0], onnxruntime.__version__


def openvino_step(stem, x, threads, half):
    import openvino
    core = openvino.Core()
    model = core.compile_model(core.read_model(f"{stem}.onnx"), "CPU", {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if half else "f32"})
    request = model.create_infer_request()

    def step():
        request.infer({0: x})
        return request.get_output_tensor(0).data

    return step, openvino.__version__


def ncnn_step(stem, x, threads, half):
    import ncnn
    net = ncnn.Net()
    net.opt.num_threads, net.opt.use_vulkan_compute, net.opt.use_bf16_storage = threads, False, half
    net.load_param(f"{stem}.ncnn.param")
    net.load_model(f"{stem}.ncnn.bin")
    picture = ncnn.Mat(x[0]).clone()  # a Mat of an array borrows it

    def step():
        extractor = net.create_extractor()
        extractor.input("in0", picture)
        return extractor.extract("out0")[1]

    return step, ncnn.__version__


def mnn_step(stem, x, threads, half):
    import MNN
    import MNN.expr as expr
    runtime = MNN.nn.create_runtime_manager((
        {"backend": "CPU", "precision": "high", "numThread": threads},))
    net = MNN.nn.load_module_from_file(f"{stem}.mnn", ["x"], ["y"], runtime_manager=runtime)
    picture = expr.convert(expr.const(x, x.shape, expr.NCHW), expr.NC4HW4)
    return lambda: net.forward(picture).read(), MNN.version()


STEPS = {"onnxruntime": onnxruntime_step, "openvino": openvino_step, "ncnn": ncnn_step, "mnn": mnn_step}


def main():
    engine, folder, network, batch, threads = sys.argv[1], pathlib.Path(sys.argv[2]), *sys.argv[3:6]
    half = engine.endswith("_bf16")
    stem = folder / f"{network}_b{batch}"
    try:
        import numpy
        x, wanted = numpy.load(f"{stem}_x.npy"), numpy.load(f"{stem}_y.npy")
        step, version = STEPS[engine.removesuffix("_bf16")](stem, x, int(threads), half)
        got = numpy.array(step()).reshape(wanted.shape)
    except Exception as error:
        answers.missing(error)
    off = float(abs(got - wanted).max() / abs(wanted).max())
    if not off <= (2e-1 if half else 1e-2):
        answers.missing(f"its logits are off by {off:.2g} of the largest")
    answers.serve(step, f"{version}, off by {off:.1e}")


main()
