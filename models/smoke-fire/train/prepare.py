"""Builds the feature bank: every picture, its variants and the rendered scenes, through the trunk once.

    python prepare.py --data DIR --work DIR [--office DIR ...]

Writes WORK/s8.npy, s16.npy (float16 features), target.npy, weight.npy (cells) and meta.json.
"""

from __future__ import annotations

import argparse
import json
import tomllib
import warnings
import zlib
from collections import defaultdict
from multiprocessing import Pool
from pathlib import Path

import numpy as np

import data as d
import plume

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())
KINDS = {"watch": 1, "composite": 2, "decoy": 3, "negative": 4, "negcomp": 5, "alert": 6, "flame": 7}


def rng_of(*key) -> np.random.Generator:
    return np.random.default_rng([PARAMS["seed"], *key])


def camera(row: dict) -> str:
    """A colour camera and the infrared one beside it count as one."""
    return row["camera"].removesuffix("-ir")


def number(event: str) -> int:
    """e07 -> 7; the incidents of an office have no number, so their checksum stands for it."""
    return int(event[1:]) if event[1:].isdigit() else zlib.crc32(event.encode())


class Source:
    """The tables, and every picture on the canvas by task."""

    def __init__(self, root: Path, offices=()):
        """`offices`: folders that `huoyan export-training` wrote; their rows follow the others'."""
        self.root = root
        self.watch = [r | {"at": at} for at in (root / "watch", *offices) for r in d.table(at / "watch.csv")]
        self.events = {r["event"]: r for r in d.table(root / "watch/events.csv")}
        self.neg = d.table(root / "negatives/labels.csv")
        self.alert = d.table(root / "alertwildfire/boxes.csv")
        self.flame = d.table(root / "flame/labels.csv")
        self.flame_boxes = defaultdict(list)
        for r in d.table(root / "flame/rkaxogus_boxes.csv"):
            self.flame_boxes[r["image"]].append(r)
        self.by_event = defaultdict(list)
        for i, r in enumerate(self.watch):
            self.by_event[r["event"]].append(i)
        self.clean = {e: [i for i in ids if not self.watch[i]["xmin"] and self.watch[i]["unsure"] == "0"]
                      for e, ids in self.by_event.items()}
        self.train_events = [e for e in self.by_event
                             if self.watch[self.by_event[e][0]]["split"] == "train" and len(self.clean[e]) > 5]
        self.neg_train = [i for i, r in enumerate(self.neg) if r["split"] == "train"]
        self.scenic = [i for i in self.neg_train if self.neg[i]["kind"] in ("landscape", "fog", "cloud", "sunrise")]

    def region(self, event: str):
        """About where smoke is in an event: middle of its boxes, else what the table says."""
        boxes = [d.box_of(self.watch[i]) for i in self.by_event[event] if self.watch[i]["xmin"]]
        if boxes:
            return tuple(np.median(np.array(boxes[: max(3, len(boxes) // 2)]), 0))
        e = self.events.get(event, {})
        if e.get("smoke_x"):
            x, y = float(e["smoke_x"]), float(e["smoke_y"])
            return (x - 28, y - 40, x + 28, y + 20)
        return None

    def size(self, i: int):
        """Pixels of a watch frame."""
        return int(self.watch[i].get("width", 640)), int(self.watch[i].get("height", 480))

    def look(self, event: str, variant: int):
        """Geometry and light that all frames of an event share in a variant."""
        rng = rng_of(10, number(event), variant)
        size = self.size(self.by_event[event][0])
        if variant == 0:
            return d.letterbox(size, PARAMS), d.Light(rng, 0.0)
        keep = self.region(event)
        if variant == 1:
            return d.crop(size, 4 / 3, rng.uniform(1.0, 1.5), PARAMS, rng, keep), d.Light(rng)
        return d.crop(size, 16 / 9, rng.uniform(1.0, 1.3), PARAMS, rng, keep), d.Light(rng)

    def watch_img(self, i: int, geo: d.Geometry, rng=None):
        img = d.read_watch(self.watch[i]["at"] / "images" / self.watch[i]["image"], PARAMS["prepare"]["text_rows"])
        w, h = self.size(i)
        if rng is not None:  # the mast sways a little
            dx, dy = rng.normal(0, 0.4, 2)
            x0, y0, x1, y1 = geo.src
            dx, dy = np.clip(dx, -x0, w - x1), np.clip(dy, -y0, h - y1)
            geo = d.Geometry((x0 + dx, y0 + dy, x1 + dx, y1 + dy), geo.dst, geo.flip)
        return geo.apply(img, PARAMS)

    def neg_look(self, i: int):
        rng = rng_of(20, i)
        img = d.read(self.root / "negatives/images" / self.neg[i]["image"])
        size = (img.shape[1], img.shape[0])
        if self.neg[i]["split"] == "val" or rng.random() < 0.25:
            geo = d.letterbox(size, PARAMS)
        else:
            geo = d.crop(size, 4 / 3 if rng.random() < 0.5 else 16 / 9, rng.uniform(1.0, 1.2), PARAMS, rng)
        return img, geo, d.Light(rng, 0.0 if self.neg[i]["split"] == "val" else 0.7)


def inside(geo: d.Geometry, a: np.ndarray) -> np.ndarray:
    """Nothing is drawn on the grey bars of the letterbox."""
    out = np.zeros_like(a)
    x0, y0, x1, y1 = geo.dst
    out[y0:y1, x0:x1] = a[y0:y1, x0:x1]
    return out


def add_plume(img: np.ndarray, geo: d.Geometry, rng):
    """Renders a plume on the ground. Returns picture, alpha, glow position or None."""
    frame = img.astype(np.float32) / 255
    h, w = img.shape[:2]
    x0, y0, x1, y1 = geo.dst
    sky = d.horizon(img[y0:y1, x0:x1]) + y0
    for _ in range(10):
        scale = float(np.exp(rng.uniform(np.log(11), np.log(75))))
        age = float(np.exp(rng.uniform(np.log(12), np.log(300))))
        ox = float(rng.uniform(x0 + 10, x1 - 10))
        line = sky[int(np.clip(ox - x0, 0, len(sky) - 1))]
        behind = rng.random() < 0.35
        depth = rng.uniform(0, 8) if behind else rng.uniform(0.0, 0.8) ** 1.5 * (y1 - line)
        oy = float(min(line + depth, y1 - 4))
        seed = int(rng.integers(0, 2**32))
        a = plume.alpha(h, w, (ox, oy), scale, age, rng.uniform(-1.4, 1.4), seed)
        a = inside(geo, a) * rng.uniform(0.4, 1.0)
        if behind:
            below = np.arange(h)[:, None] > np.concatenate(
                [np.full(x0, h), sky, np.full(w - x0 - len(sky), h)])[None] + 1
            a = a * ~below
        light = float(np.clip(np.quantile(frame[y0:y1, x0:x1].mean(2), 0.9), 0.45, 1.0)) * rng.uniform(0.95, 1.2)
        rgb = plume.colour(seed)
        kind = rng.random()
        if kind < 0.12:
            rgb = rgb * rng.uniform(0.3, 0.65) * np.array([1.04, 1.0, 0.95], np.float32)
        elif kind < 0.55:
            air = frame[max(y0, int(line) - 30):int(line) + 1, x0:x1].reshape(-1, 3).mean(0)
            m = rng.uniform(0.1, 0.6)
            rgb = rgb * (1 - m) + air * m
        out = plume.composite(frame, a, rgb.astype(np.float32), age, light)
        change = np.abs(out - frame).mean(2)
        if change.sum() > 6 and change[a > 0.4 * a.max()].mean() > 0.04:  # else nobody could see it
            break
    glow = None
    if scale > 25 and not behind and rng.random() < 0.2:
        s = rng.uniform(1.5, 5.0)
        yy, xx = np.mgrid[0:h, 0:w]
        g = np.exp(-((xx - ox) ** 2 + (1.2 * (yy - oy)) ** 2) / (2 * s * s)).astype(np.float32)[..., None]
        out = out * (1 - 0.9 * g) + 0.9 * g * np.array([1.0, rng.uniform(0.5, 0.8), 0.2], np.float32)
        glow = (ox, oy)
    return (np.clip(out, 0, 1) * 255).astype(np.uint8), a, glow


def add_decoy(img: np.ndarray, geo: d.Geometry, other: np.ndarray, rng) -> np.ndarray:
    """Something changes, but it is not smoke: an object, light, mist everywhere, a jolt, a cloud."""
    h, w = img.shape[:2]
    x0, y0, x1, y1 = geo.dst
    frame = img.astype(np.float32) / 255
    kind = rng.choice(["patch", "shadow", "veil", "jolt", "spot", "cloud"], p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.2])
    sky = d.horizon(img[y0:y1, x0:x1]) + y0
    if kind == "patch":
        for _ in range(int(rng.integers(1, 5))):
            pw, ph = (int(np.exp(rng.uniform(np.log(5), np.log(70)))) for _ in range(2))
            sx, sy = int(rng.integers(0, w - pw)), int(rng.integers(80, h - 80 - ph)) if ph < h - 170 else 80
            tx, ty = int(rng.integers(x0, max(x0 + 1, x1 - pw))), int(rng.integers(y0, max(y0 + 1, y1 - ph)))
            yy, xx = np.mgrid[-1:1:ph * 1j, -1:1:pw * 1j]
            m = ((xx**2 + yy**2 <= 1) if rng.random() < 0.6 else np.ones((ph, pw), bool))[..., None]
            src = other[sy:sy + ph, sx:sx + pw].astype(np.float32) / 255
            hh, ww = min(ph, y1 - ty, src.shape[0]), min(pw, x1 - tx, src.shape[1])
            frame[ty:ty + hh, tx:tx + ww] = np.where(m[:hh, :ww], src[:hh, :ww], frame[ty:ty + hh, tx:tx + ww])
    elif kind == "shadow":
        c = rng.uniform(60, 260)
        n = plume.value_noise(np.arange(w) / c, np.arange(h) / (c * rng.uniform(0.3, 0.8)), int(rng.integers(1 << 30)))
        edge = rng.uniform(2, 8)
        field = 1 / (1 + np.exp(-(n - 0.5) * edge * 2)) - 0.5
        field[: int(np.median(sky))] *= rng.uniform(0, 1)
        frame = frame * (1 + field * rng.uniform(0.2, 0.8) * rng.choice([-1, 1]))[..., None]
    elif kind == "veil":
        n = plume.value_noise(np.arange(w) / rng.uniform(300, 700), np.arange(h) / 200, int(rng.integers(1 << 30)))
        fall = np.exp(-np.abs(np.arange(h) - np.median(sky)) / rng.uniform(60, 400))[:, None]
        a = (rng.uniform(0.1, 0.55) * fall * (0.7 + 0.6 * n)).clip(0, 0.9)[..., None]
        frame = frame * (1 - a) + a * rng.uniform(0.6, 0.9)
    elif kind == "jolt":
        dx, dy = rng.integers(-5, 6, 2)
        frame = np.roll(frame, (dy, dx), (0, 1)) * rng.uniform(0.8, 1.2)
    elif kind == "spot":
        for _ in range(int(rng.integers(1, 6))):
            x, y, r = rng.integers(x0, x1), rng.integers(int((y0 + y1) / 2), y1), int(rng.integers(1, 4))
            frame[max(y0, y - r):y + r, max(x0, x - r):x + r] = rng.choice([0.02, 0.97])
    else:
        a = np.zeros((h, w), np.float32)
        xx, yy = np.arange(w)[None], np.arange(h)[:, None]
        for _ in range(int(rng.integers(2, 14))):
            cx = rng.uniform(x0, x1)
            cy = rng.uniform(y0, max(y0 + 5, np.median(sky) - 15))
            s = rng.uniform(6, 40)
            a += rng.uniform(0.2, 0.7) * np.exp(-((xx - cx) ** 2 / (2 * (2.2 * s) ** 2) + (yy - cy) ** 2 / (2 * (0.6 * s) ** 2)))
        line = np.concatenate([np.full(x0, 0), sky, np.full(w - x0 - len(sky), 0)])
        a = (1 - np.exp(-a)) * (yy < line[None])
        frame = frame * (1 - a[..., None]) + a[..., None] * rng.uniform(0.8, 1.0)
    out = (np.clip(frame, 0, 1) * 255).astype(np.uint8)
    return d.bars(out, geo, PARAMS)


def alpha_target(a: np.ndarray):
    h, w = d.cells(PARAMS)
    m = a.reshape(h, d.CELL, w, d.CELL).mean((1, 3))
    target = np.clip(m / 0.22, 0, 1)
    target[target < 0.3] = 0
    weight = np.ones_like(target)
    weight[(m > 0.012) & (target == 0)] = 0
    peak = np.unravel_index(m.argmax(), m.shape)
    target[peak], weight[peak] = max(target[peak], 0.9), 1
    return target, weight


def tasks(src: Source) -> list[tuple]:
    p = PARAMS["prepare"]
    out = []
    for i, r in enumerate(src.watch):
        variants = p["watch_variants"] if r["split"] == "train" and int(r["minute_index"]) % 2 == 0 else 1
        out += [("watch", i, v) for v in range(variants)]
    for i in src.neg_train:
        out += [("negative", i, v) for v in range(2)]
    out += [("composite", k, 0) for k in range(p["composites"])]
    out += [("negcomp", k, 0) for k in range(p["negative_composites"])]
    out += [("decoy", k, 0) for k in range(p["decoys"])]
    for i, r in enumerate(src.alert):
        out += [("alert", i, v) for v in range(p["alert_variants"])] if r["split"] == "train" else []
    out += [("flame", i, 0) for i, r in enumerate(src.flame) if r["split"] == "train"]
    return sorted(out, key=lambda t: (t[1] % 97, t))  # all kinds from the start


def pick_watch(src: Source, rng):
    """A clean train frame and another clean one some minutes away, in the same variant."""
    event = src.train_events[rng.integers(len(src.train_events))]
    variant = int(rng.integers(PARAMS["prepare"]["watch_variants"]))
    ids = [i for i in src.clean[event] if variant == 0 or int(src.watch[i]["minute_index"]) % 2 == 0]
    i = ids[rng.integers(len(ids))]
    m = int(src.watch[i]["minute_index"])
    near = [j for j in ids if 1 <= abs(int(src.watch[j]["minute_index"]) - m) <= 8] or [i]
    return event, variant, i, near[rng.integers(len(near))]


def make(src: Source, task):
    """One task -> canvas picture, target [2, h, w], weight [2, h, w], meta."""
    kind, i, v = task
    rng = rng_of(KINDS[kind], i, v)
    h, w = d.cells(PARAMS)
    target, weight = np.zeros((2, h, w), np.float32), np.ones((2, h, w), np.float32)
    meta = {"kind": kind, "split": "train", "label": [0, 0], "use": [1, 1]}
    if kind == "watch":
        r = src.watch[i]
        geo, light = src.look(r["event"], v)
        img = src.watch_img(i, geo, rng if v else None)
        if v:
            img = light.apply(img, rng)
        meta |= {"split": r["split"], "group": camera(r), "event": r["event"], "variant": v, "row": i,
                 "minute": int(r["minute_index"])}
        box = d.box_of(r)
        on = geo.box(box) if box else None
        if box:
            meta["kind"], meta["label"] = "boxed", [1, 0]
            if on:
                target[0], weight[0] = d.box_target([on], PARAMS)
            if not on or r.get("class") == "fire":  # flames are the fire branch's, which learns from stills
                meta["kind"] = "unused"
        elif r["unsure"] == "0":
            meta["kind"] = "clean"
        else:
            meta["kind"], meta["use"] = "unused", [0, 1]
            region, seen = src.region(r["event"]), src.events.get(r["event"], {}).get("smoke_seen_minute")
            if region and seen and int(r["minute_index"]) >= int(seen) and geo.box(region):
                meta["kind"], meta["label"] = "weak", [1, 0]
                target[0], _ = d.box_target([geo.box(region)], PARAMS)
                weight[0] = 0
    elif kind in ("composite", "decoy") and not (kind == "decoy" and rng.random() < 0.3):
        event, variant, a_i, b_i = pick_watch(src, rng)
        geo, light = src.look(event, variant)
        img = src.watch_img(a_i, geo, rng if variant else None)
        meta |= {"group": camera(src.watch[a_i]), "earlier": ["watch", b_i, variant]}
        if kind == "composite":
            img, a, glow = add_plume(img, geo, rng)
            target[0], weight[0] = alpha_target(a)
            meta["label"] = [1, int(glow is not None)]
            if glow:
                weight[1] = 0.2
                target[1][int(glow[1] // d.CELL), int(glow[0] // d.CELL)] = 1
                weight[1][int(glow[1] // d.CELL), int(glow[0] // d.CELL)] = 1
        else:
            other = src.watch_img(src.clean[event][rng.integers(len(src.clean[event]))], d.letterbox((640, 480), PARAMS))
            if rng.random() < 0.5:
                event2 = src.train_events[rng.integers(len(src.train_events))]
                other = src.watch_img(src.clean[event2][0], d.letterbox((640, 480), PARAMS))
            img = add_decoy(img, geo, other, rng)
        if variant:
            img = light.apply(img, rng)
    elif kind in ("negcomp", "decoy"):
        n = src.scenic[rng.integers(len(src.scenic))]
        raw, geo, light = src.neg_look(n)
        img = geo.apply(raw, PARAMS)
        meta |= {"group": f"n{n}", "earlier": ["negative", n, int(rng.integers(2))]}
        if kind == "negcomp":
            img, a, glow = add_plume(img, geo, rng)
            meta["kind"] = "composite"
            target[0], weight[0] = alpha_target(a)
            meta["label"] = [1, 0]
            meta["use"] = [1, int(glow is None)]
            weight[1] *= glow is None
        else:
            other = src.neg_look(src.scenic[rng.integers(len(src.scenic))])
            img = add_decoy(img, geo, other[1].apply(other[0], PARAMS), rng)
        img = light.apply(img, rng)
    elif kind == "negative":
        raw, geo, light = src.neg_look(i)
        r = src.neg[i]
        if r["split"] == "train" and rng_of(21, i).random() < 0.15:  # like the erased lines of alert/
            g = rng_of(21, i)
            hh, ww = raw.shape[:2]
            x, y = g.uniform(0, ww * 0.7), g.uniform(0, hh * 0.7)
            d.erase_rectangle(raw, (x, y, x + g.uniform(10, ww * 0.3), y + g.uniform(10, hh * 0.3)), 2)
        img = light.apply(geo.apply(raw, PARAMS), rng, 1.0 if r["split"] == "train" else 0.3 * v)
        meta |= {"split": r["split"], "group": f"n{i}", "earlier": ["negative", i, 1 - v], "what": r["kind"]}
    elif kind == "alert":
        r = src.alert[i]
        box = d.box_of(r)
        raw = d.read_alert(src.root / "alertwildfire/images" / r["image"], box)
        geo = d.letterbox((1280, 720), PARAMS)
        if v:
            geo = d.crop((1280, 720), 16 / 9 if v < 3 else 4 / 3, rng.uniform(1.0, 1.8), PARAMS, rng, box)
        img = geo.apply(raw, PARAMS)
        if v:
            img = d.Light(rng).apply(img, rng)
        on = geo.box(box)
        if on:
            target[0], weight[0] = d.box_target([on], PARAMS)
        else:
            meta["kind"] = "unused"
        weight[1] = 0.3
        meta |= {"split": r["split"], "group": "a" + r["event"], "label": [1, 0], "use": [1, 0]}
    else:
        r = src.flame[i]
        raw = d.read(src.root / "flame/images" / r["image"])
        train = r["split"] == "train"
        geo = d.letterbox((raw.shape[1], raw.shape[0]), PARAMS)
        if train:
            geo = d.crop((raw.shape[1], raw.shape[0]), 4 / 3, 1.0, PARAMS, rng) if rng.random() < 0.5 else geo
            shrink = rng.uniform(0.35, 1.0)  # near views: show some of them far away
            x0, y0, x1, y1 = geo.dst
            ww, hh = int((x1 - x0) * shrink), int((y1 - y0) * shrink)
            x, y = int(rng.integers(0, 641 - ww)), int(rng.integers(0, 481 - hh))
            geo = d.Geometry(geo.src, (x, y, x + ww, y + hh), geo.flip)
        img = geo.apply(raw, PARAMS)
        if train:
            img = d.Light(rng, 0.5).apply(img, rng)
        weight[:] = 0
        x0, y0, x1, y1 = geo.dst
        grid_x, grid_y = (np.arange(w) + 0.5) * d.CELL, (np.arange(h) + 0.5) * d.CELL
        grey = ~((grid_x > x0 - 16) & (grid_x < x1 + 16))[None] | ~((grid_y > y0 - 16) & (grid_y < y1 + 16))[:, None]
        weight[:, grey] = 0.5
        flame, smoke = "flame" in r["class"], "plume" in r["class"]
        meta |= {"split": r["split"], "group": f"f{i}", "label": [int(smoke), int(flame)],
                 "use": [int(smoke), 1]}
        boxes = src.flame_boxes.get(r["image"])
        if boxes:
            fire = [geo.box(d.box_of(b)) for b in boxes if "fire" in b["label"]]
            smokes = [geo.box(d.box_of(b)) for b in boxes if "smoke" in b["label"]]
            fire, smokes = [b for b in fire if b], [b for b in smokes if b]
            target[1], weight[1] = d.box_target(fire, PARAMS)
            target[0], weight[0] = d.box_target(smokes, PARAMS)
            weight[0][weight[0] > 0] = 0.3 if not smokes else 1
            meta["label"], meta["use"] = [int(bool(smokes)), int(bool(fire))], [int(bool(smokes)), 1]
    return d.bars(img, geo, PARAMS), target, weight, meta


_state: dict = {}


def _init(root, work, offices):
    import onnxruntime as ort

    opts = ort.SessionOptions()
    opts.intra_op_num_threads = 1
    _state["src"] = Source(Path(root), offices)
    _state["net"] = ort.InferenceSession(str(Path(work) / "trunk.onnx"), opts, providers=["CPUExecutionProvider"])
    for name in ("s8", "s16", "target", "weight"):
        _state[name] = np.load(Path(work) / f"{name}.npy", mmap_mode="r+")


def _run(job):
    n, task = job
    img, target, weight, meta = make(_state["src"], task)
    s8, s16 = _state["net"].run(None, {"x": d.tensor(img, PARAMS)[None]})
    _state["s8"][n], _state["s16"][n] = s8[0], s16[0]
    _state["target"][n], _state["weight"][n] = target, weight
    return n, meta


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--office", type=Path, action="append", default=[])
    ap.add_argument("--jobs", type=int, default=2)
    args = ap.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)

    import torch

    from net import C8, C16, Trunk

    warnings.simplefilter("ignore")
    h, w = PARAMS["input"]["height"], PARAMS["input"]["width"]
    torch.onnx.export(Trunk().load_imagenet().eval(), torch.zeros(1, 3, h, w), str(args.work / "trunk.onnx"),
                      opset_version=13, input_names=["x"], output_names=["s8", "s16"])
    todo = tasks(Source(args.data, args.office))
    n = len(todo)
    shapes = {"s8": (C8, h // 8, w // 8), "s16": (C16, h // 16, w // 16), "target": (2, h // 16, w // 16),
              "weight": (2, h // 16, w // 16)}
    for name, shape in shapes.items():
        np.lib.format.open_memmap(args.work / f"{name}.npy", "w+", np.float16, (n, *shape)).flush()
    meta: list = [None] * n
    with Pool(args.jobs, _init, (args.data, args.work, args.office)) as pool:
        for done, (k, m) in enumerate(pool.imap_unordered(_run, list(enumerate(todo)), chunksize=16)):
            meta[k] = m
            if done % 500 == 0:
                print(f"{done}/{n}", flush=True)
    where = {t: k for k, t in enumerate(todo)}
    for m in meta:
        if "earlier" in m:
            m["earlier"] = where[tuple(m["earlier"])]
    (args.work / "meta.json").write_text(json.dumps(meta))


if __name__ == "__main__":
    main()
