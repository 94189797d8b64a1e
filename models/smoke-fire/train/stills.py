"""Builds the fire bank: every still picture in the same few layouts, whatever it shows, through the trunk once.

    python stills.py --data DIR --work DIR

Needs WORK/trunk.onnx (prepare.py). Writes WORK/fire_s8.npy, fire_s16.npy, fire_region.npy, fire_target.npy and fire.json.
Flames, plumes and pictures without fire are laid out by one rule, so that neither the grey canvas nor an edge tells
anything. Layouts: 0 as the program does it, 1 filling the canvas, 2 laid into a scene, 3 off centre on grey.
"""

from __future__ import annotations

import argparse
import json
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image

import data as d
from prepare import PARAMS, Source, pick_watch, rng_of


def coarse(img: np.ndarray, rng) -> np.ndarray:
    """Sometimes fewer pixels: sharpness must not tell the collections apart."""
    h, w = img.shape[:2]
    long = int(rng.uniform(150, 384))
    if rng.random() < 0.5 and long < max(h, w):
        s = long / max(h, w)
        img = np.asarray(Image.fromarray(img).resize((max(1, round(w * s)), max(1, round(h * s))), Image.BILINEAR))
    return img


def glow(img: np.ndarray) -> np.ndarray:
    """How much each pixel looks like flame: bright and red over blue. 0..1."""
    x = img.astype(np.float32) / 255
    return np.clip((x[..., 0] - x[..., 2] - 0.15) * 4, 0, 1) * np.clip((x[..., 0] - 0.5) * 4, 0, 1)


def scene(src: Source, own: int, rng) -> np.ndarray:
    """A canvas without fire: a clean watch frame, or a landscape other than `own`."""
    if rng.random() < 0.6:
        event, variant, i, _ = pick_watch(src, rng)
        return src.watch_img(i, src.look(event, variant)[0])
    n = src.scenic[rng.integers(len(src.scenic))]
    if n == own:
        n = src.scenic[0] if own != src.scenic[0] else src.scenic[1]
    raw = d.read(src.root / "negatives/images" / src.neg[n]["image"])
    return d.crop((raw.shape[1], raw.shape[0]), 4 / 3, rng.uniform(1.0, 1.2), PARAMS, rng).apply(raw, PARAMS)


def lay(raw: np.ndarray, v: int, rng, background=None):
    """Picture -> canvas, geometry, share of each pixel that comes from the picture."""
    w, h = PARAMS["input"]["width"], PARAMS["input"]["height"]
    size = (raw.shape[1], raw.shape[0])
    if v == 0:
        geo = d.letterbox(size, PARAMS)
    elif v == 1:
        geo = d.crop(size, 4 / 3, rng.uniform(1.0, 1.5), PARAMS, rng)
    else:
        geo = d.crop(size, rng.choice([1.0, 4 / 3, 16 / 9, size[0] / size[1]]), rng.uniform(1.0, 1.4), PARAMS, rng)
        shrink = rng.uniform(0.35, 1.0) if v == 3 else np.exp(rng.uniform(np.log(0.1), np.log(0.7)))
        ww, hh = (max(24, int((geo.dst[k + 2] - geo.dst[k]) * shrink)) for k in (0, 1))
        x, y = int(rng.integers(0, w + 1 - ww)), int(rng.integers(0, h + 1 - hh))
        geo = d.Geometry(geo.src, (x, y, x + ww, y + hh), geo.flip)
    img = geo.apply(raw, PARAMS)
    x0, y0, x1, y1 = geo.dst
    share = np.zeros((h, w), np.float32)
    share[y0:y1, x0:x1] = 1
    if background is not None:
        yy, xx = np.mgrid[-1:1:(y1 - y0) * 1j, -1:1:(x1 - x0) * 1j]
        far = np.sqrt(xx**2 + yy**2) if rng.random() < 0.6 else np.maximum(np.abs(xx), np.abs(yy))
        edge = np.clip((1 - far) / rng.uniform(0.05, 0.5), 0, 1)
        warm = glow(img[y0:y1, x0:x1]) * edge
        share[y0:y1, x0:x1] = warm if rng.random() < 0.5 and warm.mean() > 0.03 else edge
        img = (img * share[..., None] + background * (1 - share[..., None])).astype(np.uint8)
    return img, geo, share


def cell_share(share: np.ndarray) -> np.ndarray:
    h, w = d.cells(PARAMS)
    return share.reshape(h, d.CELL, w, d.CELL).mean((1, 3))


def make(src: Source, task):
    """One task -> canvas, region that may hold fire [h, w], target [h, w] (-1 not known), meta."""
    folder, i, v = task
    rng = rng_of(8 if folder == "flame" else 9, i, v)
    r = (src.flame if folder == "flame" else src.neg)[i]
    raw = d.read(src.root / ("flame" if folder == "flame" else "negatives") / "images" / r["image"])
    if v:
        raw_size, raw = raw.shape, coarse(raw, rng)
        scale = raw.shape[1] / raw_size[1]
    else:
        scale = 1.0
    img, geo, share = lay(raw, v, rng, scene(src, -1 if folder == "flame" else i, rng) if v == 2 else None)
    if v:
        img = d.Light(rng, 0.6).apply(img, rng)
        if v != 2:
            img = d.bars(img, geo, PARAMS)
    fire = folder == "flame" and "flame" in r["class"]
    cells = cell_share(share)
    region = (cells > 0.15).astype(np.float32)
    if region.sum() == 0:
        region = (cells >= cells.max()).astype(np.float32)
    target = np.full_like(region, -1)
    if folder == "flame" and src.flame_boxes.get(r["image"]):
        boxes = [geo.box(tuple(k * scale for k in d.box_of(b))) for b in src.flame_boxes[r["image"]] if "fire" in b["label"]]
        boxes = [b for b in boxes if b]
        fire = bool(boxes)
        if fire:
            t, weight = d.box_target(boxes, PARAMS)
            target = np.where(weight > 0, t, -1)
            region = region * (t > 0) if (region * (t > 0)).sum() else region
    if not fire:
        target[:] = 0
    meta = {"kind": "flame" if fire else "negative", "what": r.get("kind", r.get("class")), "layout": v,
            "group": ("f" if folder == "flame" else "n") + str(i)}
    return img, region, target, meta


def tasks(src: Source) -> list[tuple]:
    """Layout by layout."""
    flame = [i for i, r in enumerate(src.flame) if r["split"] == "train"]
    return [t for v in range(PARAMS["fire"]["layouts"])
            for t in sorted([("flame", i, v) for i in flame] + [("negatives", i, v) for i in src.neg_train],
                            key=lambda t: (t[1] % 97, t))]


_state: dict = {}


def _init(root, work):
    import onnxruntime as ort

    opts = ort.SessionOptions()
    opts.intra_op_num_threads = 1
    _state["src"] = Source(Path(root))
    _state["net"] = ort.InferenceSession(str(Path(work) / "trunk.onnx"), opts, providers=["CPUExecutionProvider"])
    for name in ("s8", "s16", "region", "target"):
        _state[name] = np.load(Path(work) / f"fire_{name}.npy", mmap_mode="r+")


def _run(job):
    n, task = job
    img, region, target, meta = make(_state["src"], task)
    s8, s16 = _state["net"].run(None, {"x": d.tensor(img, PARAMS)[None]})
    _state["s8"][n], _state["s16"][n] = s8[0], s16[0]
    _state["region"][n], _state["target"][n] = region, target
    return meta


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--limit", type=int, help="only so many pictures, to try it out")
    args = ap.parse_args()

    todo = tasks(Source(args.data))[: args.limit]
    n, (h, w) = len(todo), d.cells(PARAMS)
    shapes = {"s8": (40, 2 * h, 2 * w), "s16": (112, h, w), "region": (h, w), "target": (h, w)}
    for name, shape in shapes.items():
        np.lib.format.open_memmap(args.work / f"fire_{name}.npy", "w+", np.float16, (n, *shape)).flush()
    meta: list = []
    with Pool(args.jobs, _init, (args.data, args.work)) as pool:
        for m in pool.imap(_run, list(enumerate(todo)), chunksize=16):
            meta.append(m)
            if len(meta) % 500 == 0:
                print(f"{len(meta)}/{n}", flush=True)
    (args.work / "fire.json").write_text(json.dumps(meta))


if __name__ == "__main__":
    main()
