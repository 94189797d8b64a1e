"""Draws into a square float picture, RGB 0..1: lights, reflections, shadows, mist, clouds, pieces of other pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

import plume


def glow(v: np.ndarray, x: float, y: float, r: float, colour: np.ndarray) -> None:
    """Adds a Gaussian light to a float picture."""
    h, w = v.shape[:2]
    reach = 3 * r + 1
    x0, x1 = (int(np.clip(t, 0, w)) for t in (x - reach, x + reach + 1))
    y0, y1 = (int(np.clip(t, 0, h)) for t in (y - reach, y + reach + 1))
    if x1 > x0 and y1 > y0:
        g = np.exp(-((np.arange(x0, x1)[None] - x) ** 2 + (np.arange(y0, y1)[:, None] - y) ** 2) / (2 * r * r))
        v[y0:y1, x0:x1] += g[..., None] * colour


def shadow(frame: np.ndarray, sky: np.ndarray, rng) -> np.ndarray:
    """Sunlit and shaded ground under clouds. sky: row of the skyline for every column."""
    n, c = len(frame), rng.uniform(40, 200)
    f = plume.value_noise(np.arange(n) / c, np.arange(n) / (c * rng.uniform(0.3, 0.8)), int(rng.integers(1 << 30)))
    f = 1 / (1 + np.exp(-(f - 0.5) * rng.uniform(4, 16))) - 0.5
    f = f * (np.arange(n)[:, None] > sky[None] * rng.uniform(0, 1))
    return frame * (1 + f * rng.uniform(0.2, 0.8) * rng.choice([-1, 1]))[..., None]


def veil(frame: np.ndarray, sky: np.ndarray, rng) -> np.ndarray:
    """Mist everywhere, thickest at the skyline."""
    n = len(frame)
    f = plume.value_noise(np.arange(n) / rng.uniform(200, 500), np.arange(n) / 150, int(rng.integers(1 << 30)))
    fall = np.exp(-np.abs(np.arange(n) - np.median(sky)) / rng.uniform(60, 400))[:, None]
    a = (rng.uniform(0.1, 0.55) * fall * (0.7 + 0.6 * f)).clip(0, 0.9)[..., None]
    return frame * (1 - a) + a * rng.uniform(0.6, 0.9)


def clouds(frame: np.ndarray, sky: np.ndarray, rng) -> np.ndarray:
    """Small clouds above the skyline."""
    n = len(frame)
    a = np.zeros((n, n), np.float32)
    xx, yy = np.arange(n)[None], np.arange(n)[:, None]
    for _ in range(int(rng.integers(2, 14))):
        s = rng.uniform(6, 40)
        cx, cy = rng.uniform(0, n), rng.uniform(0, max(5, np.median(sky)))
        a += rng.uniform(0.2, 0.7) * np.exp(-((xx - cx) ** 2 / (2 * (2.2 * s) ** 2) + (yy - cy) ** 2 / (2 * (0.6 * s) ** 2)))
    a = (1 - np.exp(-a)) * (yy < sky[None] - 1)
    return frame * (1 - a[..., None]) + a[..., None] * rng.uniform(0.8, 1.0)


def flare(n: int, rng) -> np.ndarray:
    """A reflection in the lens: a soft, coloured disc of light [n, n, 3]."""
    x, y, r = rng.uniform(0, n), rng.uniform(0, n), np.exp(rng.uniform(np.log(8), np.log(70)))
    far = np.hypot((np.arange(n)[None] - x) * rng.uniform(0.7, 1.4), np.arange(n)[:, None] - y) / r
    disc = 1 / (1 + np.exp((far - 1) * rng.uniform(3, 14)))
    if rng.random() < 0.3:  # a ring
        disc = disc * (0.3 + 0.7 * far.clip(0, 1) ** 2)
    colour = np.array([1, rng.uniform(0.45, 1), rng.uniform(0.3, 1)], np.float32)[:: int(rng.choice([1, 1, 1, -1]))]
    return (disc[..., None] * colour * rng.uniform(0.05, 0.45)).astype(np.float32)


def hottest(img: np.ndarray) -> np.ndarray:
    """A square part of the picture, around the place that is reddest (red over blue)."""
    h, w = img.shape[:2]
    side = max(24, min(h, w) // 3)
    heat = img[..., 0].astype(np.float32) - img[..., 2] + 0.3 * img[..., 0]
    small = np.asarray(Image.fromarray(heat).resize((max(1, w // side * 3), max(1, h // side * 3)), Image.BOX))
    y, x = np.unravel_index(small.argmax(), small.shape)
    cy, cx = (y + 0.5) / small.shape[0] * h, (x + 0.5) / small.shape[1] * w
    y0, x0 = int(np.clip(cy - side / 2, 0, h - side)), int(np.clip(cx - side / 2, 0, w - side))
    return img[y0:y0 + side, x0:x0 + side]


def inset(frame, piece, rng, with_alpha=False):
    """Pastes a feathered piece of another picture into a frame; its longer side is 8 to 90 pixels."""
    n = frame.shape[0]
    side = float(np.exp(rng.uniform(np.log(8), np.log(90))))
    h, w = piece.shape[:2]
    s = side / max(h, w)
    w, h = max(4, round(w * s)), max(4, round(h * s))
    part = np.asarray(Image.fromarray((piece.clip(0, 1) * 255).astype(np.uint8)).resize((w, h), Image.BOX), np.float32) / 255
    x, y = int(rng.integers(0, n - w)), int(rng.integers(0, n - h))
    yy, xx = np.mgrid[-1:1:h * 1j, -1:1:w * 1j]
    a = np.clip((1 - np.sqrt(xx**2 + yy**2)) * rng.uniform(2, 6), 0, 1).astype(np.float32)
    out = frame.copy()
    out[y:y + h, x:x + w] = frame[y:y + h, x:x + w] * (1 - a[..., None]) + part * a[..., None]
    if not with_alpha:
        return out
    full = np.zeros((n, n), np.float32)
    full[y:y + h, x:x + w] = a
    return out, full


def mist(pair, sky: np.ndarray, rng):
    """Mist that rises from valleys: torn bands below the skyline, either in both frames and moved a little, or in the present one only."""
    n, out = len(pair[0]), []
    xx, yy = np.arange(n)[None], np.arange(n)[:, None]
    bands = [(rng.uniform(0, n), np.median(sky) + rng.uniform(0.02, 0.75) * (n - np.median(sky)), rng.uniform(30, 160),
              rng.uniform(4, 22), rng.uniform(0.2, 0.75), rng.normal(0, 6), rng.normal(0, 2)) for _ in range(int(rng.integers(2, 9)))]
    torn = plume.value_noise(np.arange(n) / rng.uniform(8, 40), np.arange(n) / rng.uniform(5, 20), int(rng.integers(1 << 30)))
    level, steady = rng.uniform(0.6, 0.95), rng.random() < 0.65
    for i, v in enumerate(pair):
        a = np.zeros((n, n), np.float32)
        if i == 0 or steady:
            for x, y, sx, sy, depth, dx, dy in bands:
                a += depth * np.exp(-(((xx - x - i * dx) / sx) ** 2 + ((yy - y - i * dy) / sy) ** 2) / 2)
        a = ((1 - np.exp(-a * (0.4 + 1.2 * torn))) * (yy > sky[None] - 2))[..., None]
        out.append(v * (1 - a) + a * level)
    return out


def machine(frame: np.ndarray, rng) -> np.ndarray:
    """Orange, yellow or red objects with hard edges: excavators, roofs, tarpaulins, buses."""
    n, out = len(frame), frame.copy()
    for _ in range(int(rng.integers(1, 4))):
        w, h = (max(3, int(np.exp(rng.uniform(np.log(4), np.log(60))))) for _ in range(2))
        x, y = int(rng.integers(0, n - w)), int(rng.integers(n // 3, n - h)) if h < 2 * n // 3 else 0
        colour = np.array([rng.uniform(0.6, 1), rng.uniform(0.15, 0.65), rng.uniform(0, 0.25)], np.float32)
        part = np.ones((h, w, 3), np.float32) * colour * rng.uniform(0.7, 1.1, (1, w, 1)).astype(np.float32)
        if w > 8 and h > 8:
            part[h // 5:h // 2, w // 4:3 * w // 4] *= rng.uniform(0.1, 0.6)
        out[y:y + h, x:x + w] = part
    return out.clip(0, 1)


def sun_spots(frame: np.ndarray, rng) -> np.ndarray:
    """The sun through trees: small warm lights close together, in a darkened frame."""
    n, out = len(frame), frame * rng.uniform(0.4, 0.9)
    x, y, reach = rng.uniform(0, n), rng.uniform(0, n), rng.uniform(8, 60)
    warm = np.array([1.2, rng.uniform(0.75, 1.05), rng.uniform(0.3, 0.8)], np.float32)
    for _ in range(int(rng.integers(4, 30))):
        r = np.exp(rng.uniform(np.log(0.7), np.log(5)))
        glow(out, x + rng.normal(0, reach), y + rng.normal(0, reach), r, warm * rng.uniform(0.5, 1.5))
    return out.clip(0, 1)


def low_sun(pair, sky: np.ndarray, rng):
    """Both frames under a low sun or at dusk: dark ground, warm light around a point of the skyline."""
    n = len(pair[0])
    dark, x = rng.uniform(0.3, 0.85), rng.uniform(-0.3, 1.3) * n
    y = float(np.median(sky)) - rng.uniform(-10, 60)
    far = np.hypot(np.arange(n)[None] - x, np.arange(n)[:, None] - y)
    warm = np.array([1, rng.uniform(0.55, 0.9), rng.uniform(0.25, 0.7)], np.float32)
    light = (np.exp(-far / rng.uniform(40, 250)) * rng.uniform(0, 0.8))[..., None] * warm
    tint = 1 - (1 - warm) * rng.uniform(0, 0.6)
    return [1 - (1 - (v * dark * tint).clip(0, 1)) * (1 - light.clip(0, 1)) for v in pair]
