"""Prints every figure of the card, and writes them to WORK/figures.json.

    python figures.py --work WORK/stage2 --bank WORK [--model ../0.2.0] [--json]

Reads what score.py, operating.py and replay.py left in WORK: fold*.npz, fold*-screen.npz, points.json,
replay-{quiet,balanced,eager}.jsonl, and the same of net for the last look at val.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np

from bank import HARD, Bank
from confirm import confirm
from events import outcome, with_intervals
from metrics import auc, recall_at, threshold_at
from operating import Scores, events_of, read_replay

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())
POINTS = ("quiet", "balanced", "eager")


def bootstrap(event, pos, value, f, rounds=1000, seed=1):
    """95 % interval of f(boxed, clean), drawing events with replacement."""
    rng, names, out = np.random.default_rng(seed), np.unique(event), []
    at = {e: np.flatnonzero(event == e) for e in names}
    while len(out) < rounds:
        take = np.concatenate([at[e] for e in rng.choice(names, len(names))])
        if pos[take].any() and not pos[take].all():
            out.append(f(value[take][pos[take]], value[take][~pos[take]]))
    return [float(v) for v in np.percentile(out, [2.5, 97.5])]


def rate(hit, group, rounds=1000, seed=1) -> list[float]:
    """Share of hits with its 95 % interval, drawing groups (events, or pictures that belong to none) with replacement."""
    names, at = np.unique(group, return_inverse=True)
    n, h = np.bincount(at), np.bincount(at, weights=hit)
    take = np.random.default_rng(seed).integers(len(names), size=(rounds, len(names)))
    return [float(np.mean(hit)), *np.percentile(h[take].sum(1) / n[take].sum(1), [2.5, 97.5]).tolist()]


def frames(s: Scores, value: np.ndarray, allow=None) -> dict:
    """Ranking of bare frames by `value`."""
    keep = (s.boxed | s.clean) & (s.mask(allow) if allow else True)
    event, pos, value = np.array([r.get("event") for r in s.rows])[keep], s.boxed[keep], value[keep]
    out = {"boxed": int(pos.sum()), "clean": int((~pos).sum()), "events": len(set(event))}
    for name, f in (("auc", auc), ("recall_at_5", lambda p, n: recall_at(p, n, 0.05)), ("recall_at_1", lambda p, n: recall_at(p, n, 0.01))):
        out[name] = [float(f(value[pos], value[~pos])), *bootstrap(event, pos, value, f)]
    boxes = [r["box"] for r, k in zip(s.rows, keep) if k and r["box"]]
    area = np.array([(b[2] - b[0]) * (b[3] - b[1]) for b in boxes]) / 307200
    part = np.searchsorted(np.quantile(area, [0.25, 0.5, 0.75]), area, side="left")
    t5, t1 = threshold_at(value[~pos], 0.05), threshold_at(value[~pos], 0.01)
    out["quarters"] = [{"area": [float(area[part == i].min()), float(area[part == i].max())],
                        "recall_at_5": rate(value[pos][part == i] > t5, event[pos][part == i]),
                        "recall_at_1": rate(value[pos][part == i] > t1, event[pos][part == i])} for i in range(4)]
    return out


def strongest_in_box(s: Scores) -> float:
    hits = []
    for k in np.flatnonzero(s.boxed):
        y, x = np.unravel_index(s.heat[k, 0].argmax(), s.heat[k, 0].shape)
        b = s.rows[k]["box"]
        hits.append(b[0] - 16 <= x * 16 + 8 <= b[2] + 16 and b[1] - 16 <= y * 16 + 8 <= b[3] + 16)
    return float(np.mean(hits))


KINDS = ("near_plume", "far_plume", "black_smoke", "field_burning", "crown_fire", "night", "flame")


def at_points(s: Scores, points: dict, fold_of) -> dict:
    """Frames, whole and tiles, and photographs over each fold's own neutral scores: what lasts there becomes an alarm."""
    out, group = {}, np.array([r.get("event") or r.get("group") or str(k) for k, r in zip(s.ids, s.rows)])
    parts = {"boxed": s.boxed, "clean": s.clean, "hard photographs": s.hard}
    parts |= {kind: s.mask(lambda r, kind=kind: r["kind"] == "photo" and r["what"] == kind) for kind in (*HARD, "landscape")}
    for name in POINTS:
        level = {str(f): points[name][fold_of(f)] for f in set(s.fold.tolist())}
        smoke, fire = s.both(level, "smoke") > 0, s.both(level, "fire") > 0
        out[name] = {f"smoke: {k}": rate(smoke[m], group[m]) for k, m in parts.items()}
        out[name] |= {f"fire: {k}": rate(fire[m], group[m]) for k, m in (("clean", s.clean), ("photographs", s.photo), ("flames", s.flame))}
        for kind in KINDS:
            m = s.mask(lambda r, kind=kind: r["kind"] == "lawful" and kind in r["what"])
            if m.any():
                out[name][f"either: lawful {kind}"] = rate((smoke | fire)[m], group[m])
    return out


def cascade(full: Scores, screen: Scores, points: dict) -> dict:
    """What the screening network costs: boxed frames over the neutral scores of `balanced` in any view, by the full network at every
    view, and only where the screening network calls it. All, and the smallest quarter of boxes."""
    at = {k: i for i, k in enumerate(screen.ids)}
    order = [at[k] for k in full.ids]
    fold = full.fold.astype(str)
    level = {c: np.array([points["balanced"][f][c] for f in fold]) for c in ("smoke", "smoke_tile")}
    calls = np.array([points["screening"][f]["smoke"] for f in fold])
    found = np.column_stack([full.smoke > level["smoke"], full.views[:, :, 0] > level["smoke_tile"][:, None]])
    called = np.column_stack([screen.smoke[order], screen.views[order][:, :, 0]]) > calls[:, None]
    every, both = found.any(1)[full.boxed], (found & called).any(1)[full.boxed]
    area = np.array([(b[2] - b[0]) * (b[3] - b[1]) for b in (r["box"] for r, on in zip(full.rows, full.boxed) if on)])
    least = area <= np.quantile(area, 0.25)
    return {"full": [float(every.mean()), float(every[least].mean())], "cascade": [float(both.mean()), float(both[least].mean())]}


def summary(rows) -> dict:
    return with_intervals(rows) | {"events": len(rows), "fires": sum(r.event.first_box_s is not None for r in rows),
                                   "camera_days": sum(r.clean_min for r in rows) / 1440}


def through_the_program(work: Path, prefix: str, events, point_of) -> tuple[dict, dict]:
    """point_of(name, event): the thresholds used. Fails where confirm.py, by which they were chosen, would not have said what the
    program said."""
    out, each = {}, {}
    for name in POINTS:
        path = work / f"replay-{prefix}{name}.jsonl"
        seen = read_replay(path)
        for e, (frames_seen, said) in seen.items():
            p = point_of(name, e)
            ours = [t for t, *_ in confirm(frames_seen, {k: p[k] for k in ("smoke", "fire", "smoke_tile", "fire_tile", "evidence")})]
            assert sorted(ours) == sorted(said), f"{path.name}, {e}: the program alarms at {said}, confirm.py at {ours}"
        rows = [outcome(events[e], s) for e, (_, s) in sorted(seen.items())]
        out[name] = summary(rows)
        each[name] = {r.event.name: [r.delay_min, r.false_alarms, r.clean_min] for r in rows}
    return out, each


def same_for_tiles(screening: dict) -> dict:
    """The screening network has one threshold a class for both views."""
    return {fold: at | {f"{c}_tile": at[c] for c in ("smoke", "fire")} for fold, at in screening.items()}


def cost(model: Path) -> dict:
    """In a process of its own: what else lies in memory costs time."""
    script = Path(__file__).parent / "yardstick.py"
    return json.loads(subprocess.run([sys.executable, script, model, "--json"], check=True, capture_output=True, text=True).stdout)


def interval(v, form=".3f"):
    return f"{v[0]:{form}} [{v[1]:{form}}, {v[2]:{form}}]"


def show_frames(title: str, f: dict):
    print(f"\n{title}: {f['boxed']} boxed and {f['clean']} clean frames of {f['events']} events")
    for key, words in (("auc", "AUC"), ("recall_at_5", "recall at 5 % false frames"), ("recall_at_1", "recall at 1 % false frames")):
        print(f"  {words:28s} {interval(f[key])}")
    for q in f["quarters"]:
        print(f"  boxes of {100 * q['area'][0]:5.2f} to {100 * q['area'][1]:5.2f} % of the frame: recall "
              f"{interval(q['recall_at_5'], '.2f')} at 5 %, {interval(q['recall_at_1'], '.2f')} at 1 % false frames")


def show_events(title: str, program: dict):
    for name, p in program.items():
        if name == POINTS[0]:
            print(f"\n{title}: {p['fires']} boxed events of {p['events']}, {p['camera_days']:.2f} camera-days without smoke")
        print(f"  {name:9s} found {interval(p['event_recall'], '.2f')}, "
              f"within 5 min of the first box {interval(p['event_recall_5min'], '.2f')}, "
              f"median {interval(p['minutes_to_alarm'], '.1f')} min, slowest found {p['worst_found_min'][0]:.0f} min; "
              f"false alarms a camera-day {interval(p['false_alarms_per_camera_day'], '.2f')}")


def show_points(title: str, at: dict):
    print(f"\n{title}: share over each point's neutral scores")
    print("  " + " " * 24 + "".join(f"{p:>24s}" for p in POINTS))
    for n in at["balanced"]:
        print(f"  {n:24s}" + "".join(f"{interval(at[p][n]):>24s}" for p in POINTS))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--bank", type=Path, help="where prepare.py wrote; default: --work")
    ap.add_argument("--model", type=Path, help="its cost is measured too")
    ap.add_argument("--json", action="store_true")
    args = ap.parse_args()
    home = args.bank or args.work
    bank = Bank(home, PARAMS)
    events, points = events_of(bank, home), json.loads((args.work / "points.json").read_text())
    out: dict = {"cost": cost(args.model)} if args.model else {}
    cross = Scores(bank, sorted(args.work.glob("fold?.npz")))
    value = cross.both(points["balanced"])
    out["cross"] = {"frames": frames(cross, value), "whole": frames(cross, cross.smoke), "added": frames(cross, cross.added()),
                    "frames_of_train": frames(cross, value, lambda r: r["split"] == "train"),
                    "strongest_in_box": strongest_in_box(cross), "points": at_points(cross, points, str),
                    "flames_auc": auc(cross.fire[cross.flame], cross.fire[cross.photo])}
    screen = Scores(bank, sorted(args.work.glob("fold?-screen.npz")))
    out["cross"]["cascade"] = cascade(cross, screen, points)
    out["screen"] = {"frames": frames(screen, screen.both(points["screening"] | same_for_tiles(points["screening"]))),
                     "at": points["screening"]}
    out["cross"]["program"], out["cross"]["each"] = through_the_program(
        args.work, "", events, lambda name, e: points[name][str(bank.fold_of[e])])
    no_past = sorted(args.work.glob("fold?-no-past.npz"))
    if no_past:
        alone = Scores(bank, no_past)
        out["no_past"] = frames(alone, alone.both(points["balanced"]))
    if (args.work / "net.npz").exists():
        val = Scores(bank, [args.work / "net.npz"])
        ship = {str(f): points["balanced"]["ship"] for f in range(PARAMS["train"]["folds"])}
        out["val"] = {"frames": frames(val, val.both(ship)), "strongest_in_box": strongest_in_box(val),
                      "points": at_points(val, points, lambda _: "ship"),
                      "flames_auc": auc(val.fire[val.flame], val.fire[val.photo])}
        out["val"]["program"], out["val"]["each"] = through_the_program(
            args.work, "net-", events, lambda name, _: points[name]["ship"])
    (args.work / "figures.json").write_text(json.dumps(out, indent=1))
    if args.json:
        print(json.dumps(out))
        return
    if args.model:
        c = out["cost"]
        print(f"16:9 picture, 1 thread, {c['flags']}: full network {c['wide']:.1f} ms of processor time, screening network "
              f"{c['screen']:.1f} ms; YOLOv8n-shaped graph at 640x384 in the same run {c['yolov8n']:.1f} ms; ratios "
              f"{c['wide_ratio']:.2f} and {c['screen_ratio']:.3f}")
        # A look of a quiet camera: the whole and one tile, each screened; the full network where that says so, and at audits.
        looked = sum(out["screen"]["at"]["ship"]["looks"]) + 2 * PARAMS["screening"]["audit"]
        ratio = 2 * c["screen_ratio"] + looked * c["wide_ratio"]
        print(f"A look with one tile where nothing burns: {ratio:.2f} of that graph ({looked:.3f} looks of the full network)")
    for key, title in (("cross", "Cross-validated"), ("val", "Last look at val, shipped network")):
        if key in out:
            o = out[key]
            show_frames(f"{title}, bare frames", o["frames"])
            if key == "cross":
                show_frames("  of these the train split", o["frames_of_train"])
                show_frames("  the whole alone, without tiles", o["whole"])
                show_frames("  log-odds of the whole and of the strongest tile, added", o["added"])
            print(f"  strongest cell within one cell of the box: {o['strongest_in_box']:.3f}")
            show_points(f"{title}, bare frames and photographs", o["points"])
            print(f"  flames against photographs without fire: AUC {o['flames_auc']:.3f}")
            show_events(f"{title}, through the program's confirmation", o["program"])
            each = o["each"].get("balanced", {})
            print("  balanced, by event: minutes from the first box to the alarm (-: none; blank: no box) / false alarms")
            line = []
            for e, (delay, false, _) in each.items():
                fire = events[e].first_box_s is not None
                line.append(f"{e} {'' if not fire else '-' if delay is None else f'{delay:+.0f}'}/{false}")
            for i in range(0, len(line), 12):
                print("    " + "  ".join(line[i:i + 12]))
    looks = [out["screen"]["at"]["ship"]["looks"][i] for i in (0, 1)]
    print(f"\nScreening network: over its thresholds {looks[0]:.3f} of the clean whole looks and {looks[1]:.3f} of the clean tiles")
    c = out["cross"]["cascade"]
    print(f"  boxed frames over the neutral scores: full network {c['full'][0]:.3f}, with the screening network {c['cascade'][0]:.3f}; "
          f"smallest quarter of boxes {c['full'][1]:.3f} and {c['cascade'][1]:.3f}")
    show_frames("Cross-validated, the screening network alone", out["screen"]["frames"])
    if "no_past" in out:
        show_frames("Cross-validated, the present frame repeated as its own past", out["no_past"])


if __name__ == "__main__":
    main()
