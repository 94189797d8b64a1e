"""A procedural smoke plume: small, deterministic, numpy only, easy to port.

It makes training pictures; ported to Rust, it makes the smoke of the product's drill.
All formulas are scalar arithmetic; numpy only applies them to a rectangle of pixels.

Coordinates: x to the right, y down, pixel (column i, row j) has x = i, y = j. Ages in seconds.
`scale_px` is the plume's unit of length (default use: frame height / 6). With it the plume covers
about 0.2 % of a 640x360 frame at 20 s, 1 % at 60 s and several per cent from 120 s on.

Algorithm
1. A puff k = 0, 1, 2 ... is born at b = 3 k seconds (puff 0 at 0) and lives LIFE seconds.
   Four numbers u0..u3 in [0, 1) are drawn for it from SplitMix64 seeded with
   mix(seed * 0x9E3779B97F4A7C15 + k + 1), so a puff never depends on the other puffs.
2. With a = age - b (0 < a < LIFE), s = scale_px, t = a / 60:
     g  = 0.55 + 0.45 min(1, b / 60)                          the fire grows in its first minute
     r  = s g (0.06 + 0.20 t^0.80) (0.75 + 0.5 u0)            radius (Gaussian sigma)
     up = s g 1.55 t^0.75 (0.85 + 0.3 u1)                     height over the origin
     dx = s (0.60 wind t^1.15 + 0.05 sin(2 pi (a / 41 + u3)) t^0.5 + (u2 - 0.5) 0.16 t)
     d  = 0.85 min(1, a / 4) (1 - a / LIFE)^1.5 (0.06 s / (0.06 s + 0.35 r))^0.6
   The puff adds d exp(-((x - x0 - dx)^2 + (1.25 (y - y0 + up))^2) / (2 r^2)) to the optical depth,
   only where that ellipse's exponent is above -4.5 (three sigma).
3. Optical depth is multiplied by texture 0.35 + 1.3 n, where n in [0, 1) is value noise of two
   octaves (weights 0.65 and 0.35, cells 0.22 s and 0.09 s) that drifts up 0.012 s per second.
4. Under the origin it is faded: times exp(-((y - y0) / (0.07 s))^2) for y > y0.
5. alpha = 0.93 (1 - exp(-depth)).
"""

from __future__ import annotations

import math

import numpy as np

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
LIFE = 240.0
PERIOD = 3.0
MAX_ALPHA = 0.93


def mix(z: int) -> int:
    """The finaliser of SplitMix64, on 64-bit unsigned integers."""
    z &= MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class SplitMix64:
    """The SplitMix64 generator; `unit` returns a number in [0, 1) from the top 53 bits."""

    def __init__(self, seed: int):
        self.state = seed & MASK

    def next(self) -> int:
        self.state = (self.state + GOLDEN) & MASK
        return mix(self.state)

    def unit(self) -> float:
        return (self.next() >> 11) * 2.0**-53


def lattice(ix: int, iy: int, seed: int) -> float:
    """Noise at a lattice point, in [0, 1). `ix`, `iy` may be negative (two's complement)."""
    h = mix((ix & MASK) * GOLDEN + seed)
    return (mix(h + (iy & MASK)) >> 11) * 2.0**-53


def value_noise(xs: np.ndarray, ys: np.ndarray, seed: int) -> np.ndarray:
    """Smooth noise over the grid ys x xs (given in cells): smoothstep between lattice points."""
    x0, y0 = np.floor(xs).astype(int), np.floor(ys).astype(int)
    table = np.array([[lattice(ix, iy, seed) for ix in range(x0[0], x0[-1] + 2)]
                      for iy in range(y0[0], y0[-1] + 2)])
    fx, fy = xs - x0, ys - y0
    fx, fy = fx * fx * (3 - 2 * fx), (fy * fy * (3 - 2 * fy))[:, None]
    cx, cy = x0 - x0[0], (y0 - y0[0])[:, None]
    top = table[cy, cx] * (1 - fx) + table[cy, cx + 1] * fx
    low = table[cy + 1, cx] * (1 - fx) + table[cy + 1, cx + 1] * fx
    return top * (1 - fy) + low * fy


def puffs(scale_px: float, age_s: float, wind: float, seed: int):
    """Yields (dx, up, radius, depth) of every living puff, oldest first."""
    s = scale_px
    first = max(0, math.ceil((age_s - LIFE) / PERIOD))
    last = math.ceil(age_s / PERIOD)
    for k in range(first, last):
        born = PERIOD * k
        a = age_s - born
        if not 0.0 < a < LIFE:
            continue
        rng = SplitMix64(mix(seed * GOLDEN + k + 1))
        u0, u1, u2, u3 = rng.unit(), rng.unit(), rng.unit(), rng.unit()
        t = a / 60.0
        g = 0.55 + 0.45 * min(1.0, born / 60.0)
        r = s * g * (0.06 + 0.20 * t**0.80) * (0.75 + 0.5 * u0)
        up = s * g * 1.55 * t**0.75 * (0.85 + 0.3 * u1)
        sway = 0.05 * math.sin(2 * math.pi * (a / 41.0 + u3)) * t**0.5
        dx = s * (0.60 * wind * t**1.15 + sway + (u2 - 0.5) * 0.16 * t)
        thin = (0.06 * s / (0.06 * s + 0.35 * r)) ** 0.6
        depth = 0.85 * min(1.0, a / 4.0) * (1.0 - a / LIFE) ** 1.5 * thin
        yield dx, up, r, depth


def alpha(height: int, width: int, origin_xy, scale_px: float, age_s: float, wind: float = 0.4,
          seed: int = 1) -> np.ndarray:
    """Opacity of the plume, float32 [height, width] in 0..1.

    origin_xy: foot of the plume in pixels; put it on terrain, never in the sky.
    wind: lean, about -1.5 (left) to 1.5 (right). seed: any integer in 0 .. 2^32 - 1.
    """
    x0, y0 = origin_xy
    depth = np.zeros((height, width))
    left, top, right, low = width, height, 0, 0
    for dx, up, r, d in puffs(scale_px, age_s, wind, seed):
        cx, cy = x0 + dx, y0 - up
        xa, xb = max(0, math.floor(cx - 3 * r)), min(width, math.ceil(cx + 3 * r) + 1)
        ya, yb = max(0, math.floor(cy - 2.4 * r)), min(height, math.ceil(cy + 2.4 * r) + 1)
        if xa >= xb or ya >= yb:
            continue
        ex = (np.arange(xa, xb) - cx) ** 2
        ey = (1.25 * (np.arange(ya, yb) - cy)) ** 2
        e = -(ex[None, :] + ey[:, None]) / (2 * r * r)
        depth[ya:yb, xa:xb] += np.where(e > -4.5, d * np.exp(e), 0.0)
        left, top, right, low = min(left, xa), min(top, ya), max(right, xb), max(low, yb)
    if left >= right or top >= low:
        return depth.astype(np.float32)
    part = depth[top:low, left:right]
    xs, ys = np.arange(left, right) - x0, np.arange(top, low) - y0
    rise = 0.012 * age_s * scale_px
    n = 0.65 * value_noise(xs / (0.22 * scale_px), (ys + rise) / (0.22 * scale_px), seed + 101)
    n += 0.35 * value_noise(xs / (0.09 * scale_px), (ys + rise) / (0.09 * scale_px), seed + 202)
    part *= 0.35 + 1.3 * n
    under = np.maximum(ys, 0) / (0.07 * scale_px)
    part *= np.exp(-under * under)[:, None]
    return (MAX_ALPHA * (1.0 - np.exp(-depth))).astype(np.float32)


def colour(seed: int = 1) -> np.ndarray:
    """Smoke colour, RGB 0..1: white to mid grey with a touch of blue."""
    rng = SplitMix64(mix(seed + 777))
    grey = 0.66 + 0.22 * rng.unit()
    blue = 0.03 * rng.unit()
    return np.array([grey - blue, grey, grey + blue], dtype=np.float32)


def flicker(age_s: float) -> float:
    """Slow change of brightness of the smoke, within 2.5 %."""
    return 1.0 + 0.015 * math.sin(1.7 * age_s) + 0.01 * math.sin(0.43 * age_s + 1.0)


def composite(frame: np.ndarray, a: np.ndarray, rgb: np.ndarray, age_s: float,
              light: float = 1.0) -> np.ndarray:
    """out = (1 - a) frame + a colour. `frame`: float RGB [H, W, 3], 0..1. `light`: 1 by day."""
    c = np.clip(rgb * (light * flicker(age_s)), 0.0, 1.0)
    return ((1.0 - a[..., None]) * frame + a[..., None] * c).astype(np.float32)
