"""The output of prepare.py under one numbering: pictures and their rows, mattes, the folds, and a frame's past."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

import data as d

HARD = ("fog", "cloud", "sunrise", "rain")
# A source that states a licence lies in one fold as a whole: its figures are of networks that saw none of its pictures.
SOURCE_FOLD = {"biplab": 0, "abonia": 1, "ajitesh": 2, "elementary": 3, "lomiri": 3}


class Bank:
    """The output of prepare.py: pictures, their rows, mattes, and the folds."""

    def __init__(self, work: Path, params: dict):
        self.params = params
        self.pixels = d.Pixels(work)
        self.rows = self.pixels.index
        self.mattes = json.loads((work / "mattes.json").read_text())
        self.alpha = np.load(work / "mattes.npy", mmap_mode="r")
        self.timeline = defaultdict(dict)
        for k, r in enumerate(self.rows):
            if r["kind"] == "watch":
                self.timeline[r["event"]][r["minute"]] = k
        self.fold_of = self.deal(params["train"]["folds"])

    def deal(self, n: int) -> dict:
        """Event -> fold. Events of one camera, and those of one fire seen by several cameras, form a group. Groups are
        assigned in descending order of boxed frames, each to the fold with the lowest load (boxed frames + 10 per event)."""
        group = {}

        def root(x):
            while group.setdefault(x, x) != x:
                x = group[x]
            return x

        boxed = defaultdict(int)
        for r in self.rows:
            if r["kind"] == "watch":
                for other in (("camera", r["camera"]), ("fire", r["fire"])):
                    if other[1]:
                        group[root(other)] = root(("event", r["event"]))
                boxed[r["event"]] += r["box"] is not None
        members = defaultdict(list)
        for event in boxed:
            members[root(("event", event))].append(event)
        load, out = [0] * n, {}
        for events in sorted(members.values(), key=lambda v: (-sum(boxed[e] for e in v), v)):
            k = load.index(min(load))
            load[k] += sum(boxed[e] for e in events) + 10 * len(events)
            out |= {e: k for e in events}
        return out

    def fold(self, k: int) -> int:
        """Photographs have no event: their fold follows from their source if it has one, else from their number."""
        r = self.rows[k]
        if r.get("source") in SOURCE_FOLD:
            return SOURCE_FOLD[r["source"]]
        return self.fold_of[r["event"]] if r["kind"] == "watch" else k // 7 % self.params["train"]["folds"]

    def marks(self, k: int) -> set:
        """The held-out sets of this picture: its fold and maybe val. A network evaluated on one may not learn from its samples."""
        return {str(self.fold(k))} | ({"val"} if self.rows[k]["split"] == "val" else set())

    def clean(self, k: int) -> bool:
        return self.rows[k]["box"] is None and not self.rows[k]["unsure"]

    def past(self, k: int, minutes: int) -> int:
        """The frame `minutes` earlier, or the nearest within two minutes of that, else the event's oldest."""
        m = self.rows[k]["minute"]
        line = self.timeline[self.rows[k]["event"]]
        for off in (0, 1, -1, 2, -2):
            if m - minutes - off in line and minutes + off > 0:
                return line[m - minutes - off]
        return line[min(line)]

    def tiles(self, event: str) -> list[tuple]:
        """The tiles of a fixed camera, found in the event's first frame and used for all."""
        line = self.timeline[event]
        return d.tiles(self.pixels(line[min(line)]))

    def matte(self, j: int):
        m = self.mattes[j]
        a = self.alpha[m["at"]:m["at"] + m["h"] * m["w"]].reshape(m["h"], m["w"])
        return a, np.array(m["colour"], np.float32), m["event"]
