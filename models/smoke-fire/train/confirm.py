"""A Python port of the program's confirmation (src/triage/confirm.rs), used to choose thresholds. Reported figures come from
the program itself (replay.py); the port saves a run of the program for every threshold tried. figures.py fails if the two
differ, and so does a test of the program (tests/it/confirm_port.rs). Standard library only.

The Rust code gives the reason for each constant."""

from __future__ import annotations

from ctypes import c_float
from math import exp, hypot, log

DEFAULTS = {"memory_s": 120, "hysteresis": 0.8, "cooldown_s": 600, "area_min": 0.0002, "area_max": 0.6}

CORRELATION_S, FIRST_S, LOOK_MAX_S, MIN_APART_S = 30, 10, 60, 8
SAYS_MAX, SILENCE, WITHOUT_PAST, NOTHING = 3.0, -1.2, 0.5, 0.01
GROWTH, DRIFT, STANDING = 1.0, 1.0, 1.0
PLACES_MAX, HITS_MAX, IGNORED_MAX, TILE_STEPS = 64, 64, 5, 200


def single(x: float) -> float:
    """Rounded to single precision, in which the program calculates with boxes. They lie on a grid of cells, so two of them often
    touch, or differ by exactly a limit: there the last digit decides."""
    return c_float(x).value


def area(box) -> float:
    return single(box[2] * box[3])


def iou(a, b) -> float:
    """Boxes are x, y, width, height, as fractions of the picture, in single precision."""
    w, h = (single(min(single(a[i] + a[i + 2]), single(b[i] + b[i + 2])) - max(a[i], b[i])) for i in (0, 1))
    if w <= 0 or h <= 0:
        return 0.0
    both = single(w * h)
    return single(both / single(single(area(a) + area(b)) - both))


def centre(box):
    return tuple(single(box[i] + box[i + 2] / 2) for i in (0, 1))


def same_place(a, b) -> bool:
    dx, dy = (abs(single(p - q)) for p, q in zip(centre(a), centre(b)))
    margin = single(0.01)
    return iou(a, b) >= single(0.1) or any(dx <= single(it[2] + margin) and dy <= single(it[3] + margin) for it in (a, b))


def covers(tile, box) -> bool:
    x, y = (TILE_STEPS * it for it in centre(box))
    return tile[0] <= x <= tile[0] + tile[2] and tile[1] <= y <= tile[1] + tile[3]


def logit(score: float) -> float:
    score = min(max(score, 1e-6), 1 - 1e-6)
    return log(score / (1 - score))


def clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


class Witness:
    """The evidence of one view, the whole or the tiles, for one place."""

    def __init__(self, now: float, box, says: float):
        self.evidence, self.at, self.first, self.last = 0.0, None, box, box
        self.steady = (now, area(box), says)

    def hear(self, now: float, says: float, trust: float, memory: float):
        gap = FIRST_S if self.at is None else min(now - self.at, LOOK_MAX_S)
        kept = 0.0 if self.at is None else self.evidence * exp((self.at - now) / memory)
        share = memory / CORRELATION_S * (1 - exp(-gap / memory))
        self.evidence, self.at = max(0.0, kept + trust * share * says), now

    def see(self, now: float, box, says: float):
        self.last = box
        _, steady_area, steady_says = self.steady
        if abs(log(area(box) / steady_area)) > 0.25 or abs(says - steady_says) > 0.5:
            self.steady = (now, area(box), says)

    def left(self, now: float, memory: float) -> float:
        return self.evidence * exp((self.at - now) / memory)

    def worth(self, now: float, memory: float) -> float:
        grown = clamp(log(area(self.last) / area(self.first)), 0, 1)
        (ax, ay), (bx, by) = centre(self.first), centre(self.last)
        drifted = clamp((hypot(bx - ax, by - ay) / max(*self.first[2:], *self.last[2:]) - 2) / 2, 0, 1)
        stood = clamp((now - self.steady[0]) / 300 - 1, 0, 1)
        said = self.left(now, memory)
        return said + min(said, GROWTH * grown) - DRIFT * drifted - STANDING * stood


class Place:
    def __init__(self, cls: str, box, now: float):
        self.cls, self.box, self.first_at, self.last_at = cls, box, now, now
        self.witnesses: list = [None, None]  # the whole, the tiles
        self.hits: list = []  # (time, says, box)
        self.alarmed = False
        self.seen: list = [None, None]

    def worth(self, now: float, memory: float) -> float:
        return sum(max(0.0, w.worth(now, memory)) for w in self.witnesses if w)


def neutral(thresholds: dict, detection: dict) -> float:
    return thresholds[detection["class"] + ("_tile" if detection.get("tile") else "")]


def sightings(frames, thresholds: dict):
    """The same as `confirm`; yields (time, class, box, evidence)."""
    t = DEFAULTS | thresholds
    memory = t["memory_s"]
    places: list[Place] = []
    last, ignored = None, 0
    for now, detections, tiles, *has_past in frames:
        if last is not None and now <= last:
            ignored += 1
            if ignored <= IGNORED_MAX:
                continue
            places = [p for p in places if p.alarmed]
            for p in places:
                p.last_at = now
        last, ignored = now, 0
        trust = WITHOUT_PAST if has_past and not has_past[0] else 1.0
        places = [p for p in places if not p.alarmed or now - p.last_at < t["cooldown_s"]]
        for p in places:
            p.seen = [None, None]
            p.covered = any(covers(tile, p.box) for tile in tiles)
        told = [(clamp(logit(d["confidence"]) - logit(neutral(t, d)), SILENCE, SAYS_MAX), d) for d in detections
                if t["area_min"] <= area(d["bbox"]) <= t["area_max"]]
        told.sort(key=lambda it: (-it[0], it[1]["class"] != "smoke", tuple(it[1]["bbox"]), tuple(it[1].get("tile") or ())))
        for says, d in told:
            box, view = tuple(map(single, d["bbox"])), 1 if d.get("tile") else 0
            near = [p for p in places if p.cls == d["class"] and same_place(p.box, box)]
            p = max(reversed(near), key=lambda p: (p.alarmed, iou(p.box, box))) if near else None
            if p is None:
                if says <= 0 or len(places) >= PLACES_MAX:
                    continue
                p = Place(d["class"], box, now)
                p.covered = False
                places.append(p)
            if p.alarmed:
                if d["confidence"] >= neutral(t, d) * t["hysteresis"] and p.last_at < now:
                    p.box, p.last_at = box, now
                continue
            if p.seen[view] is None:
                p.seen[view] = (says, box)
                if says > 0 and (not p.hits or p.hits[-1][0] < now):
                    p.hits.append((now, says, box))
                    p.box, p.last_at = box, now
        for p in places:
            if p.alarmed:
                continue
            for view, seen in enumerate(p.seen):
                w = p.witnesses[view]
                if seen and w is None and seen[0] > 0:
                    w = p.witnesses[view] = Witness(now, seen[1], seen[0])
                if w and seen and seen[0] > 0:
                    w.see(now, seen[1], seen[0])
                if w and (seen or view == 0 or p.covered):
                    w.hear(now, seen[0] if seen else SILENCE, trust, memory)
                if w and w.left(now, memory) < NOTHING:
                    p.witnesses[view] = None
            p.hits = [h for h in p.hits if now - h[0] <= memory][-HITS_MAX:]
        places = [p for p in places if p.alarmed or any(p.witnesses)]
        for p in places:
            worth = 0 if p.alarmed else p.worth(now, memory)
            if not p.alarmed and p.last_at == now and now - p.first_at >= MIN_APART_S and worth >= t["evidence"]:
                p.alarmed = True
                yield now, p.cls, max(p.hits, key=lambda h: (h[1], -h[0]))[2], worth


def confirm(frames, thresholds: dict):
    """frames: (time in s, detections, tiles[, has_past]), in time order; detections and tiles as in the lines of `huoyan
    replay --json`. thresholds: smoke, fire, smoke_tile, fire_tile (neutral scores) and evidence, and any value that differs
    from DEFAULTS. Yields (time, class, box) of every sighting."""
    for now, cls, box, _ in sightings(frames, thresholds):
        yield now, cls, box
