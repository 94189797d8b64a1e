"""Chooses the operating points, each fold's from the other folds only, and the shipped ones from all of them.

    python operating.py --work DIR        reads DIR/fold*.npz and DIR/replay-all.jsonl -> DIR/points.json

points.json: name -> fold ("0", "1", ... and "ship") -> smoke, smoke_tile, fire, fire_tile, evidence, screen, fire_screen; and under
"screening" smoke, fire and looks: the shares of clean whole views and tiles at which the full network is called.
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
from confirm import SILENCE, confirm
from events import Event, figures, outcome
from metrics import threshold_at

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


def logit(p):
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def logistic(x) -> float:
    return float(1 / (1 + np.exp(-x)))


class Scores:
    """Scores of every picture by the network that never saw it: the whole, and of watch frames the strongest of three tiles."""

    def __init__(self, bank: Bank, paths):
        ids, heat, tiles = [], [], []
        for path in paths:
            z = np.load(path)
            ids += z["ids"].tolist()
            heat.append(z["heat"].astype(np.float32))
            tiles.append(z["tiles"].astype(np.float32).max((3, 4)))
        self.bank, self.ids, self.heat = bank, ids, np.concatenate(heat)
        self.rows = [bank.rows[k] for k in ids]
        self.views = np.concatenate(tiles)  # [n, 3, 2]
        self.smoke, self.fire = (self.heat[:, c].max((1, 2)) for c in (0, 1))
        self.smoke_tile, self.fire_tile = (self.views[:, :, c].max(1) for c in (0, 1))
        self.fold = np.array([bank.fold(k) for k in ids])
        self.boxed = self.mask(lambda r: r["kind"] == "watch" and r["box"])
        self.clean = self.mask(lambda r: r["kind"] == "watch" and not r["box"] and not r["unsure"])
        self.photo = self.mask(lambda r: r["kind"] == "photo")
        self.hard = self.mask(lambda r: r["kind"] == "photo" and r["what"] in HARD)
        self.flame = self.mask(lambda r: r["kind"] == "flame" and r["what"] == "flame")

    def mask(self, f):
        return np.array([bool(f(r)) for r in self.rows])

    def added(self) -> np.ndarray:
        """Whole and strongest tile as two witnesses: their log-odds, added."""
        return logit(self.smoke) + logit(self.smoke_tile)

    def both(self, level: dict, cls: str = "smoke") -> np.ndarray:
        """Whole and tiles on one scale: log-odds over the neutral score of the view, the stronger of the two. level: fold -> point."""
        whole, tile = ([level[str(f)][key] for f in self.fold] for key in (cls, f"{cls}_tile"))
        by_tile = logit(getattr(self, f"{cls}_tile")) - logit(np.array(tile))
        watch = self.mask(lambda r: r["kind"] == "watch")
        return np.maximum(logit(getattr(self, cls)) - logit(np.array(whole)), np.where(watch, by_tile, -np.inf))


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def read_replay(path: Path):
    """event -> (frames [(s, detections, tiles)], sightings [s])."""
    frames, sightings = defaultdict(list), defaultdict(list)
    for line in path.read_text().splitlines():
        x = json.loads(line)
        if x["type"] == "frame":
            frames[x["event"]].append((seconds(x["captured_at"]), x["detections"], x.get("tiles", []), x.get("has_past", True)))
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


def levels(scores: Scores, use: np.ndarray, rule: dict) -> dict:
    """Neutral scores: so many of the clean looks, and of the photographs without smoke or fire, lie over them."""
    clean, hard, photo = scores.clean & use, scores.hard & use, scores.photo & use
    out = {"smoke": max(threshold_at(scores.smoke[clean], rule["clean"]), threshold_at(scores.smoke[hard], rule["photographs"])),
           "smoke_tile": threshold_at(scores.smoke_tile[clean], rule["clean"])}
    out["fire"] = max(threshold_at(scores.fire[g], rule["fire_pass"]) for g in (photo, hard, clean))
    out["fire_tile"] = max(out["fire"], threshold_at(scores.fire_tile[clean], rule["fire_pass"]))
    return {k: round(min(max(v, 0.05), 0.995), 3) for k, v in out.items()}


def heard(detections: list, level: dict) -> list:
    """Without boxes that say no more than silence: nothing hangs on them, and there are many."""
    least = {key: logistic(logit(score) + SILENCE) for key, score in level.items()}
    return [d for d in detections if d["confidence"] > least[d["class"] + ("_tile" if d.get("tile") else "")]]


def choose(bank: Bank, replayed, events, use, rule, level: dict) -> float:
    """The least evidence that keeps the bound on the events that `use` allows, and the rule's margin above it."""
    names = [e for e in events if use(bank.fold_of[e])]
    seen = {e: [(now, heard(detections, level), *more) for now, detections, *more in replayed[e][0]] for e in names}
    best = EVIDENCE[-1]
    for evidence in EVIDENCE[::-1]:
        out = [outcome(events[e], [now for now, *_ in confirm(seen[e], level | {"evidence": evidence})]) for e in names]
        if figures(out)["false_alarms_per_camera_day"] > rule["false_alarms_per_camera_day"]:
            break
        best = evidence
    return round(min(best + rule["margin"], float(EVIDENCE[-1])), 2)


def screening(full: Scores, screen: Scores, use: np.ndarray, level: dict) -> dict:
    """Scores from which the full network looks: of the views with smoke that it finds, one in fifty is lost to the screening
    network alone (until the place is suspicious, or an audit comes by)."""
    found = (full.smoke > level["smoke"]) & full.boxed & use
    seen = [screen.smoke[found]]
    found = (full.views[:, :, 0] > level["smoke_tile"]) & (full.boxed & use)[:, None]
    seen.append(screen.views[:, :, 0][found])
    smoke = float(np.quantile(np.concatenate(seen), PARAMS["screening"]["lost"]))
    flame = (full.fire > level["fire"]) & full.flame & use
    fire = float(np.quantile(screen.fire[flame], PARAMS["screening"]["lost"])) if flame.any() else 0.5
    clean = full.clean & use
    over = (screen.smoke > smoke) | (screen.fire > fire)
    over_tile = (screen.views[:, :, 0] > smoke) | (screen.views[:, :, 1] > fire)
    return {"smoke": round(max(smoke, 0.01), 3), "fire": round(max(fire, 0.01), 3),
            "looks": [float(over[clean].mean()), float(over_tile[clean].mean())]}


EVIDENCE = np.arange(1.0, 11.01, 0.25)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--bank", type=Path)
    args = ap.parse_args()
    work = args.bank or args.work
    bank = Bank(work, PARAMS)
    folds = range(PARAMS["train"]["folds"])
    scores = Scores(bank, [args.work / f"fold{f}.npz" for f in folds])
    screen = Scores(bank, [args.work / f"fold{f}-screen.npz" for f in folds])
    replayed, events = read_replay(args.work / "replay-all.jsonl"), events_of(bank, work)
    out: dict = {}
    for name, rule in PARAMS["points"].items():
        out[name] = {}
        for fold in [*folds, None]:

            def use(f, fold=fold):
                return f != fold

            mine = np.array([use(f) for f in scores.fold])
            level = levels(scores, mine, rule)
            out[name]["ship" if fold is None else str(fold)] = level | {"evidence": choose(bank, replayed, events, use, rule, level)}
    out["screening"] = {}
    for fold in [*folds, None]:
        key = "ship" if fold is None else str(fold)
        mine = np.array([f != fold for f in scores.fold])
        out["screening"][key] = screening(scores, screen, mine, out["balanced"][key])
        lowest = {c: min(out[n][key][k] for n in PARAMS["points"] for k in (c, f"{c}_tile")) for c in ("smoke", "fire")}
        for name in PARAMS["points"]:  # boxes begin below the lowest neutral score
            boxes = {c: round(v * PARAMS["screen"], 3) for c, v in lowest.items()}
            out[name][key] |= {"screen": boxes["smoke"], "fire_screen": boxes["fire"]}
    (args.work / "points.json").write_text(json.dumps(out, indent=1))
    for name in out:
        print(name, json.dumps(out[name]["ship"]))


if __name__ == "__main__":
    main()
