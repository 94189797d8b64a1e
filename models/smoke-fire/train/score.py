"""Runs a network over whole pictures, as the program shows them to it, and keeps the heatmaps.

    python score.py --work DIR --bank WORK --fold K     foldK.pt over what it was not trained on -> DIR/foldK.onnx, foldK.npz
    python score.py --work DIR --bank WORK --net        net.pt over the val split -> DIR/net.onnx, net.npz
    python score.py --work DIR --bank WORK --mine       cells where fold networks were wrong on clean frames -> DIR/mined.json

With --no-past the present frame is its own past, as after a turn of the camera -> DIR/foldK-no-past.npz
"""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path

import numpy as np

import data as d
import onnx_file
from bank import Bank

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


class Model:
    def __init__(self, path: Path):
        self.net = onnx_file.session(path)

    def canvas(self, img: np.ndarray) -> np.ndarray:
        return d.tensor(d.letterbox((img.shape[1], img.shape[0]), PARAMS).apply(img, PARAMS), PARAMS)

    def __call__(self, present: np.ndarray, earlier: np.ndarray) -> np.ndarray:
        """Two pictures (uint8 RGB) -> heatmap [2, h, w]."""
        p = self.canvas(present)
        e = p if earlier is present else self.canvas(earlier)
        return self.net.run(["heatmap"], {"frames": np.stack([p, e])[None]})[0][0]


def run(model: Model, bank: Bank, ids, label: str, past: bool = True):
    heat = np.empty((len(ids), 2, *d.cells(PARAMS)), np.float16)
    for n, k in enumerate(ids):
        img = bank.pixels(k)
        before = bank.past(k, PARAMS["input"]["past_s"] // 60) if past and bank.rows[k]["kind"] == "watch" else k
        heat[n] = model(img, img if before == k else bank.pixels(before))
        if n % 25 == 0:
            print(f"\r{label} {n}/{len(ids)}", end="", flush=True)
    print(f"\r{label} {len(ids)} pictures")
    return heat


def mine(work: Path, bank: Bank) -> dict:
    """Clean frame -> up to 6 places [x, y] in its pixels where a network that never saw it was most wrong."""
    out = {}
    for path in sorted(work.glob("fold?.npz")):
        z = np.load(path)
        for k, heat in zip(z["ids"].tolist(), z["heat"].astype(np.float32)):
            if bank.rows[k]["kind"] != "watch" or not bank.clean(k):
                continue
            flat = heat[0].ravel()
            worst = [c for c in flat.argsort()[::-1][:6] if flat[c] > 0.12]
            if worst:
                out[k] = [[int(c % heat.shape[2]) * d.CELL + 8, int(c // heat.shape[2]) * d.CELL + 8] for c in worst]
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True, help="where the networks are")
    ap.add_argument("--bank", type=Path, required=True, help="where prepare.py wrote")
    ap.add_argument("--fold", type=int)
    ap.add_argument("--net", action="store_true")
    ap.add_argument("--mine", action="store_true")
    ap.add_argument("--no-past", action="store_true")
    args = ap.parse_args()
    bank, i = Bank(args.bank, PARAMS), PARAMS["input"]
    if args.mine:
        found = mine(args.work, bank)
        (args.work / "mined.json").write_text(json.dumps(found))
        print(len(found), "clean frames with cells that are wrong")
        return
    name = "net" if args.net else f"fold{args.fold}"
    onnx_file.write(args.work / f"{name}.pt", args.work / f"{name}.onnx", i["width"], i["height"])
    ids = [k for k, r in enumerate(bank.rows) if (r["split"] == "val" if args.net else bank.fold(k) == args.fold)]
    heat = run(Model(args.work / f"{name}.onnx"), bank, ids, name, not args.no_past)
    np.savez_compressed(args.work / f"{name}{'-no-past' if args.no_past else ''}.npz", ids=np.array(ids), heat=heat)


if __name__ == "__main__":
    main()
