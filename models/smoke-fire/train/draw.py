"""Draws the training samples once, so that every fold and every attempt learns from the same samples.

    python draw.py --work DIR

Writes WORK/samples.bin (uint8), cells.npy (uint8: target, weight in 255ths) and samples.json. With WORK/mined.json (from
score.py --mine) a share of the clean crops (`mine_share` of params.toml) is taken where an earlier network was wrong.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from bank import Bank
from samples import Drawer

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())
CHUNK = 250


def chunk(args):
    work, n = args
    bank = Bank(work, PARAMS)
    mined = json.loads((work / "mined.json").read_text()) if (work / "mined.json").exists() else {}
    drawer = Drawer(bank, lambda _: True, {int(k): v for k, v in mined.items()})
    rng = np.random.default_rng([PARAMS["seed"], 1, n])
    pictures, cells, meta = [], [], []
    for _ in range(CHUNK):
        s, kind, used = drawer.draw(rng)
        pictures.append(np.stack([s.present, s.earlier]))
        cells.append((np.stack([s.target, s.weight]) * 255).round().astype(np.uint8))
        meta.append({"kind": kind, "not_for": used, "bag": s.bag})
    return np.stack(pictures), np.stack(cells), meta


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--jobs", type=int, default=2)
    args = ap.parse_args()
    cells, meta = [], []
    n = PARAMS["train"]["samples"] // CHUNK
    with open(args.work / "samples.bin", "wb") as f, Pool(args.jobs) as pool:
        for k, (p, c, m) in enumerate(pool.imap(chunk, [(args.work, k) for k in range(n)])):
            f.write(p.tobytes())
            cells.append(c)
            meta += m
            print(f"\r{(k + 1) * CHUNK} samples", end="", flush=True)
    np.save(args.work / "cells.npy", np.concatenate(cells))
    (args.work / "samples.json").write_text(json.dumps(meta))
    print()


if __name__ == "__main__":
    main()
