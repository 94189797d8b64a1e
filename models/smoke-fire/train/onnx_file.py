"""Exports a trained network as an ONNX file that runs fast."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded
import onnxruntime as ort

from net import Exported, SmokeFire

OPSET = 13


def fold_padding(model: onnx.ModelProto) -> None:
    """Folds Pad nodes into their convolutions. TensorFlow pads strided convolutions unevenly. torch exports that as separate Pad
    nodes, which copy the largest feature maps and break the runtime's blocked layout (a quarter of the whole time). The
    convolution's own padding does the same: kernel - stride zeros in all, the smaller half first."""
    by_output = {o: n for n in model.graph.node for o in n.output}
    for conv in [n for n in model.graph.node if n.op_type == "Conv"]:
        pad = by_output.get(conv.input[0])
        if pad is None or pad.op_type != "Pad":
            continue
        attr = {a.name: a for a in conv.attribute}
        assert not any(attr["pads"].ints)
        total = [k - s for k, s in zip(attr["kernel_shape"].ints, attr["strides"].ints)]
        del attr["pads"].ints[:]
        attr["pads"].ints.extend([t // 2 for t in total] + [t - t // 2 for t in total])
        conv.input[0] = pad.input[0]
    drop_unused(model)


def drop_unused(model: onnx.ModelProto) -> None:
    graph = model.graph
    while True:
        used = {i for n in graph.node for i in n.input} | {o.name for o in graph.output}
        idle = [n for n in graph.node if not any(o in used for o in n.output)]
        if not idle:
            return
        for n in idle:
            graph.node.remove(n)


# Operators in which tracing may store the batch size or the picture's size as a constant.
BAKED = {"Reshape", "Expand", "Tile", "Slice", "Split", "Loop", "If", "Scan"}


def open_axes(model: onnx.ModelProto) -> None:
    """Makes batch size, height and width dynamic; height and width are multiples of the stride. Nothing else changes: the
    outputs for a single full canvas stay the same, bit for bit, and so does the cost (EXPERIMENTS.md)."""
    baked = {n.op_type for n in model.graph.node} & BAKED
    assert not baked, f"{baked} may hold the shape of the trace: look at each before the axes are opened"
    for value, sides in ((model.graph.input[0], ("height", "width")), (model.graph.output[0], ("rows", "columns"))):
        dims = value.type.tensor_type.shape.dim
        for dim, name in ((dims[0], "n"), (dims[-2], sides[0]), (dims[-1], sides[1])):
            dim.dim_param = name
    del model.graph.value_info[:]


def session(path: Path, threads: int = 1) -> ort.InferenceSession:
    opts = ort.SessionOptions()
    opts.intra_op_num_threads = threads
    opts.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), opts, providers=["CPUExecutionProvider"])


def write(weights: Path, path: Path, width: int, height: int) -> None:
    """torch -> ONNX; fails unless the runtime answers as torch does."""
    net = SmokeFire()
    net.load_state_dict(torch.load(weights, map_location="cpu"))
    net = Exported(net).eval()
    frames = torch.randn(1, 2, 3, height, width)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        kind = {"dynamo": False} if torch.__version__ >= "2.5" else {}
        torch.onnx.export(net, frames, str(path), opset_version=OPSET, input_names=["frames"], output_names=["heatmap"], **kind)
        expected = net(frames).numpy()
    model = onnx.load(str(path))
    fold_padding(model)
    open_axes(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    runtime = session(path)
    one = runtime.run(None, {"frames": frames.numpy()})[0]
    gap = np.abs(one - expected).max()
    assert gap < 1e-3, f"torch and the runtime differ by {gap}"
    many = runtime.run(None, {"frames": frames.numpy().repeat(3, 0)})[0]
    assert np.abs(many - one).max() < 1e-5, "a frame among others is answered differently than alone"
    low = np.ascontiguousarray(frames.numpy()[..., : height // 32 * 16, :])
    with torch.no_grad():
        expected = net(torch.from_numpy(low)).numpy()
    assert np.abs(runtime.run(None, {"frames": low})[0] - expected).max() < 1e-3, "a lower frame is answered wrongly"


def write_verifier(net: torch.nn.Module, path: Path, shape: tuple) -> None:
    """torch -> ONNX; fails unless the runtime answers as torch does. shape: the network's input, with batch size 1."""
    net, tube = Exported(net).eval(), torch.randn(shape)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        kind = {"dynamo": False} if torch.__version__ >= "2.5" else {}
        torch.onnx.export(net, tube, str(path), opset_version=OPSET, input_names=["tube"], output_names=["smoke"], **kind)
        gap = np.abs(session(path).run(None, {"tube": tube.numpy()})[0] - net(tube).numpy()).max()
    assert gap < 1e-3, f"torch and the runtime differ by {gap}"
