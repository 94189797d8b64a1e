"""Evaluates the operating points of a released model on the watch events: separately on those it learned from and those it did not.

    python replay.py frames --work WORK
    python released.py --work WORK --huoyan PROGRAM --model ../0.2.0

The program analyses every frame once, whole and in all three tiles (`huoyan replay`). confirm.py then tries the points; a test keeps it
equal to the program. With one frame per minute this takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tomllib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bank import Bank
from confirm import confirm
from events import outcome, with_intervals
from operating import events_of, seconds

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())
NUMBERS = ("smoke", "fire", "smoke_tile", "fire_tile", "evidence")


def look(huoyan: Path, config: Path, folders: list[Path]) -> dict:
    """event -> frames [(s, detections, tiles, has past)]."""
    command = [huoyan, "--config", config, "--json", "-q", "replay", *folders]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seen = defaultdict(list)
    for x in map(json.loads, out.splitlines()):
        if x["type"] == "frame":
            event = Path(x["source"]).name
            seen[event].append((seconds(x["captured_at"]), x["detections"], x.get("tiles", []), x.get("has_past", True)))
    return {e: sorted(frames, key=lambda t: t[0]) for e, frames in seen.items()}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True, help="where prepare.py and `replay.py frames` wrote")
    ap.add_argument("--huoyan", type=Path, required=True)
    ap.add_argument("--model", type=Path, required=True)
    args = ap.parse_args()
    bank = Bank(args.work, PARAMS)
    events = events_of(bank, args.work)
    unseen = {r["event"] for r in bank.rows if r["kind"] == "watch" and r["split"] == "val"}
    config = args.work / "released.toml"
    config.write_text(f'[detect]\nmodel = "{args.model.resolve()}"\ntiles = 3\n')
    names = sorted(events)
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(lambda n: look(args.huoyan, config, [args.work / "events" / e for e in names[n::2]]), (0, 1))
        seen = {e: frames for half in halves for e, frames in half.items()}
    for name, point in tomllib.loads((args.model / "model.toml").read_text())["points"].items():
        for title, part in (("learned from", [e for e in names if e not in unseen]), ("never seen", sorted(unseen))):
            out = [outcome(events[e], [now for now, *_ in confirm(seen[e], {k: point[k] for k in NUMBERS})]) for e in part]
            f, fires = with_intervals(out), sum(o.event.first_box_s is not None for o in out)
            days = sum(o.clean_min for o in out) / 1440
            print(f"{name:9s} {len(out)} events {title}, {fires} fires, {days:.2f} camera-days without smoke: "
                  + ", ".join(f"{k} {v[0]:.3f} [{v[1]:.3f}, {v[2]:.3f}]" for k, v in f.items()))
            print("    " + "  ".join(f"{o.event.name} {'-' if o.delay_min is None else f'{o.delay_min:+.0f}'}/{o.false_alarms}"
                                     for o in out if o.event.first_box_s is not None or o.false_alarms))


if __name__ == "__main__":
    main()
