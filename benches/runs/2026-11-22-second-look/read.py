"""Reads what two replays said of frames with one boxed plume each, and counts: found (a smoke box over the level where the
plume is), elsewhere (one over the level anywhere else).

    python read.py boxes.csv WIDTH HEIGHT whole.jsonl cascade.jsonl
"""

import csv
import json
import sys
from pathlib import Path

LEVELS = {"eager": 0.875, "balanced": 0.937}


def same_place(a, b):
    """triage::confirm::is_same_place"""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    dx = abs(a[0] + a[2] / 2 - b[0] - b[2] / 2)
    dy = abs(a[1] + a[3] / 2 - b[1] - b[3] / 2)
    near = any(dx <= it[2] + 0.01 and dy <= it[3] + 0.01 for it in (a, b))
    return both / (a[2] * a[3] + b[2] * b[3] - both) >= 0.1 or near


def frames(path):
    """Source name and index → the line."""
    lines = (json.loads(line) for line in open(path))
    return {(Path(it["source"]).name, it["index"]): it for it in lines if it["type"] == "frame"}


def main(boxes, width, height, whole, cascade):
    whole, cascade = frames(whole), frames(cascade)
    looks = {
        "sub-stream": lambda name: cascade[name, 0],
        "main stream, whole": lambda name: whole[name, 0],
        "second look": lambda name: cascade[name, 1],
    }
    rows = [row for row in csv.DictReader(open(boxes)) if (Path(row["image"]).stem, 1) in cascade]
    for split in ("train", "val"):
        some = [row for row in rows if row["split"] == split]
        for look, of in looks.items():
            counts = []
            for name, level in LEVELS.items():
                found = elsewhere = 0
                for row in some:
                    x, y = float(row["xmin"]) / width, float(row["ymin"]) / height
                    plume = [x, y, float(row["xmax"]) / width - x, float(row["ymax"]) / height - y]
                    over = [it["bbox"] for it in of(Path(row["image"]).stem)["detections"]
                            if it["class"] == "smoke" and it["confidence"] >= level]
                    found += any(same_place(it, plume) for it in over)
                    elsewhere += any(not same_place(it, plume) for it in over)
                counts.append(f"{name} found {found:3}, elsewhere {elsewhere:2}")
            print(f"{split:5} {len(some):3} frames  {look:18}  {'; '.join(counts)}")


if __name__ == "__main__":
    boxes, width, height, whole, cascade = sys.argv[1:]
    main(boxes, float(width), float(height), whole, cascade)
