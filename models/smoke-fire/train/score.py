"""Runs a network on whole pictures, as the program does, and stores the heatmaps.

    python score.py --work DIR --bank WORK --fold K     foldK.pt on the pictures of fold K -> DIR/foldK.onnx, foldK.npz
    python score.py --work DIR --bank WORK --net        net.pt on the val split -> DIR/net.onnx, net.npz
    python score.py --work DIR --bank WORK --mine       cells where fold networks were wrong on clean frames -> DIR/mined.json

With --no-past the present frame is its own past, as after the camera has turned -> DIR/foldK-no-past.npz
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
SHRINK = PARAMS["screening"]["shrink"]


class Model:
    """shrink: factor by which the width and height of a screening network's input are smaller."""

    def __init__(self, path: Path, shrink: int = 1):
        self.net, self.shrink = onnx_file.session(path), shrink
        i = PARAMS["input"]
        self.params = {"input": i | {"width": i["width"] // shrink, "height": i["height"] // shrink}}

    def canvas(self, img: np.ndarray) -> np.ndarray:
        return d.tensor(d.letterbox((img.shape[1], img.shape[0]), self.params).apply(img, self.params), self.params)

    def __call__(self, present: np.ndarray, earlier: np.ndarray) -> np.ndarray:
        """Two pictures (uint8 RGB) -> heatmap [2, h, w], in cells of the full network."""
        p = self.canvas(present)
        e = p if earlier is present else self.canvas(earlier)
        heat = self.net.run(["heatmap"], {"frames": np.stack([p, e])[None]})[0][0]
        return heat.repeat(self.shrink, 1).repeat(self.shrink, 2)


def run(model: Model, bank: Bank, ids, label: str, past: bool = True):
    """Heatmaps of whole pictures [n, 2, h, w], and of the three tiles of watch frames [n, 3, 2, h, w]."""
    heat = np.empty((len(ids), 2, *d.cells(PARAMS)), np.float16)
    tiles = np.zeros((len(ids), 3, 2, *d.cells(PARAMS)), np.float16)
    where = {}
    for n, k in enumerate(ids):
        img, row = bank.pixels(k), bank.rows[k]
        watch = row["kind"] == "watch"
        before = bank.past(k, PARAMS["input"]["past_s"] // 60) if past and watch else k
        was = img if before == k else bank.pixels(before)
        heat[n] = model(img, was)
        if watch:
            at = where.setdefault(row["event"], bank.tiles(row["event"]))
            for i, tile in enumerate(at):
                now = d.part(img, tile)
                tiles[n, i] = model(now, now if before == k else d.part(was, tile))
        if n % 25 == 0:
            print(f"\r{label} {n}/{len(ids)}", end="", flush=True)
    print(f"\r{label} {len(ids)} pictures")
    return heat, tiles


def mine(work: Path, bank: Bank) -> dict:
    """Clean frame -> up to 10 places [x, y] in its pixels, at most 6 per view, where a network that never saw it was most wrong."""
    out = {}
    for path in sorted(work.glob("fold?.npz")):
        z = np.load(path)
        for k, heat, tiles in zip(z["ids"].tolist(), z["heat"].astype(np.float32), z["tiles"].astype(np.float32)):
            if bank.rows[k]["kind"] != "watch" or not bank.clean(k):
                continue
            h, w = bank.pixels(k).shape[:2]
            found = []
            for view, (x, y, part_w, part_h) in [(heat, (0, 0, 1, 1)), *zip(tiles, bank.tiles(bank.rows[k]["event"]))]:
                flat = view[0].ravel()
                for c in flat.argsort()[::-1][:6]:
                    if flat[c] > 0.12:
                        cx, cy = (c % view.shape[2] + 0.5) / view.shape[2], (c // view.shape[2] + 0.5) / view.shape[1]
                        found.append((float(flat[c]), [round((x + cx * part_w) * w), round((y + cy * part_h) * h)]))
            if found:
                out[k] = [spot for _, spot in sorted(found, reverse=True)[:10]]
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True, help="where the networks are")
    ap.add_argument("--bank", type=Path, required=True, help="where prepare.py wrote")
    ap.add_argument("--fold", type=int)
    ap.add_argument("--net", action="store_true")
    ap.add_argument("--mine", action="store_true")
    ap.add_argument("--clean", action="store_true", help="only watch frames without smoke: all that --mine reads")
    ap.add_argument("--unseen", action="store_true", help="leaves out what states a licence: the lawful release learned from it")
    ap.add_argument("--screen", action="store_true", help="the screening network")
    ap.add_argument("--no-past", action="store_true")
    args = ap.parse_args()
    bank, i = Bank(args.bank, PARAMS), PARAMS["input"]
    if args.mine:
        found = mine(args.work, bank)
        (args.work / "mined.json").write_text(json.dumps(found))
        print(len(found), "clean frames with cells that are wrong")
        return
    name = ("net" if args.net else f"fold{args.fold}") + ("-screen" if args.screen else "")
    shrink = SHRINK if args.screen else 1
    onnx_file.write(args.work / f"{name}.pt", args.work / f"{name}.onnx", i["width"] // shrink, i["height"] // shrink)
    ids = [k for k, r in enumerate(bank.rows) if (r["split"] == "val" if args.net else bank.fold(k) == args.fold)]
    if args.unseen:
        ids = [k for k in ids if "source" not in bank.rows[k] and not (bank.rows[k]["kind"] == "flame" and bank.rows[k]["boxes"])]
    if args.clean:
        ids = [k for k in ids if bank.rows[k]["kind"] == "watch" and bank.clean(k)]
    heat, tiles = run(Model(args.work / f"{name}.onnx", shrink), bank, ids, name, not args.no_past)
    np.savez_compressed(args.work / f"{name}{'-no-past' if args.no_past else ''}.npz", ids=np.array(ids), heat=heat, tiles=tiles)


if __name__ == "__main__":
    main()
