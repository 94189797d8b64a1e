"""The program's confirmation (src/triage/confirm.rs) in Python, to choose thresholds by. Reported figures come from the
program itself (replay.py); this port only saves running it once for every threshold looked at. figures.py fails where the
two differ."""

from __future__ import annotations

AREA_MIN, AREA_MAX, COOLDOWN_S, SPAN_S = 0.0002, 0.6, 600, 60


def iou(a, b) -> float:
    """Boxes are x, y, width, height, as shares of the picture."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0.0, w) * max(0.0, h)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def same_place(a, b) -> bool:
    dx, dy = (abs(a[i] + a[i + 2] / 2 - b[i] - b[i + 2] / 2) for i in (0, 1))
    return iou(a, b) >= 0.1 or any(dx <= outer[2] + 0.01 and dy <= outer[3] + 0.01 for outer in (a, b))


def confirm(frames, threshold: dict, needed: int, window: int, hysteresis: float = 0.8):
    """frames: (time in s, detections), in time order. Yields (time, class, box) of every sighting."""
    places: list[dict] = []
    for n, (now, detections) in enumerate(frames):
        for p in places:
            p["hits"] = [h for h in p["hits"] if h[0] > n - window and h[1] >= now - SPAN_S * window]
        places = [p for p in places if (now - p["last"] < COOLDOWN_S if p["confirmed"] else p["hits"])]
        for det in sorted(detections, key=lambda x: -x["confidence"]):
            box, cls, level = det["bbox"], det["class"], threshold[det["class"]]
            if not AREA_MIN <= box[2] * box[3] <= AREA_MAX:
                continue
            near = [p for p in places if p["class"] == cls and same_place(p["box"], box)]
            if near:
                p = max(near, key=lambda p: (p["confirmed"], iou(p["box"], box)))
                counts = det["confidence"] >= level * (hysteresis if p["confirmed"] else 1)
                if counts and (not p["hits"] or p["hits"][-1][0] < n):
                    p["hits"].append((n, now))
                    p["box"], p["last"] = box, now
            elif det["confidence"] >= level:
                places.append({"class": cls, "box": box, "last": now, "hits": [(n, now)], "confirmed": False})
        for p in places:
            if not p["confirmed"] and len(p["hits"]) >= max(1, needed):
                p["confirmed"] = True
                yield now, p["class"], p["box"]
