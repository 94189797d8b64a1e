"""Tries 8-bit weights and activations on the networks of the folds: is it faster here, and does small smoke stay found?

    python quantize.py --work WORK/stage2 --bank WORK [--fold K ...]

The gate: at most one point of recall lost on the smallest quarter of boxes, at 5 % false frames of each. Calibrated on frames
that the fold's network was trained on.
"""

from __future__ import annotations

import argparse
import os
import time
import tomllib
from pathlib import Path

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import onnx_file
from bank import Bank
from metrics import auc, recall_at, threshold_at
from score import Model, run

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


class Frames(CalibrationDataReader):
    def __init__(self, bank: Bank, model: Model, ids):
        past = PARAMS["input"]["past_s"] // 60
        self.feeds = iter({"frames": np.stack([model.canvas(bank.pixels(k)), model.canvas(bank.pixels(bank.past(k, past)))])[None]}
                          for k in ids)

    def get_next(self):
        return next(self.feeds, None)


def cost(path: Path, frames: np.ndarray, rounds: int = 30) -> float:
    net, spent = onnx_file.session(path), []
    for _ in range(rounds):
        before = time.process_time()
        net.run(None, {"frames": frames})
        spent.append(1000 * (time.process_time() - before))
    return float(np.median(spent))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--bank", type=Path, required=True)
    ap.add_argument("--fold", type=int, action="append")
    args = ap.parse_args()
    bank = Bank(args.bank, PARAMS)
    scores: dict = {"float": [], "int8": []}
    boxes: list = []
    for fold in args.fold or range(PARAMS["train"]["folds"]):
        path = args.work / f"fold{fold}.onnx"
        ready, small = args.work / f"fold{fold}-ready.onnx", args.work / f"fold{fold}-int8.onnx"
        watch = [k for k, r in enumerate(bank.rows) if r["kind"] == "watch"]
        seen = np.random.default_rng(fold).choice([k for k in watch if bank.fold(k) != fold], 96, replace=False)
        quant_pre_process(str(path), str(ready))
        quantize_static(str(ready), str(small), Frames(bank, Model(path), seen), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        ids = [k for k in watch if bank.fold(k) == fold and (bank.rows[k]["box"] or bank.clean(k))]
        boxes += [bank.rows[k]["box"] for k in ids]
        for name, net in (("float", path), ("int8", small)):
            scores[name] += run(Model(net), bank, ids, f"{name} fold {fold}")[:, 0].max((1, 2)).astype(np.float32).tolist()
        x = np.random.default_rng(0).random((1, 2, 3, 480, 640), np.float32)
        print(f"fold {fold}: one look, 1 thread: float {cost(path, x):.1f} ms, int8 {cost(small, x):.1f} ms of processor time")
    pos = np.array([b is not None for b in boxes])
    area = np.array([(b[2] - b[0]) * (b[3] - b[1]) if b else np.inf for b in boxes])
    least = area <= np.quantile(area[pos], 0.25)
    for name, values in scores.items():
        s = np.array(values)
        print(f"{name:6s} AUC {auc(s[pos], s[~pos]):.3f}, recall at 5 % false frames {recall_at(s[pos], s[~pos], 0.05):.3f}, "
              f"smallest quarter of boxes {(s[least] > threshold_at(s[~pos], 0.05)).mean():.3f}")


if __name__ == "__main__":
    main()
