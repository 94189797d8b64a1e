"""What the program would be told of every watch frame, from the heatmaps of score.py: boxes of the whole view and of three tiles.

    python boxes.py --work WORK/stage1 --bank WORK      fold?.npz -> replay-all.jsonl, net.npz -> replay-net-all.jsonl

A port of src/detect/heads/heatmap.rs. It takes a minute, where the program with all levels open takes twenty; what an operating point
does is then asked of the program itself (`replay.py run --point`).
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bank import Bank

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())
BOXES_MAX = 32
TILE_STEPS = 200
# Low enough to see everything that any threshold could let pass.
OPEN = {"smoke": 0.1, "fire": 0.3}


def patches(plane: np.ndarray, screen: float) -> list[tuple]:
    """Connected cells from `screen` on, by side or corner: (peak, (x, y, width, height) in fractions), the surest first."""
    todo = {(int(y), int(x)) for y, x in zip(*np.nonzero(plane >= screen))}
    rows, columns = plane.shape
    out = []
    while todo:
        edge, cells = [todo.pop()], []
        while edge:
            y, x = edge.pop()
            cells.append((y, x))
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & todo
            todo -= near
            edge += near
        ys, xs = zip(*cells)
        box = (min(xs) / columns, min(ys) / rows, (max(xs) + 1 - min(xs)) / columns, (max(ys) + 1 - min(ys)) / rows)
        out.append((max(float(plane[c]) for c in cells), box))
    return sorted(out, reverse=True)[:BOXES_MAX]


def detections(heat: np.ndarray, tile=None):
    """heat [2, h, w] of a view; tile: where it lies in the frame, in fractions."""
    for plane, (cls, screen) in zip(heat, OPEN.items()):
        for peak, (x, y, w, h) in patches(plane.astype(np.float32), screen):
            if tile is None:
                yield {"class": cls, "confidence": peak, "bbox": (x, y, w, h)}
            else:
                on_frame = (tile[0] + x * tile[2], tile[1] + y * tile[3], w * tile[2], h * tile[3])
                yield {"class": cls, "confidence": peak, "bbox": on_frame, "tile": [round(TILE_STEPS * v) for v in tile]}


def lines(bank: Bank, home: Path, paths):
    """As `huoyan replay --json` writes frames. The first of an event has no past, and so no tiles."""
    taken = {k: (Path(n).parent.name, Path(n).stem) for n, k in json.loads((home / "events/rows.json").read_text()).items()}
    events = defaultdict(list)
    for path in paths:
        z = np.load(path)
        for k, heat, tiles in zip(z["ids"].tolist(), z["heat"], z["tiles"]):
            if k in taken:
                events[taken[k][0]].append((taken[k][1], heat, tiles))
    for event, frames in sorted(events.items()):
        where = bank.tiles(event)
        for n, (stem, heat, tiles) in enumerate(sorted(frames, key=lambda f: f[0])):
            found = list(detections(heat))
            if n:
                found += [d for view, tile in zip(tiles, where) for d in detections(view, tile)]
            at = datetime.strptime(stem, "%Y-%m-%dT%H_%M_%S").replace(tzinfo=UTC)
            yield {"type": "frame", "event": event, "captured_at": at.isoformat(), "detections": found, "has_past": n > 0,
                   "tiles": [[round(TILE_STEPS * v) for v in tile] for tile in where] if n else []}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--bank", type=Path, required=True)
    args = ap.parse_args()
    bank = Bank(args.bank, PARAMS)
    for name, paths in (("all", sorted(args.work.glob("fold?.npz"))), ("net-all", sorted(args.work.glob("net.npz")))):
        if paths:
            rows = list(lines(bank, args.bank, paths))
            (args.work / f"replay-{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in rows))
            print(name, len(rows), "frames")


if __name__ == "__main__":
    main()
