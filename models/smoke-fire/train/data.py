"""Reads the pictures: tables, letterbox, removal of text and marks, and changes of geometry and light."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

CELL = 16


def table(path: Path) -> list[dict]:
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def box_of(row: dict):
    """(x0, y0, x1, y1) or None."""
    return tuple(float(row[k]) for k in ("xmin", "ymin", "xmax", "ymax")) if row.get("xmin") else None


def read(path: Path) -> np.ndarray:
    """RGB, uint8 [H, W, 3]."""
    return np.asarray(Image.open(path).convert("RGB")).copy()


def read_watch(path: Path, text_rows: int) -> np.ndarray:
    """A watch frame; the row below the burnt-in text is painted over its rows."""
    img = read(path)
    img[:text_rows] = img[text_rows]
    return img


def fill_band(img: np.ndarray, lo: int, hi: int, a: int, b: int, axis: int) -> None:
    """Fills rows (axis 0) or columns (axis 1) lo..hi between a and b, interpolated from the two sides of the band."""
    view = img if axis == 0 else img.transpose(1, 0, 2)
    n = view.shape[0]
    lo, hi, a = max(0, lo), min(n, hi), max(0, a)
    first = view[max(0, lo - 1), a:b].astype(np.float32) if lo > 0 else view[min(n - 1, hi), a:b].astype(np.float32)
    last = view[min(n - 1, hi), a:b].astype(np.float32) if hi < n else first
    t = ((np.arange(lo, hi) - lo + 1) / (hi - lo + 1))[:, None, None]
    view[lo:hi, a:b] = (first[None] * (1 - t) + last[None] * t).astype(np.uint8)


def erase_rectangle(img: np.ndarray, box, margin: int) -> None:
    """Paints over the outline of `box` and `margin` pixels on both sides of it."""
    x0, y0, x1, y1 = (round(v) for v in box)
    for y in (y0, y1):
        fill_band(img, y - margin, y + margin + 1, x0 - margin, x1 + margin + 1, 0)
    for x in (x0, x1):
        fill_band(img, x - margin, x + margin + 1, y0 - margin, y1 + margin + 1, 1)


def read_alert(path: Path, box) -> np.ndarray:
    """An AlertWildfire frame without its red line, logos and text line."""
    img = read(path)
    erase_rectangle(img, box, 6)
    img[-16:] = img[-17]
    for xs in (slice(0, 220), slice(-220, None)):
        img[:84, xs] = img[84, xs]
    return img


class Pixels:
    """The pictures that prepare.py packed, read from disk on access."""

    def __init__(self, work: Path):
        self.index = json.loads((work / "pictures.json").read_text())
        self.bytes = np.memmap(work / "pixels.bin", np.uint8, "r")

    def __call__(self, k: int) -> np.ndarray:
        """RGB, uint8 [H, W, 3]."""
        m = self.index[k]
        return self.bytes[m["at"]:m["at"] + m["h"] * m["w"] * 3].reshape(m["h"], m["w"], 3)


@dataclass
class Geometry:
    """Source rectangle -> rectangle on the network's canvas."""

    src: tuple  # x0, y0, x1, y1 in the picture
    dst: tuple  # x0, y0, x1, y1 on the canvas

    def apply(self, img: np.ndarray, params: dict) -> np.ndarray:
        w, h = params["input"]["width"], params["input"]["height"]
        x0, y0, x1, y1 = self.dst
        part = Image.fromarray(img).resize((x1 - x0, y1 - y0), Image.BILINEAR, box=self.src)
        out = np.full((h, w, 3), params["input"]["letterbox"], np.uint8)
        out[y0:y1, x0:x1] = np.asarray(part)
        return out


def letterbox(size, params: dict) -> Geometry:
    """The program's own letterbox: scaled to fit, centred, padded with grey."""
    w, h = size
    cw, ch = params["input"]["width"], params["input"]["height"]
    s = min(cw / w, ch / h)
    nw, nh = max(1, round(w * s)), max(1, round(h * s))
    x, y = (cw - nw) // 2, (ch - nh) // 2
    return Geometry((0, 0, w, h), (x, y, x + nw, y + nh))


@dataclass
class Cut:
    """A square part of a picture, resized to the network's crop and mirrored if `flip`."""

    x: float
    y: float
    side: float
    size: int
    flip: bool

    def image(self, img: np.ndarray, dx: float = 0.0, dy: float = 0.0) -> np.ndarray:
        h, w = img.shape[:2]
        x, y = np.clip(self.x + dx, 0, w - self.side), np.clip(self.y + dy, 0, h - self.side)
        part = Image.fromarray(img[int(y):int(y + self.side) + 2, int(x):int(x + self.side) + 2])
        box = (x - int(x), y - int(y), min(part.width, x - int(x) + self.side), min(part.height, y - int(y) + self.side))
        out = np.asarray(part.resize((self.size, self.size), Image.BILINEAR, box=box))
        return out[:, ::-1].copy() if self.flip else out.copy()

    def box(self, b):
        s = self.size / self.side
        x0, x1 = (b[0] - self.x) * s, (b[2] - self.x) * s
        if self.flip:
            x0, x1 = self.size - x1, self.size - x0
        y0, y1 = (b[1] - self.y) * s, (b[3] - self.y) * s
        full = max(1e-6, (x1 - x0) * (y1 - y0))
        c = [float(np.clip(v, 0, self.size)) for v in (x0, y0, x1, y1)]
        seen = (c[2] - c[0]) * (c[3] - c[1]) / full
        return c, seen


class Light:
    """Random light: colour, contrast and haze that a whole event shares, and small changes for each frame."""

    def __init__(self, rng, strength: float = 1.0):
        s = strength
        self.gain = 1 + s * rng.uniform(-0.2, 0.2)
        self.gamma = np.exp(s * rng.uniform(-0.25, 0.25))
        self.saturation = 0.0 if rng.random() < 0.2 * s else 1 + s * rng.uniform(-0.4, 0.3)
        self.tint = 1 + s * rng.uniform(-0.05, 0.05, 3)
        self.haze = s * max(0.0, rng.uniform(-0.4, 0.35))
        self.blur = s * max(0.0, rng.uniform(-1.0, 0.9))
        self.noise = s * max(0.0, rng.uniform(-0.02, 0.02))

    def apply(self, img: np.ndarray, rng, small: float = 1.0) -> np.ndarray:
        if self.blur > 0.2:
            img = np.asarray(Image.fromarray(img).filter(ImageFilter.GaussianBlur(self.blur)))
        curve = (np.arange(256) / 255) ** (self.gamma * np.exp(small * rng.uniform(-0.05, 0.05)))
        x = curve.astype(np.float32)[img]
        grey = x[..., 1:2] * (1 - self.saturation)
        gain = self.gain * (1 + small * rng.uniform(-0.05, 0.05))
        base = 0.75 * self.haze * gain + small * rng.uniform(-0.01, 0.01)
        x = (x * self.saturation + grey) * np.float32(self.tint * (gain * (1 - self.haze))) + np.float32(base)
        if self.noise > 0:
            x = x + rng.normal(0, self.noise, x.shape[:2]).astype(np.float32)[..., None]
        out = (np.clip(x, 0, 1) * 255).astype(np.uint8)
        if rng.random() < 0.15:
            out = codec(out, rng)
        if rng.random() < 0.3 * small:
            buf = io.BytesIO()
            Image.fromarray(out).save(buf, "JPEG", quality=int(rng.integers(45, 90)))
            out = np.asarray(Image.open(buf))
        return out


def codec(img: np.ndarray, rng) -> np.ndarray:
    """Imitates a sub-stream of 128 to 512 kbit/s: fine texture is lost and blocks are coarse."""
    h, w = img.shape[:2]
    s = rng.uniform(1.2, 2.4)
    small = Image.fromarray(img).resize((max(16, round(w / s)), max(16, round(h / s))), Image.BOX)
    buf = io.BytesIO()
    small.resize((w, h), Image.BICUBIC).save(buf, "JPEG", quality=int(rng.integers(18, 45)))
    return np.asarray(Image.open(buf))


def tiles(img: np.ndarray) -> list[tuple]:
    """The program's tiles (src/engine/tiles.rs): three of half the frame's width and height, side by side along the horizon,
    as (x, y, w, h) in fractions. A third of a tile lies above the skyline."""
    y = float(np.clip(np.median(horizon(img)) / img.shape[0] - 0.5 / 3, 0, 0.5))
    y = round(y * 200) / 200
    return [(x, y, 0.5, 0.5) for x in (0.0, 0.25, 0.5)]


def part(img: np.ndarray, tile) -> np.ndarray:
    h, w = img.shape[:2]
    x, y = round(tile[0] * w), round(tile[1] * h)
    return img[y:y + round(tile[3] * h), x:x + round(tile[2] * w)]


def tensor(img: np.ndarray, params: dict) -> np.ndarray:
    """uint8 [H, W, 3] -> normalised float32 [3, H, W]."""
    mean, std = (np.array(params["input"][k], np.float32).reshape(3, 1, 1) for k in ("mean", "std"))
    x = np.ascontiguousarray(img.transpose(2, 0, 1)).astype(np.float32)
    x *= 1 / (255 * std)
    x -= mean / std
    return x


def cells(params: dict):
    return params["input"]["height"] // CELL, params["input"]["width"] // CELL


def box_target(boxes, params: dict, ring: float = 2.0):
    """Boxes on the canvas -> (target, weight), both [h, w]. Boxes are drawn loosely: the target is highest in the middle,
    and a ring of `ring` cells around the box has weight 0."""
    h, w = cells(params)
    target, weight = np.zeros((h, w), np.float32), np.ones((h, w), np.float32)
    cx, cy = (np.arange(w) + 0.5) * CELL, (np.arange(h) + 0.5) * CELL
    for x0, y0, x1, y1 in boxes:
        mx, my = (x0 + x1) / 2, (y0 + y1) / 2
        hx, hy = max((x1 - x0) / 2, CELL * 0.6), max((y1 - y0) / 2, CELL * 0.6)
        dx, dy = np.abs(cx - mx) / hx, np.abs(cy - my) / hy
        inside = (dx[None] <= 1) & (dy[:, None] <= 1)
        soft = np.exp(-0.8 * (dx[None] ** 2 + dy[:, None] ** 2))
        near = (np.abs(cx - mx)[None] <= hx + ring * CELL) & (np.abs(cy - my)[:, None] <= hy + ring * CELL)
        weight[near & ~inside & (target == 0)] = 0
        weight[inside] = 1
        target = np.maximum(target, np.where(inside, soft, 0))
    return target, weight


def horizon(img: np.ndarray) -> np.ndarray:
    """Row of the skyline for every column: the strongest step from bright above to dark below."""
    h, w = img.shape[:2]
    grey = np.asarray(Image.fromarray(img).convert("L").resize((w // 4, h // 4), Image.BILINEAR), np.float32)
    c = np.cumsum(np.pad(grey, ((1, 0), (0, 0))), 0)
    k = 5
    rows = np.arange(int(0.15 * grey.shape[0]) + k, int(0.8 * grey.shape[0]) - k)
    step = (c[rows] - c[rows - k]) - (c[rows + k] - c[rows])
    y = rows[step.argmax(0)] * 4.0
    y = np.repeat(y, 4)[:w]
    pad = np.pad(y, 30, mode="edge")
    return np.array([np.median(pad[i:i + 61]) for i in range(len(y))])
