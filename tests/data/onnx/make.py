"""Makes the tiny networks that the tests of src/detect run through ONNX Runtime.

    /usr/bin/python3 tests/data/onnx/make.py        (Debian: python3-onnx)

Each is a function of its input, so that a test can predict the answer. The canvas is 64x64, cells are 16x16:
    heatmap  [1, 2, 3, 64, 64] -> [1, 2, 4, 4]   smoke: present minus past, mean of the colours; fire: present red minus blue
    crowd    [n, 2, 3, 64, 64] -> [n, 2, 4, 4]   smoke as in heatmap; fire: n / 10, how many looks came at once
    yolo-v8  [1, 3, 64, 64]    -> [1, 6, 16]     one box a cell; classes: red, blue
    yolo-v5  [1, 3, 64, 64]    -> [1, 16, 7]     the same with objectness = green
    yolo-v8-dynamic            -> [1, 6, 16]     yolo-v8 whose input names no size, as `dynamic=True` exports; only 64x64 works

    tube     [1, 2, 3, 3, 16, 16] -> [1]         second opinion: three times how much redder the near crop is than its oldest past

Two look like exports of the public families: names, three classes, and so many boxes that they must be suppressed. The
canvas is 96x64, windows of 16x16 stand every 4 pixels:
    bright-v8 [1, 3, 64, 96] -> [1, 7, 273]     person: dark; fire: red minus blue; smoke: 0 at half brightness, 1 at full
    bright-v5 [1, 3, 64, 96] -> [1, 273, 8]     the same with objectness 0.9
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

HERE = Path(__file__).parent


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.array(values, kind), name)


def save(name, nodes, inputs, output, constants, names=("frames", "output")):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, inputs)],
        [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, output)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def pool(source, target):
    return helper.make_node("AveragePool", [source], [target], kernel_shape=[16, 16], strides=[16, 16])


def pick(source, index, axis, target):
    return helper.make_node("Gather", [source, index], [target], axis=axis)


save("heatmap", [
    pick("frames", "present", 1, "now"), pick("frames", "past", 1, "before"),
    helper.make_node("Sub", ["now", "before"], ["change"]),
    pool("change", "change_cells"), pool("now", "now_cells"),
    helper.make_node("Conv", ["change_cells", "grey"], ["smoke"]),
    helper.make_node("Conv", ["now_cells", "warm"], ["fire"]),
    helper.make_node("Concat", ["smoke", "fire"], ["both"], axis=1),
    helper.make_node("Clip", ["both", "zero", "one"], ["output"]),
], [1, 2, 3, 64, 64], [1, 2, 4, 4], [
    constant("present", 0, np.int64), constant("past", 1, np.int64), constant("zero", 0), constant("one", 1),
    constant("grey", np.full((1, 3, 1, 1), 1 / 3)), constant("warm", np.reshape([1, 0, -1], (1, 3, 1, 1))),
])

save("crowd", [
    pick("frames", "present", 1, "now"), pick("frames", "past", 1, "before"),
    helper.make_node("Sub", ["now", "before"], ["change"]),
    pool("change", "cells"),
    helper.make_node("Conv", ["cells", "grey"], ["smoke"]),
    helper.make_node("Shape", ["frames"], ["sizes"]),
    pick("sizes", "first", 0, "looks"),
    helper.make_node("Cast", ["looks"], ["many"], to=TensorProto.FLOAT),
    helper.make_node("Div", ["many", "ten"], ["share"]),
    helper.make_node("Mul", ["smoke", "zero"], ["nothing"]),
    helper.make_node("Add", ["nothing", "share"], ["fire"]),
    helper.make_node("Concat", ["smoke", "fire"], ["both"], axis=1),
    helper.make_node("Clip", ["both", "zero", "one"], ["output"]),
], ["n", 2, 3, 64, 64], ["n", 2, 4, 4], [
    constant("present", 0, np.int64), constant("past", 1, np.int64), constant("first", 0, np.int64), constant("zero", 0),
    constant("one", 1), constant("ten", 10), constant("grey", np.full((1, 3, 1, 1), 1 / 3)),
])

save("tube", [
    pick("tube", "near", 1, "crops"),
    pick("crops", "now", 1, "present"), pick("crops", "oldest", 1, "past"),
    helper.make_node("Sub", ["present", "past"], ["change"]),
    pick("change", "red", 1, "redder"),
    helper.make_node("ReduceMean", ["redder"], ["mean"], axes=[1, 2], keepdims=0),
    helper.make_node("Mul", ["mean", "three"], ["smoke"]),
], [1, 2, 3, 3, 16, 16], [1], [
    constant("near", 0, np.int64), constant("now", 0, np.int64), constant("oldest", 2, np.int64), constant("red", 0, np.int64),
    constant("three", 3),
], ("tube", "smoke"))

middle = [[8 + 16 * x for _ in range(4) for x in range(4)], [8 + 16 * y for y in range(4) for _ in range(4)]]
boxes = constant("boxes", [middle + [[16] * 16, [16] * 16]])
shape = constant("shape", [1, 3, 16], np.int64)
cells = [pool("frames", "cells"), helper.make_node("Reshape", ["cells", "shape"], ["colours"])]

for name, inputs in (("yolo-v8", [1, 3, 64, 64]), ("yolo-v8-dynamic", ["batch", 3, "height", "width"])):
    save(name, cells + [
        pick("colours", "wanted", 1, "classes"),
        helper.make_node("Concat", ["boxes", "classes"], ["output"], axis=1),
    ], inputs, [1, 6, 16], [boxes, shape, constant("wanted", [0, 2], np.int64)])

save("yolo-v5", cells + [
    pick("colours", "wanted", 1, "rest"),
    helper.make_node("Concat", ["boxes", "rest"], ["columns"], axis=1),
    helper.make_node("Transpose", ["columns"], ["output"], perm=[0, 2, 1]),
], [1, 3, 64, 64], [1, 16, 7], [boxes, shape, constant("wanted", [1, 0, 2], np.int64)])

xs, ys = range(8, 96 - 7, 4), range(8, 64 - 7, 4)
windows = len(xs) * len(ys)
bright = [
    helper.make_node("AveragePool", ["images"], ["means"], kernel_shape=[16, 16], strides=[4, 4]),
    helper.make_node("Conv", ["means", "weight", "bias"], ["raw"]),
    helper.make_node("Clip", ["raw", "zero", "one"], ["scores"]),
    helper.make_node("Reshape", ["scores", "flat"], ["classes"]),
]
parts = [
    constant("weight", np.reshape([[-1 / 3] * 3, [1, 0, -1], [2 / 3] * 3], (3, 3, 1, 1))), constant("bias", [1, 0, -1]),
    constant("zero", 0), constant("one", 1), constant("flat", [1, 3, windows], np.int64),
    constant("boxes", [[[x for _ in ys for x in xs], [y for y in ys for _ in xs], [16] * windows, [16] * windows]]),
]

save("bright-v8", bright + [
    helper.make_node("Concat", ["boxes", "classes"], ["output0"], axis=1),
], [1, 3, 64, 96], [1, 7, windows], parts, ("images", "output0"))

save("bright-v5", bright + [
    helper.make_node("Concat", ["boxes", "objectness", "classes"], ["columns"], axis=1),
    helper.make_node("Transpose", ["columns"], ["output0"], perm=[0, 2, 1]),
], [1, 3, 64, 96], [1, windows, 8], parts + [constant("objectness", [[[0.9] * windows]])], ("images", "output0"))
