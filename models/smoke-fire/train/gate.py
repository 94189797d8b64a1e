"""What the change gate costs on the watch events: the same frames through the program with and without it.

python gate.py links WATCH WORK            a folder an event, pictures named by their time -> WORK/<split>/<event>/
huoyan replay --json WORK/val/* > bare.jsonl; huoyan replay --json --gate WORK/val/* > gated.jsonl
python gate.py report WATCH val bare.jsonl gated.jsonl
"""

from __future__ import annotations

import argparse
import csv
import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

MODEL = Path(__file__).parents[1] / "0.2.0" / "model.toml"


def rows(watch: Path):
    return [r | {"id": Path(r["image"]).stem} for r in csv.DictReader((watch / "watch.csv").open())]


def links(watch: Path, work: Path):
    for r in rows(watch):
        at = datetime.fromisoformat(r["captured_at"]).replace(tzinfo=UTC)
        path = work / r["split"] / r["event"] / f"{int(at.timestamp())}_{r['image']}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.symlink_to((watch / "images" / r["image"]).resolve())


def replayed(path: Path):
    """Picture -> its detections (None if the gate was closed); event -> frame numbers of its alarms."""
    frames, alarms = {}, {}
    for line in map(json.loads, path.open()):
        if line["type"] in ("frame", "gated"):
            frames[Path(line["file"]).stem.split("_", 1)[1]] = line.get("detections")
        elif line["type"] == "sighting":
            alarms.setdefault(Path(line["source"]).name, []).append(line["index"])
    return frames, alarms


def report(watch: Path, split: str, bare_file: Path, gated_file: Path):
    manifest = tomllib.loads(MODEL.read_text())
    levels = manifest["points"][manifest["default_point"]]
    (bare, bare_alarms), (gated, gated_alarms) = replayed(bare_file), replayed(gated_file)
    mine = [r for r in rows(watch) if r["split"] == split]

    def alarms(frames, r):
        return any(d["confidence"] >= levels[d["class"]] for d in frames[r["id"]] or [])

    def say(what, chosen):
        shut = sum(gated[r["id"]] is None for r in chosen)
        over = [sum(alarms(frames, r) for r in chosen) for frames in (bare, gated)]
        over_words = f"over the alarm level: {over[0]} without, {over[1]} with the gate"
        print(f"{what:<8} {len(chosen):>5} frames, let through {1 - shut / len(chosen):.3f}; {over_words}")

    print(f"{split}:")
    say("all", mine)
    say("boxed", [r for r in mine if r["xmin"]])
    say("clean", [r for r in mine if not r["xmin"] and r["unsure"] == "0"])
    for event in sorted({r["event"] for r in mine}):
        shut = sum(gated[r["id"]] is None for r in mine if r["event"] == event)
        without, with_gate = (",".join(map(str, a.get(event, []))) or "-" for a in (bare_alarms, gated_alarms))
        print(f"  {event}: {shut:>2} shut; alarms at frame {without} without, {with_gate} with the gate")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    links_args, report_args = commands.add_parser("links"), commands.add_parser("report")
    for name in ("watch", "work"):
        links_args.add_argument(name, type=Path)
    for name, kind in (("watch", Path), ("split", str), ("bare", Path), ("gated", Path)):
        report_args.add_argument(name, type=kind)
    args = parser.parse_args()
    if args.command == "links":
        links(args.watch, args.work)
    else:
        report(args.watch, args.split, args.bare, args.gated)
