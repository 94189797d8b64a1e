"""The shipped model as somebody would use it from Python, and the one line a second that run.py reads."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
import tomllib
from pathlib import Path

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded
import onnxruntime


class Model:
    """One thread a look and no spinning, as the program does it: kinder than the defaults, which take every core."""

    def __init__(self, folder: Path):
        manifest = tomllib.loads((folder / "model.toml").read_text())
        self.input = manifest["input"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(folder / manifest["file"]), options, providers=["CPUExecutionProvider"])

    def canvas(self, picture: np.ndarray) -> np.ndarray:
        """A picture (height, width, blue green red) -> float32 [3, height, width], letterboxed; bars are left away in whole
        strides, as the program does it."""
        import cv2

        width, height = self.input["width"], self.input["height"]
        stride = self.input.get("rect_stride", max(width, height))  # without one the bars stay whole
        scale = min(width / picture.shape[1], height / picture.shape[0])
        w, h = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        x, y = (width - w) // 2 % stride, (height - h) // 2 % stride
        canvas = np.full((h + 2 * y, w + 2 * x, 3), 114, np.uint8)
        canvas[y : y + h, x : x + w] = cv2.cvtColor(cv2.resize(picture, (w, h)), cv2.COLOR_BGR2RGB)
        mean, std = (np.array(self.input[key], np.float32) for key in ("mean", "std"))
        return ((canvas.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1)

    def smoke(self, present: np.ndarray, past: np.ndarray) -> float:
        """Score of smoke, 0..1, of two canvases."""
        heat = self.session.run(None, {self.input["name"]: np.stack([present, past])[None]})[0]
        return float(heat[0, 0].max())


class Count:
    """Frames looked at, told on stdout once a second."""

    def __init__(self):
        self.frames = 0
        self.lock = threading.Lock()

    def one_more(self):
        with self.lock:
            self.frames += 1

    def tell(self):
        while True:
            print(json.dumps({"analysed": self.frames}), flush=True)
            time.sleep(1)


def arguments(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--url", required=True, help="address of a camera; {} is its number, from 1")
    parser.add_argument("--cameras", type=int, required=True)
    parser.add_argument("--cadence", type=float, default=10, help="seconds from one look at a camera to the next")
    parser.add_argument("--no-inference", action="store_true", help="leave the model out")
    parser.add_argument("--model", type=Path, default=Path("models/smoke-fire/0.2.0"))
    return parser
