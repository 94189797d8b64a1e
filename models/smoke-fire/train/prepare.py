"""Packs every picture into one array, and makes the mattes: smoke as opacity and colour, to be composited onto other frames.

    python prepare.py --data DIR [--office DIR ...] --work DIR
    python prepare.py --data DIR --lawful --work DIR      only sources whose stated licence allows an office to use the weights

Writes WORK/pixels.bin (uint8 RGB, one picture after the other), WORK/pictures.json, WORK/mattes.npy and WORK/mattes.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tomllib
from pathlib import Path

import numpy as np
from PIL import Image

import data as d
import plume

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


def watch_rows(folder: Path, office: bool):
    """Rows of a fixed-camera table. `office`: the output of `huoyan export-training`, with frames of any size."""
    for r in d.table(folder / "watch.csv"):
        path, box, unsure = folder / "images" / r["image"], d.box_of(r), r["unsure"] == "1"
        if office:
            img = Image.fromarray(d.read(path))
            s = min(640 / img.width, 480 / img.height)
            box = box and tuple(v * s for v in box)
            img = np.asarray(img.resize((round(img.width * s), round(img.height * s)), Image.BOX))
            if r["class"] == "fire":  # a box around flames does not show where smoke is
                box, unsure = None, True
        else:
            img = d.read_watch(path, PARAMS["prepare"]["text_rows"])
        yield img, {"kind": "watch", "split": r["split"], "camera": r["camera"].removesuffix("-ir"), "event": r["event"],
                    "fire": r["fire"], "minute": int(r["minute_index"]), "box": box, "unsure": unsure, "image": r["image"],
                    "captured_at": r["captured_at"].replace("Z", "")}


def photo_rows(root: Path):
    for r in d.table(root / "negatives/labels.csv"):
        yield d.read(root / "negatives/images" / r["image"]), {"kind": "photo", "what": r["kind"], "split": r["split"]}
    for r in d.table(root / "alertwildfire/boxes.csv"):
        box = d.box_of(r)
        img = d.read_alert(root / "alertwildfire/images" / r["image"], box)
        img = np.asarray(Image.fromarray(img).resize((640, 360), Image.BOX))
        yield img, {"kind": "alert", "split": r["split"], "event": r["event"], "box": tuple(v / 2 for v in box)}
    boxes: dict = {}
    for r in d.table(root / "flame/rkaxogus_boxes.csv"):
        boxes.setdefault(r["image"], []).append([r["label"], *d.box_of(r)])
    for r in d.table(root / "flame/labels.csv"):
        yield d.read(root / "flame/images" / r["image"]), {"kind": "flame", "what": r["class"], "split": r["split"],
                                                           "boxes": boxes.get(r["image"])}


def lawful_rows(folder: Path):
    """Pictures whose source states CC BY or CC0. A picture with a near copy in another folder is left out: it would leak."""
    boxes: dict = {}
    for r in d.table(folder / "boxes.csv"):
        boxes.setdefault(r["image"], []).append([r["class"], *(float(r[k]) for k in ("x", "y", "w", "h"))])
    for r in d.table(folder / "labels.csv"):
        if r["also_in"]:
            continue
        img, kinds = d.read(folder / "images" / r["image"]), r["kind"].split(";")
        h, w = img.shape[:2]
        on = [[c, x * w, y * h, (x + bw) * w, (y + bh) * h] for c, x, y, bw, bh in boxes.get(r["image"], [])]
        meta = {"split": "train", "source": r["source"], "basis": r["licence_basis"], "group": r["group"], "image": r["image"]}
        negative = [k.removeprefix("negative_") for k in kinds if k.startswith("negative_")]
        if negative:
            yield img, meta | {"kind": "photo", "what": "sunrise" if negative[0] == "sun" else negative[0]}
        else:
            yield img, meta | {"kind": "lawful", "what": kinds, "boxes": on}


def ground_rows(root: Path):
    """Landscapes whose authors granted CC BY or CC0, cropped to views of a fixed camera: random crops at three scales."""
    lawful = [r["image"] for r in d.table(root / "lawful/labels.csv") if r["source"] in ("elementary", "lomiri")]
    paths = [*sorted((root / "photos").glob("*.jpg")), *(root / "lawful/images" / name for name in lawful)]
    for n, path in enumerate(paths):
        full = Image.open(path).convert("RGB")
        for width in (700, 1000, 1400):
            img = np.asarray(full.resize((width, max(480, round(full.height * width / full.width))), Image.BOX))
            rng = np.random.default_rng([PARAMS["seed"], 11, n, width])
            for _ in range(width // 100):
                x, y = int(rng.integers(0, img.shape[1] - 639)), int(rng.integers(0, img.shape[0] - 479))
                yield img[y:y + 480, x:x + 640], {"kind": "ground", "split": "train", "event": path.stem}


def lawful_release(root: Path):
    """All pictures that a lawful release learns from, besides rendered plumes and the overlay clip."""
    yield from ground_rows(root)
    yield from lawful_rows(root / "lawful")
    for img, meta in photo_rows(root):
        if meta["kind"] == "flame" and meta["boxes"]:  # rkaxogus: CC BY 4.0, as its uploader states
            yield img, meta | {"split": "train"}


def pack(rows, out: Path) -> list[dict]:
    index, at = [], 0
    with open(out / "pixels.bin", "wb") as f:
        for img, meta in rows:
            f.write(np.ascontiguousarray(img).tobytes())
            index.append(meta | {"at": at, "h": img.shape[0], "w": img.shape[1]})
            at += img.size
    return index


def blur(a: np.ndarray) -> np.ndarray:
    """Mean of 3x3 pixels."""
    for axis in (0, 1):
        p = np.pad(a, [(1, 1) if i == axis else (0, 0) for i in (0, 1)], mode="edge")
        a = (np.take(p, range(p.shape[axis] - 2), axis) + a + np.take(p, range(2, p.shape[axis]), axis)) / 3
    return a


def lift(img: np.ndarray, before: np.ndarray, box):
    """The smoke of a boxed frame as (opacity [h, w], colour [3]), by comparison with the same view before the fire. None if the
    smoke does not stand out enough from its background."""
    h, w = img.shape[:2]
    x0, y0, x1, y1 = box
    gx, gy = 0.25 * (x1 - x0) + 4, 0.25 * (y1 - y0) + 4
    a0, b0 = max(0, int(x0 - gx)), max(0, int(y0 - gy))
    a1, b1 = min(w, int(x1 + gx) + 1), min(h, int(y1 + gy) + 1)
    i, b = (v[b0:b1, a0:a1].astype(np.float32) / 255 for v in (img, before))
    change = i - b
    strong = np.abs(change).mean(2)
    top = strong >= np.quantile(strong, 0.9)
    colour = i[top].mean(0) + 0.6 * change[top].mean(0)
    colour = np.clip(colour, 0, 1)
    away = colour - b
    size = (away**2).sum(2)
    alpha = (change * away).sum(2) / np.maximum(size, 0.02)
    alpha = blur(np.where(size > 0.03, alpha, 0).clip(0, 1))
    alpha = np.clip((alpha - 0.06) / 0.94, 0, 0.95)
    yy, xx = np.mgrid[b0:b1, a0:a1]
    edge = np.minimum.reduce([(xx - a0) / gx, (a1 - 1 - xx) / gx, (yy - b0) / gy, (b1 - 1 - yy) / gy]).clip(0, 1)
    alpha = alpha * edge
    inside = alpha[int(y0 - b0):int(y1 - b0) + 1, int(x0 - a0):int(x1 - a0) + 1]
    outside = alpha.sum() - inside.sum()
    if inside.mean() < 0.08 or alpha.max() < 0.25 or outside > inside.sum():
        return None
    return alpha, colour


def real_mattes(index: list[dict], pixels):
    """Smoke extracted from boxed frames: every second boxed frame of an event, to limit the share of long fires."""
    events: dict = {}
    for k, m in enumerate(index):
        if m["kind"] == "watch":
            events.setdefault(m["event"], []).append(k)
    for event, ids in events.items():
        clean = [k for k in ids if not index[k]["box"] and not index[k]["unsure"]][-9:]
        boxed = [k for k in ids if index[k]["box"]][::2]
        if len(clean) < 3 or not boxed:
            continue
        before = np.median([pixels(k) for k in clean], 0)
        for k in boxed:
            got = lift(pixels(k), before, index[k]["box"])
            if got:
                yield got[0], got[1], event


def rendered_mattes(n: int):
    for k in range(n):
        rng = np.random.default_rng([PARAMS["seed"], 7, k])
        scale = float(np.exp(rng.uniform(np.log(14), np.log(70))))
        age = float(np.exp(rng.uniform(np.log(12), np.log(300))))
        a = plume.alpha(360, 480, (240.0, 330.0), scale, age, rng.uniform(-1.4, 1.4), int(rng.integers(2**32)))
        yield a, plume.colour(k), None


def overlay_mattes(path: Path, n: int):
    """From a clip of white smoke on black, whose brightness is the opacity; decoded with the GStreamer command line."""
    if not path.exists():
        return
    run = subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "decodebin", "!", "videoconvert", "!",
                          "videoscale", "!", "video/x-raw,format=GRAY8,width=640,height=360", "!", "fdsink"],
                         capture_output=True, check=True)
    frames = np.frombuffer(run.stdout, np.uint8).reshape(-1, 360, 640)
    for i in np.linspace(0, len(frames) - 1, min(n, len(frames))).astype(int):
        a = np.clip(frames[i].astype(np.float32) / 255 * 1.15 - 0.04, 0, 0.95)
        if a.max() > 0.3:
            yield a, np.array([0.82, 0.82, 0.83], np.float32), None


def trim(a: np.ndarray, side: int = 240):
    """The part with smoke, resized to at most `side` pixels, as uint8."""
    rows, cols = np.flatnonzero(a.max(1) > 0.03), np.flatnonzero(a.max(0) > 0.03)
    a = a[rows[0]:rows[-1] + 1, cols[0]:cols[-1] + 1]
    if max(a.shape) > side:
        s = side / max(a.shape)
        a = np.asarray(Image.fromarray(a).resize((max(2, round(a.shape[1] * s)), max(2, round(a.shape[0] * s))), Image.BOX))
    return (a * 255).astype(np.uint8)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--office", type=Path, action="append", default=[], help="what `huoyan export-training` wrote")
    ap.add_argument("--lawful", action="store_true")
    ap.add_argument("--work", type=Path, required=True)
    args = ap.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)

    def rows():
        yield from watch_rows(args.data / "watch", False)
        for office in args.office:
            yield from watch_rows(office, True)
        yield from photo_rows(args.data)
        yield from lawful_rows(args.data / "lawful")

    index = pack(lawful_release(args.data) if args.lawful else rows(), args.work)
    for e in d.table(args.data / "watch/events.csv"):
        if e["smoke_seen_minute"] and e["smoke_x"]:
            for m in index:
                if m.get("event") == e["event"] and m["kind"] == "watch":
                    m["seen"] = [int(e["smoke_seen_minute"]), float(e["smoke_x"]), float(e["smoke_y"])]
    (args.work / "pictures.json").write_text(json.dumps(index))
    pixels = d.Pixels(args.work)
    p = PARAMS["prepare"]
    sources = {"real": real_mattes(index, pixels), "rendered": rendered_mattes(p["rendered_mattes"]),
               "overlay": overlay_mattes(args.data / "overlay/test_smoke.mp4", p["overlay_mattes"])}
    alphas, meta, at = [], [], 0
    for source, mattes in sources.items():
        for a, colour, event in mattes:
            a = trim(a)
            alphas.append(a.ravel())
            meta.append({"source": source, "event": event, "at": at, "h": a.shape[0], "w": a.shape[1],
                         "colour": [float(c) for c in colour]})
            at += a.size
        print(source, sum(m["source"] == source for m in meta), "mattes", flush=True)
    np.save(args.work / "mattes.npy", np.concatenate(alphas))
    (args.work / "mattes.json").write_text(json.dumps(meta))
    print(len(index), "pictures")


if __name__ == "__main__":
    main()
