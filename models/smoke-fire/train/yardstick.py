"""Compares the cost of a network with that of a graph shaped like YOLOv8n (3.0 M weights, two classes, 640x384), in one run.

    python yardstick.py MODEL_DIR [--json]
    python yardstick.py --graph FILE        only writes the graph, for `make county YARDSTICK=FILE`

The graph follows the family's published layer table with random weights: its time does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import tomllib
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

import onnx_file


def conv(cin, cout, kernel=1, stride=1):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2), nn.SiLU())


class Bottleneck(nn.Module):
    def __init__(self, c, skip):
        super().__init__()
        self.two, self.skip = nn.Sequential(conv(c, c, 3), conv(c, c, 3)), skip

    def forward(self, x):
        return x + self.two(x) if self.skip else self.two(x)


class C2f(nn.Module):
    def __init__(self, cin, cout, n, skip=True):
        super().__init__()
        self.half = cout // 2
        self.first, self.last = conv(cin, cout), conv((2 + n) * self.half, cout)
        self.steps = nn.ModuleList(Bottleneck(self.half, skip) for _ in range(n))

    def forward(self, x):
        y = list(self.first(x).split(self.half, 1))
        for step in self.steps:
            y.append(step(y[-1]))
        return self.last(torch.cat(y, 1))


class Pool(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.first, self.last, self.pool = conv(c, c // 2), conv(2 * c, c), nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        y = [self.first(x)]
        for _ in range(3):
            y.append(self.pool(y[-1]))
        return self.last(torch.cat(y, 1))


class Yardstick(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.s8 = nn.Sequential(conv(3, 16, 3, 2), conv(16, 32, 3, 2), C2f(32, 32, 1), conv(32, 64, 3, 2), C2f(64, 64, 2))
        self.s16 = nn.Sequential(conv(64, 128, 3, 2), C2f(128, 128, 2))
        self.s32 = nn.Sequential(conv(128, 256, 3, 2), C2f(256, 256, 1), Pool(256))
        self.up = nn.Upsample(scale_factor=2)
        self.up16, self.up8 = C2f(384, 128, 1, False), C2f(192, 64, 1, False)
        self.down16, self.out16 = conv(64, 64, 3, 2), C2f(192, 128, 1, False)
        self.down32, self.out32 = conv(128, 128, 3, 2), C2f(384, 256, 1, False)
        self.boxes, self.classes = (nn.ModuleList(
            nn.Sequential(conv(c, 64, 3), conv(64, 64, 3), nn.Conv2d(64, n, 1)) for c in (64, 128, 256)) for n in (64, classes))

    def forward(self, x):
        a = self.s8(x)
        b = self.s16(a)
        c = self.s32(b)
        p = self.up16(torch.cat([self.up(c), b], 1))
        q = self.up8(torch.cat([self.up(p), a], 1))
        r = self.out16(torch.cat([self.down16(q), p], 1))
        s = self.out32(torch.cat([self.down32(r), c], 1))
        return torch.cat([torch.cat([f(z), g(z)], 1).flatten(2) for f, g, z in zip(self.boxes, self.classes, (q, r, s))], 2)


def write(path: Path) -> None:
    kind = {"dynamo": False} if torch.__version__ >= "2.5" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Yardstick().eval(), torch.zeros(1, 3, 384, 640), str(path), opset_version=onnx_file.OPSET, **kind)


def wide(width: int, height: int, stride: int) -> int:
    """Height of the program's canvas for a 16:9 picture: letterbox padding is cropped in multiples of the stride."""
    bar = (height - width * 9 // 16) // 2
    return height - 2 * (bar - bar % stride)


def cost(folder: Path, rounds: int = 60) -> dict:
    """Processor time of one thread in ms: medians of interleaved runs."""
    card = tomllib.loads((folder / "model.toml").read_text())
    i = card["input"]
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / "yardstick.onnx"
        write(path)
        ours = onnx_file.session(folder / card["file"])
        nets = {"ours": ours, "wide": ours, "yolov8n": onnx_file.session(path)}
        if "screen" in card:
            nets["screen"] = onnx_file.session(folder / card["screen"]["file"])
    small = card.get("screen", i)
    shapes = {"ours": (1, i["frames"], 3, i["height"], i["width"]), "yolov8n": (1, 3, 384, 640)}
    shapes |= {name: (1, i["frames"], 3, wide(side["width"], side["height"], i.get("rect_stride", i["height"])), side["width"])
               for name, side in (("wide", i), ("screen", small))}
    feeds = {k: {n.get_inputs()[0].name: np.random.default_rng(0).random(shapes[k], np.float32)} for k, n in nets.items()}
    spent = {k: [] for k in nets}
    for n in range(rounds + 3):
        for k, net in nets.items():
            before = time.process_time()
            net.run(None, feeds[k])
            if n >= 3:
                spent[k].append(1000 * (time.process_time() - before))
    out = {k: float(np.median(v)) for k, v in spent.items()}
    ratio = {k: float(np.median(np.array(spent[k]) / np.array(spent["yolov8n"]))) for k in nets}
    return out | {"ratio": ratio["ours"], "wide_ratio": ratio["wide"], "screen_ratio": ratio.get("screen"), "flags": flags()}


def flags() -> str:
    """The processor's vector instructions, as Linux names them."""
    known = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimd")
    words = Path("/proc/cpuinfo").read_text().split()
    return " ".join(k for k in known if k in words)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("model", type=Path, nargs="?")
    ap.add_argument("--json", action="store_true")
    ap.add_argument("--graph", type=Path)
    args = ap.parse_args()
    if args.graph:
        write(args.graph)
        return
    if not args.model:
        ap.error("name a model's folder, or --graph FILE")
    c = cost(args.model)
    if args.json:
        print(json.dumps(c))
        return
    print(f"one look, 1 thread: {c['ours']:.1f} ms of processor time on the whole canvas, {c['wide']:.1f} at a 16:9 picture; YOLOv8n-"
          f"shaped graph at 640x384, same run: {c['yolov8n']:.1f} ms; ratios {c['ratio']:.2f} and {c['wide_ratio']:.2f}; {c['flags']}")
    if c["screen_ratio"]:
        print(f"the screening network at a 16:9 picture: {c['screen']:.1f} ms; ratio {c['screen_ratio']:.3f}")


if __name__ == "__main__":
    main()
