"""Draws training samples: a crop of the present frame, the same crop of an earlier one, and what the cells should say.

Everything random comes from one generator, so a run can be repeated.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

import data as d
import paint
from bank import HARD, Bank


@dataclass
class Sample:
    present: np.ndarray  # uint8 [S, S, 3]
    earlier: np.ndarray
    target: np.ndarray  # float32 [2, S/16, S/16]: smoke, fire
    weight: np.ndarray
    bag: list = field(default_factory=lambda: [0.0, 0.0])  # 1: somewhere in `target > 0` the class must show


class Drawer:
    """Draws samples from the pictures that `use` allows."""

    def __init__(self, bank: Bank, use, mined: dict | None = None):
        self.bank, self.p = bank, bank.params
        self.size = self.p["train"]["crop"]
        self.h = self.size // d.CELL
        self.mined = mined or {}
        self.used = set()
        pool = defaultdict(lambda: defaultdict(list))
        for k, r in enumerate(bank.rows):
            if not use(k):
                continue
            if r["kind"] == "watch":
                if r["box"]:
                    pool["boxed"][r["event"]].append(k)
                elif not r["unsure"]:
                    pool["clean"][r["event"]].append(k)
                elif r.get("seen") and r["minute"] >= r["seen"][0] + 2:
                    pool["weak"][r["event"]].append(k)
            elif r["kind"] == "ground":
                pool["clean"][r["event"]].append(k)
            elif r["kind"] == "photo":
                pool["photo"]["hard" if r["what"] in HARD else "easy"].append(k)
            elif r["kind"] == "lawful":
                if r["boxes"]:
                    pool["near"][r["what"][0]].append(k)
            elif r["kind"] == "alert":
                pool["alert"][r["event"]].append(k)
            else:
                if r["what"] != "plume":
                    pool["flame"]["boxed" if r["boxes"] else "whole"].append(k)
                if r["what"] != "flame" or any("smoke" in b[0] for b in r["boxes"] or []):
                    pool["near"]["boxed" if r["boxes"] else "whole"].append(k)
        pool["night"] = pool["composite"] = pool["decoy"] = pool["clean"]
        allowed = {bank.rows[k]["event"] for k in range(len(bank.rows)) if bank.rows[k]["kind"] == "watch" and use(k)}
        self.mattes = defaultdict(list)
        for j, m in enumerate(bank.mattes):
            if m["source"] != "real":
                self.mattes[m["source"]].append(j)
            elif m["event"] in allowed:
                self.mattes["real " + m["event"]].append(j)
        self.pool = pool
        self.kinds = [k for k in self.p["train"]["mix"] if pool[k]]
        share = np.array([self.p["train"]["mix"][k] for k in self.kinds])
        self.share = share / share.sum()
        self.odds = {}
        for kind in self.kinds:
            n = np.array([len(v) for v in pool[kind].values()]) ** 0.5
            self.odds[kind] = list(pool[kind]), n / n.sum()

    def pick(self, kind: str, rng) -> int:
        keys, odds = self.odds[kind]
        ids = self.pool[kind][keys[rng.choice(len(keys), p=odds)]]
        k = ids[rng.integers(len(ids))]
        self.used |= self.bank.marks(k)
        return k

    def draw(self, rng):
        """A sample, its kind, and what it may not be used for."""
        self.used = set()
        kind = self.kinds[rng.choice(len(self.kinds), p=self.share)]
        sample = getattr(self, kind)(self.pick(kind, rng), rng)
        if rng.random() < 0.2:
            self.bar(sample, rng)
        return sample, kind, sorted(self.used)

    # --- geometry

    def cut(self, img, rng, zoom, around=None) -> d.Cut:
        """A random square; `around` (x, y) lies in it, a little inside its edge."""
        h, w = img.shape[:2]
        side = min(self.size / zoom, h, w)
        if around is None:
            x, y = rng.uniform(0, w - side), rng.uniform(0, h - side)
        else:
            x, y = (around[i] - side * rng.uniform(0.15, 0.85) for i in (0, 1))
        return d.Cut(float(np.clip(x, 0, w - side)), float(np.clip(y, 0, h - side)), side, self.size, bool(rng.random() < 0.5))

    def blank(self):
        return np.zeros((2, self.h, self.h), np.float32), np.ones((2, self.h, self.h), np.float32)

    def mark(self, target, weight, cls, boxes):
        params = {"input": {"width": self.size, "height": self.size}}
        target[cls], weight[cls] = d.box_target(boxes, params)

    def bar(self, s: Sample, rng):
        """The grey of the letterbox along one edge."""
        n, side = int(rng.integers(8, 120)), rng.integers(4)
        cells = n // d.CELL + 1
        s.present, s.earlier = s.present.copy(), s.earlier.copy()
        for img in (s.present, s.earlier):
            v = np.rot90(img, side)
            v[:n] = self.p["input"]["letterbox"]
        for a, value in ((s.target, 0.0), (s.weight, 0.3)):
            for c in a:
                np.rot90(c, side)[:cells] = value

    def look(self, rng):
        light = d.Light(rng) if rng.random() < 0.75 else d.Light(rng, 0.0)
        small = 1.0 if rng.random() < 0.8 else 2.5
        return lambda img: light.apply(img, rng, small)

    def sway(self, rng):
        return rng.normal(0, 0.4, 2)

    def scale(self, rng):
        """Zoom of a crop of a fixed camera: as the whole view is looked at, or as one of its tiles is (half of its width)."""
        low, high = (0.68, 1.5) if rng.random() < 0.5 else (1.5, 2.7)
        return np.exp(rng.uniform(np.log(low), np.log(high)))

    # --- fixed cameras

    def earlier(self, k: int, rng) -> int:
        t, r = self.p["train"], self.bank.rows[k]
        if r["kind"] == "ground" or rng.random() < t["repeat_present"]:
            return k
        line = self.bank.timeline[r["event"]]
        if (r["box"] or r["unsure"]) and rng.random() < 0.4:  # from before the fire
            before = [j for m, j in line.items() if m < r["minute"] and self.bank.clean(j)]
            if before:
                return before[-1 - int(rng.integers(min(12, len(before))))]
        lag = int(rng.integers(t["lag_minutes"][0], t["lag_minutes"][1] + 1))
        if self.bank.clean(k) and rng.random() < 0.3:  # time may run backwards where nothing happens
            j = line.get(r["minute"] + lag)
            if j is not None and self.bank.clean(j):
                return j
        return self.bank.past(k, lag)

    def pair(self, k, rng, cut):
        j = self.earlier(k, rng)
        dx, dy = self.sway(rng)
        return cut.image(self.bank.pixels(k)), cut.image(self.bank.pixels(j), dx, dy)

    def boxed(self, k, rng):
        img, b = self.bank.pixels(k), self.bank.rows[k]["box"]
        around = (rng.uniform(b[0], b[2]), rng.uniform(b[1], b[3]))
        cut = self.cut(img, rng, self.scale(rng), around)
        present, earlier = self.pair(k, rng, cut)
        if rng.random() < 0.06:
            present, earlier = self.dusk(present, earlier, rng)
        target, weight = self.blank()
        on, seen = cut.box(b)
        if seen > 0.1:
            self.mark(target, weight, 0, [on])
        else:
            weight[0] = 0
        look = self.look(rng)
        return Sample(look(present), look(earlier), target, weight, [float(seen > 0.5), 0.0])

    def clean(self, k, rng):
        around = None
        if k in self.mined and rng.random() < self.p["train"]["mine_share"]:
            spots = self.mined[k]
            around = spots[rng.integers(len(spots))]
        cut = self.cut(self.bank.pixels(k), rng, self.scale(rng), around)
        present, earlier = self.pair(k, rng, cut)
        if rng.random() < 0.1:
            present, earlier = self.dusk(present, earlier, rng)
        look = self.look(rng)
        return Sample(look(present), look(earlier), *self.blank())

    def weak(self, k, rng):
        _, x, y = self.bank.rows[k]["seen"]
        b = (x - 32, y - 44, x + 32, y + 24)
        cut = self.cut(self.bank.pixels(k), rng, self.scale(rng), (x, y))
        present, earlier = self.pair(k, rng, cut)
        target, weight = self.blank()
        on, seen = cut.box(b)
        self.mark(target, weight, 0, [on])
        weight[0] = 0
        look = self.look(rng)
        return Sample(look(present), look(earlier), target, weight, [float(seen > 0.5), 0.0])

    # --- rendered on fixed cameras and landscapes

    def background(self, k, rng, stills=0.25):
        """A clean pair: a fixed camera's, or (a share `stills` of them) a photograph with itself."""
        if rng.random() >= stills:
            cut = self.cut(self.bank.pixels(k), rng, self.scale(rng))
            pair = self.pair(k, rng, cut)
            return self.dusk(*pair, rng) if rng.random() < 0.12 else pair
        return self.still(self.pick("photo", rng), rng)

    def still(self, k, rng, zoom=None):
        """A photograph as the program would show it, and itself moved by a hair."""
        img = self.bank.pixels(k)
        fit = min(640 / img.shape[1], 480 / img.shape[0])
        cut = self.cut(img, rng, fit * (rng.uniform(0.7, 1.4) if zoom is None else zoom))
        move = (0, 0) if rng.random() < 0.5 else rng.normal(0, 1.5 / fit, 2)
        return cut.image(img), cut.image(img, *move)

    def dusk(self, present, earlier, rng):
        pair = paint.low_sun([v.astype(np.float32) / 255 for v in (present, earlier)], d.horizon(present), rng)
        return [(v.clip(0, 1) * 255).astype(np.uint8) for v in pair]

    def lay(self, frame, rng, drill=False):
        """Smoke of a matte over `frame` (float RGB): far, near or filling the view, standing or lying over a field, white to black.
        drill: thicker, and mostly as plume.py draws it. Returns frame and opacity."""
        groups = list(self.mattes)
        real = [g for g in groups if g.startswith("real")]
        drawn, other = rng.random() < (0.8 if drill else 0.3), rng.random() < 1 / 7 and "overlay" in self.mattes
        name = "overlay" if other and not drawn else real[rng.integers(len(real))] if real and not drawn else "rendered"
        ids = self.mattes[name]
        a8, colour, event = self.bank.matte(ids[rng.integers(len(ids))])
        if event:
            self.used |= self.bank.marks(next(iter(self.bank.timeline[event].values())))
        near, lying = rng.random() < 0.15, rng.random() < 0.12
        side = np.exp(rng.uniform(np.log(150), np.log(560))) if near else np.exp(rng.uniform(np.log(14), np.log(210)))
        s = side / max(a8.shape) * (1.0 if max(a8.shape) > 24 else rng.uniform(0.8, 1.2))
        if name.startswith("real"):
            s = min(s, 1.6)
        w, h = a8.shape[1] * s * rng.uniform(0.8, 1.25), a8.shape[0] * s
        if lying:
            w, h = w * rng.uniform(1.3, 3.5), h * rng.uniform(0.35, 0.8)
        w, h = min(max(3, round(w)), 2 * self.size), min(max(3, round(h)), 3 * self.size)
        a = np.asarray(Image.fromarray(a8).resize((w, h), Image.BILINEAR), np.float32) / 255
        if rng.random() < 0.5:
            a = a[:, ::-1]
        a = a * rng.uniform(0.75 if drill else 0.45, 1.05)
        sky = d.horizon((frame * 255).astype(np.uint8))
        x = int(rng.integers(-w // 3, self.size - 2 * w // 3))
        line = sky[int(np.clip(x + w // 2, 0, self.size - 1))]
        foot = line + rng.uniform(-0.1, 0.7) ** 2 * (self.size - line) if rng.random() < 0.85 else rng.uniform(20, self.size)
        if near or lying:
            foot = rng.uniform(max(20, float(line)), self.size + h * 0.4 * near)
        y = int(np.clip(foot, 15, self.size + h * 0.4 * near)) - h
        full = np.zeros((self.size, self.size), np.float32)
        x0, y0, x1, y1 = max(0, x), max(0, y), min(self.size, x + w), min(self.size, y + h)
        if x1 > x0 and y1 > y0:
            full[y0:y1, x0:x1] = a[y0 - y:y1 - y, x0 - x:x1 - x]
        if rng.random() < 0.3:  # behind the ridge
            full = full * (np.arange(self.size)[:, None] <= sky[None] + 1)
        light = float(np.clip(np.quantile(frame[::4, ::4].mean(2), 0.9), 0.35, 1.0))
        kind = rng.random() ** (0.5 if drill else 1)  # a drill is seldom black
        if kind < 0.2:  # black: tyres, oil, crowns; brown: damp litter
            a_grey = rng.uniform(0.03, 0.35)
            colour = np.array([a_grey * rng.uniform(1, 1.35), a_grey, a_grey * rng.uniform(0.65, 1)], np.float32)
        elif kind < 0.3:
            colour = colour * rng.uniform(0.3, 0.65)
        elif kind < 0.52:
            air = frame[max(0, int(line) - 25):int(line) + 1].reshape(-1, 3).mean(0)
            m = rng.uniform(0.1, 0.6)
            colour = colour * (1 - m) + air * m
        colour = np.clip(colour * light * rng.uniform(0.95, 1.2), 0, 1)
        return (1 - full[..., None]) * frame + full[..., None] * colour, full

    def alpha_target(self, a):
        m = a.reshape(self.h, d.CELL, self.h, d.CELL).mean((1, 3))
        target = np.clip(m / 0.25, 0, 1)
        target[target < 0.3] = 0
        weight = np.ones_like(target)
        weight[(m > 0.012) & (target == 0)] = 0
        peak = np.unravel_index(m.argmax(), m.shape)
        target[peak], weight[peak] = max(target[peak], 0.9), 1
        return target, weight

    def composite(self, k, rng):
        drill = rng.random() < 0.25  # a rendered plume before a still picture, as `huoyan drill` and the demo county show them
        present, earlier = self.background(k, rng, 1.0 if drill else 0.15)
        base = present.astype(np.float32) / 255
        target, weight = self.blank()
        bag = 0.0
        for _ in range(6):
            out, a = self.lay(base, rng, drill)
            change = np.abs(out - base).mean(2)
            if change.sum() > 6 and change[a > 0.4 * a.max()].mean() > 0.035:
                target[0], weight[0] = self.alpha_target(a)
                bag = 1.0
                break
        else:
            out = base
        if bag and rng.random() < 0.25:  # it stood there before, thinner and smaller
            was = earlier.astype(np.float32) / 255
            thin = np.roll(a, int(rng.integers(-4, 5)), 1)[..., None] * rng.uniform(0.3, 1.0)
            earlier = ((was * (1 - thin) + thin * (out * a[..., None]).sum((0, 1)) / max(1e-6, a.sum())).clip(0, 1) * 255).astype(np.uint8)
        look = self.look(rng)
        return Sample(look((out.clip(0, 1) * 255).astype(np.uint8)), look(earlier), target, weight, [bag, 0.0])

    def decoy(self, k, rng):
        """Something changes, but it is not smoke: a patch, a shadow, mist everywhere, a jolt, a cloud in the sky, the sun's
        reflections in the lens."""
        present, earlier = self.background(k, rng)
        frame = present.astype(np.float32) / 255
        n = self.size
        sky = d.horizon(present)
        kinds = ["patch", "shadow", "veil", "jolt", "cloud", "flare", "mist", "machine", "spots"]
        kind = rng.choice(kinds, p=[0.14, 0.16, 0.08, 0.06, 0.12, 0.18, 0.14, 0.06, 0.06])
        if kind == "patch":
            other = self.still(self.pick("photo", rng), rng)[0].astype(np.float32) / 255
            for _ in range(int(rng.integers(1, 4))):
                frame = paint.inset(frame, other, rng)
        elif kind == "shadow":
            frame = paint.shadow(frame, sky, rng)
        elif kind == "veil":
            frame = paint.veil(frame, sky, rng)
        elif kind == "jolt":
            frame = np.roll(frame, tuple(rng.integers(-5, 6, 2)), (0, 1)) * rng.uniform(0.8, 1.2)
        elif kind == "mist":
            frame, was = paint.mist([frame, earlier.astype(np.float32) / 255], sky, rng)
            earlier = (was.clip(0, 1) * 255).astype(np.uint8)
        elif kind == "machine":
            frame = paint.machine(frame, rng)
        elif kind == "spots":
            frame = paint.sun_spots(frame, rng)
        elif kind == "flare":
            was, steady = earlier.astype(np.float32) / 255, rng.random() < 0.5
            for _ in range(int(rng.integers(1, 7))):
                spot = paint.flare(n, rng)
                frame = 1 - (1 - frame) * (1 - spot)
                if steady:  # it creeps as the sun climbs
                    was = 1 - (1 - was) * (1 - np.roll(spot, tuple(rng.integers(-4, 5, 2)), (0, 1)) * rng.uniform(0.6, 1.3))
            earlier = (was.clip(0, 1) * 255).astype(np.uint8)
        else:
            frame = paint.clouds(frame, sky, rng)
        look = self.look(rng)
        return Sample(look((frame.clip(0, 1) * 255).astype(np.uint8)), look(earlier), *self.blank())

    # --- photographs

    def photo(self, k, rng):
        present, earlier = self.still(k, rng)
        look = self.look(rng)
        return Sample(look(present), look(earlier), *self.blank())

    def alert(self, k, rng):
        img, b = self.bank.pixels(k), self.bank.rows[k]["box"]
        cut = self.cut(img, rng, rng.uniform(0.8, 2.2), ((b[0] + b[2]) / 2, (b[1] + b[3]) / 2))
        target, weight = self.blank()
        on, seen = cut.box(b)
        self.mark(target, weight, 0, [on])
        weight[0] *= target[0] > 0  # other plumes may stand outside the box
        look = self.look(rng)
        return Sample(look(cut.image(img)), look(cut.image(img, *self.sway(rng))), target, weight, [float(seen > 0.5), 0.0])

    def near(self, k, rng):
        """Smoke and flames near by. Boxes are loose and not complete: ground outside of them counts little. A picture without
        boxes only says that smoke is somewhere in it."""
        row, img = self.bank.rows[k], self.bank.pixels(k)
        boxes = [[0 if "smoke" in name else 1, *b] for name, *b in row["boxes"] or []]
        around, zoom = None, 1.0
        if boxes:
            _, *b = boxes[rng.integers(len(boxes))]
            around, zoom = ((b[0] + b[2]) / 2, (b[1] + b[3]) / 2), np.exp(rng.uniform(np.log(0.8), np.log(2.2)))
        cut = self.cut(img, rng, self.size / min(img.shape[:2]) * zoom, around)
        target, weight = self.blank()
        bag = [0.0, 0.0]
        for cls in (0, 1):
            on = [(box, seen) for box, seen in (cut.box(b) for c, *b in boxes if c == cls) if seen > 0.1]
            if on:
                self.mark(target, weight, cls, [box for box, _ in on])
                bag[cls] = float(max(seen for _, seen in on) > 0.5)
            weight[cls] = np.where(target[cls] > 0, weight[cls], 0.1 * weight[cls])
        if not boxes:
            target[0], weight[:], bag[0] = 1, 0, 1.0
        moved = rng.normal(0, 1, 2) if rng.random() < 0.5 else (0, 0)
        look = self.look(rng)
        return Sample(look(cut.image(img)), look(cut.image(img, *moved)), target, weight, bag)

    def flame(self, k, rng):
        """Flames near by; or far away: a piece of the picture laid into a watch frame."""
        row = self.bank.rows[k]
        img = self.bank.pixels(k)
        target, weight = self.blank()
        fires = [b[1:] for b in row["boxes"] or [] if "fire" in b[0]]
        if row["boxes"] and not fires:
            return self.photo(self.pick("photo", rng), rng)
        if rng.random() < 0.5:
            around = None
            if fires:
                b = fires[rng.integers(len(fires))]
                around = ((b[0] + b[2]) / 2, (b[1] + b[3]) / 2)
            fit = min(640 / img.shape[1], 480 / img.shape[0])
            cut = self.cut(img, rng, min(fit, self.size / min(img.shape[:2])) * rng.uniform(0.8, 1.2), around)
            present = cut.image(img)
            weight[0] = 0
            if fires:
                on = [c for c, seen in map(cut.box, fires) if seen > 0.1]
                self.mark(target, weight, 1, on)
            else:
                target[1], weight[1] = 1, 0
            earlier = present if rng.random() < 0.5 else cut.image(img, *rng.normal(0, 2, 2))
        else:
            present, earlier = self.background(self.pick("clean", rng), rng)
            if fires:
                b = fires[rng.integers(len(fires))]
                piece = img[int(b[1]):int(b[3]) + 2, int(b[0]):int(b[2]) + 2]
            else:
                piece = paint.hottest(img)
            frame, a = paint.inset(present.astype(np.float32) / 255, piece.astype(np.float32) / 255, rng, True)
            present = (frame * 255).astype(np.uint8)
            m = a.reshape(self.h, d.CELL, self.h, d.CELL).mean((1, 3))
            target[1] = m > 0.1
            target[1][np.unravel_index(m.argmax(), m.shape)] = 1
            weight[1][(m > 0.005) & (target[1] == 0)] = 0
            weight[0][m > 0.005] = 0
        look = self.look(rng)
        return Sample(look(present), look(earlier), target, weight, [0.0, 1.0])

    def night(self, k, rng):
        """A watch frame made dark, lamps that stand there, headlights that come; in half of them a fire."""
        cut = self.cut(self.bank.pixels(k), rng, rng.uniform(0.7, 1.3))
        pair = [v.astype(np.float32) / 255 for v in self.pair(k, rng, cut)]
        grey = rng.random() < 0.5  # near-infrared
        level, tint = rng.uniform(0.04, 0.3), np.array([0.85, 0.95, 1.15], np.float32)
        pair = [(v.mean(2, keepdims=True) * np.ones(3, np.float32) if grey else v * tint) * level + rng.uniform(0, 0.03) for v in pair]
        target, weight = self.blank()
        for _ in range(int(rng.integers(0, 14))):
            spot = (rng.uniform(0, self.size), rng.uniform(0.3, 1) * self.size, np.exp(rng.uniform(np.log(0.6), np.log(3.5))))
            warm = np.array([1, rng.uniform(0.6, 1), rng.uniform(0.2, 1)], np.float32)
            warm = np.ones(3, np.float32) if grey else warm
            steady = rng.random() < 0.75
            for i, v in enumerate(pair):
                if steady or i == 0:
                    paint.glow(v, *spot, warm * rng.uniform(0.8, 1.3))
        fire = rng.random() < 0.5
        if fire:
            x, y = rng.uniform(20, self.size - 20), rng.uniform(0.25, 0.95) * self.size
            colour = np.array([1.3, rng.uniform(0.5, 0.8), rng.uniform(0.1, 0.3)], np.float32)
            colour = np.ones(3, np.float32) * 1.2 if grey else colour
            reach = np.exp(rng.uniform(np.log(1.5), np.log(12)))
            was, halo = rng.random() < 0.3, rng.random() < 0.5
            for i, v in enumerate(pair):
                if i == 0 or was:
                    if halo:  # a sensor that saturates: a blind core, a wide veil around it
                        paint.glow(v, x, y - reach, reach * rng.uniform(8, 16), colour * rng.uniform(0.05, 0.35))
                        paint.glow(v, x, y - reach, reach, colour * rng.uniform(2, 6))
                    paint.glow(v, x, y - reach, reach * 5, colour * rng.uniform(0.1, 0.3))
                    for _ in range(int(rng.integers(4, 12))):
                        paint.glow(v, x + rng.normal(0, reach), y - abs(rng.normal(0, reach)), reach * rng.uniform(0.2, 0.6),
                             colour * rng.uniform(0.6, 1.6))
            self.mark(target, weight, 1, [[x - 1.6 * reach, y - 2.2 * reach, x + 1.6 * reach, y + reach]])
            weight[0] = 0
        noise = rng.uniform(0, 0.03)
        out = [((v + rng.normal(0, noise, v.shape[:2])[..., None]).clip(0, 1) * 255).astype(np.uint8) for v in pair]
        return Sample(*out, target, weight, [0.0, float(fire)])
