"""Chooses the operating points, each fold's from the other folds only, and the shipped ones from all of them.

    python operating.py --work DIR        reads DIR/fold*.npz and DIR/replay-all.jsonl -> DIR/points.json

points.json: name -> fold ("0", "1", ... and "ship") -> smoke, fire, needed, window, screen, fire_screen.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import numpy as np

from bank import HARD, Bank
from confirm import confirm
from events import Event, figures, outcome
from metrics import threshold_at

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


class Scores:
    """Frame scores of every picture by the network that never saw it."""

    def __init__(self, bank: Bank, paths):
        ids, heat = [], []
        for path in paths:
            z = np.load(path)
            ids += z["ids"].tolist()
            heat.append(z["heat"].astype(np.float32))
        self.bank, self.ids, self.heat = bank, ids, np.concatenate(heat)
        self.rows = [bank.rows[k] for k in ids]
        self.smoke, self.fire = (self.heat[:, c].max((1, 2)) for c in (0, 1))
        self.fold = np.array([bank.fold(k) for k in ids])
        self.boxed = self.mask(lambda r: r["kind"] == "watch" and r["box"])
        self.clean = self.mask(lambda r: r["kind"] == "watch" and not r["box"] and not r["unsure"])
        self.photo = self.mask(lambda r: r["kind"] == "photo")
        self.hard = self.mask(lambda r: r["kind"] == "photo" and r["what"] in HARD)
        self.flame = self.mask(lambda r: r["kind"] == "flame" and r["what"] == "flame")

    def mask(self, f):
        return np.array([bool(f(r)) for r in self.rows])


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def read_replay(path: Path):
    """event -> (frames [(s, detections)], sightings [s])."""
    frames, sightings = defaultdict(list), defaultdict(list)
    for line in path.read_text().splitlines():
        x = json.loads(line)
        if x["type"] == "frame":
            frames[x["event"]].append((seconds(x["captured_at"]), x["detections"]))
        else:
            sightings[x["event"]].append(seconds(x["confirmed_at"]))
    return {e: (sorted(f, key=lambda t: t[0]), sightings[e]) for e, f in frames.items()}


def events_of(bank: Bank, work: Path) -> dict[str, Event]:
    """Times as the file names say them, the clock that the program reads."""
    clean, boxed, camera = defaultdict(list), defaultdict(list), {}
    for name, k in json.loads((work / "events/rows.json").read_text()).items():
        row, at = bank.rows[k], datetime.strptime(Path(name).stem + "+0000", "%Y-%m-%dT%H_%M_%S%z").timestamp()
        camera[row["event"]] = row["camera"]
        if row["box"]:
            boxed[row["event"]].append(at)
        elif not row["unsure"]:
            clean[row["event"]].append(at)
    return {e: Event(e, min(boxed[e], default=None), clean[e], camera[e]) for e in camera}


def choose(scores: Scores, replayed, events, use, rule, tried) -> float:
    """The lowest smoke threshold that keeps the rule on the events and photographs that `use` allows, and from there the rule's
    margin in log-odds: where so few hours tell the lowest, the next camera's is higher."""
    hard = scores.smoke[scores.hard & np.array([use(f) for f in scores.fold])]
    names = [e for e in events if use(scores.bank.fold_of[e])]
    best = 1.0
    for t in sorted(tried, reverse=True):
        out = [outcome(events[e], [now for now, cls, _ in confirm(replayed[e][0], {"smoke": t, "fire": 2}, rule["needed"],
                                                                  rule["window"]) if cls == "smoke"]) for e in names]
        if figures(out)["false_alarms_per_camera_day"] > rule["false_alarms_per_camera_day"] \
                or (hard > t).mean() > rule["photographs"]:
            break
        best = t
    best = min(best, 0.999)
    return round(float(1 / (1 + (1 - best) / best * np.exp(-rule["margin"]))), 3)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--bank", type=Path)
    args = ap.parse_args()
    work = args.bank or args.work
    bank = Bank(work, PARAMS)
    scores = Scores(bank, sorted(args.work.glob("fold?.npz")))
    replayed, events = read_replay(args.work / "replay-all.jsonl"), events_of(bank, work)
    tried = np.arange(0.3, 0.996, 0.005)
    out = {}
    for name, rule in PARAMS["points"].items():
        out[name] = {}
        for fold in [*range(PARAMS["train"]["folds"]), None]:

            def use(f, fold=fold):
                return f != fold

            mine = np.array([use(f) for f in scores.fold])
            smoke = choose(scores, replayed, events, use, rule, tried)
            groups = [scores.fire[g & mine] for g in (scores.photo, scores.hard, scores.clean)]
            fire = round(max(threshold_at(g, rule["fire_pass"]) for g in groups) + 0.0005, 3)
            out[name]["ship" if fold is None else str(fold)] = {
                "smoke": smoke, "fire": min(fire, 0.999), "needed": rule["needed"], "window": rule["window"]}
    # the points of one fold must not cross, and boxes begin below the lowest
    for fold in out["balanced"]:
        low = 1.0
        for name in ("quiet", "balanced", "eager"):
            p = out[name][fold]
            p["smoke"], low = min(low, p["smoke"]), min(low, p["smoke"])
        for name in out:
            e = out["eager"][fold]
            out[name][fold] |= {"screen": round(e["smoke"] * PARAMS["screen"], 3), "fire_screen": round(e["fire"] * PARAMS["screen"], 3)}
    (args.work / "points.json").write_text(json.dumps(out, indent=1))
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
