"""Prints every figure of the model card, from the exported model.

    python evaluate.py --data DIR [--model ../0.1.0] [--photos DIR] [--keep FILE]

With --keep, heatmaps are remembered in FILE, and a second run (other thresholds, say) is quick.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import time
import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

import data as d
import plume
import stills
from metrics import auc, recall_at, threshold_at


class Model:
    def __init__(self, folder: Path, threads: int = 1, keep: Path | None = None):
        self.keep = keep
        self.known = pickle.loads(keep.read_bytes()) if keep and keep.exists() else {}
        self.card = tomllib.loads((folder / "model.toml").read_text())
        opts = ort.SessionOptions()
        opts.intra_op_num_threads = threads
        opts.inter_op_num_threads = 1
        self.net = ort.InferenceSession(str(folder / self.card["file"]), opts, providers=["CPUExecutionProvider"])
        i = self.card["input"]
        self.params = {"input": {k: i[k] for k in ("width", "height", "mean", "std")} | {"letterbox": 114}}

    def canvas(self, img: np.ndarray) -> np.ndarray:
        return d.letterbox((img.shape[1], img.shape[0]), self.params).apply(img, self.params)

    def __call__(self, present: np.ndarray, earlier: np.ndarray | None = None) -> np.ndarray:
        """Two pictures (uint8 RGB) -> heatmap [2, h, w]."""
        key = hashlib.blake2b(self.card["sha256"].encode())
        for img in (present, present if earlier is None else earlier):
            key.update(np.ascontiguousarray(img))
        key = key.digest()
        if key not in self.known:
            p = d.tensor(self.canvas(present), self.params)
            e = p if earlier is None else d.tensor(self.canvas(earlier), self.params)
            self.known[key] = self.net.run(["heatmap"], {"frames": np.stack([p, e])[None]})[0][0]
            if self.keep and len(self.known) % 200 == 0:
                self.save()
        return self.known[key]

    def save(self):
        if self.keep:
            self.keep.write_bytes(pickle.dumps(self.known))


class Watch:
    """Watch frames of one split with the frame `past_s` before each."""

    def __init__(self, root: Path, split: str, crop=None):
        self.root, self.crop = root / "watch/images", crop
        self.rows = [r for r in d.table(root / "watch/watch.csv") if r["split"] == split]
        self.line = defaultdict(dict)
        for r in self.rows:
            self.line[r["event"]][int(r["minute_index"])] = r

    def read(self, r):
        img = d.read_watch(self.root / r["image"], 20)
        return img if self.crop is None else img[self.crop[0]:self.crop[1]]

    def past(self, r, minutes: int):
        """The frame about that many minutes earlier (two minutes of tolerance), else the oldest."""
        line, m = self.line[r["event"]], int(r["minute_index"])
        for off in (0, 1, -1, 2, -2):
            if m - minutes - off in line and minutes + off > 0:
                return line[m - minutes - off]
        return line[min(line)] if min(line) < m else None

    def run(self, model: Model, minutes: int | None, everything: bool = False):
        """Heatmaps of boxed and clean frames (or all): list of (row, heatmap)."""
        out = []
        for r in self.rows:
            if everything or r["xmin"] or r["unsure"] == "0":
                past = self.past(r, minutes) if minutes else None
                out.append((r, model(self.read(r), self.read(past) if past else None)))
        return out


def frame_score(heat: np.ndarray, cls: int = 0) -> float:
    return float(heat[cls].max())


def figures(event, pos, score):
    p, n = score[pos], score[~pos]
    return auc(p, n), recall_at(p, n, 0.05), recall_at(p, n, 0.01)


def bootstrap(event, pos, score, rounds=2000, seed=1):
    """95 % interval of every figure, drawing events with replacement."""
    rng, names, out = np.random.default_rng(seed), np.unique(event), []
    index = {e: np.flatnonzero(event == e) for e in names}
    while len(out) < rounds:
        take = np.concatenate([index[e] for e in rng.choice(names, len(names))])
        if pos[take].any() and not pos[take].all():
            out.append(figures(event[take], pos[take], score[take]))
    return np.percentile(out, [2.5, 97.5], axis=0)


def arrays(results):
    event = np.array([r["event"] for r, _ in results])
    pos = np.array([bool(r["xmin"]) for r, _ in results])
    return event, pos, np.array([frame_score(h) for _, h in results])


def show(title, results, interval=True):
    event, pos, score = arrays(results)
    f = figures(event, pos, score)
    line = f"{title}: {pos.sum()} boxed, {(~pos).sum()} clean, {len(set(event))} events"
    for j, name in enumerate(("AUC", "recall at 5 % false frames", "recall at 1 % false frames")):
        text = f"  {name:28s} {f[j]:.3f}"
        if interval:
            lo, hi = bootstrap(event, pos, score)[:, j]
            text += f"   95 % [{lo:.3f}, {hi:.3f}]"
        line += "\n" + text
    print(line, flush=True)


def watch_report(model: Model, root: Path):
    limits = {k: v["smoke"] for k, v in model.card["thresholds"].items()}
    watch = Watch(root, "val")
    results = watch.run(model, 3, everything=True)
    known = [x for x in results if x[0]["xmin"] or x[0]["unsure"] == "0"]
    show("\nWatch val, past 180 s", known)
    _, pos, score = arrays(known)
    for name, t in limits.items():
        print(f"  at {name} = {t:.3f}: recall {(score[pos] > t).mean():.3f}, false frames {(score[~pos] > t).mean():.3f}")
    t5 = threshold_at(score[~pos], 0.05)
    fire = np.array([frame_score(h, 1) for _, h in known])
    for name, part in (("clean", fire[~pos]), ("boxed", fire[pos])):
        print(f"  fire on {name} frames: " + ", ".join(
            f"over {k} {(part > v['fire']).mean():.3f}" for k, v in model.card["thresholds"].items())
            + f", highest {part.max():.3f}")
    boxed = [x for x in known if x[0]["xmin"]]
    area = np.array([(b[2] - b[0]) * (b[3] - b[1]) for b in (d.box_of(r) for r, _ in boxed)])
    q = np.quantile(area, [0.25, 0.5, 0.75])
    s = score[pos]
    print("  recall by box size (share of the frame), at 5 % false frames and at `screen`, `alarm`:")
    for i in range(4):
        m = np.searchsorted(q, area, side="left") == i
        print(f"    quarter {i + 1}: {100 * area[m].min() / 307200:.2f}-{100 * area[m].max() / 307200:.2f} %  n {m.sum()}  "
              f"{(s[m] > t5).mean():.2f}  {(s[m] > limits['screen']).mean():.2f}  {(s[m] > limits['alarm']).mean():.2f}")
    for split in ("train", "val"):
        b = [d.box_of(r) for r in d.table(root / "watch/watch.csv") if r["xmin"] and r["split"] == split]
        print(f"  median box of the {split} split: {100 * np.median([(x[2] - x[0]) * (x[3] - x[1]) for x in b]) / 307200:.1f} %")
    hits = 0
    for r, h in boxed:
        y, x = np.unravel_index(h[0].argmax(), h[0].shape)
        b = d.box_of(r)
        hits += b[0] - 16 <= x * 16 + 8 <= b[2] + 16 and b[1] - 16 <= y * 16 + 8 <= b[3] + 16
    print(f"  strongest cell within one cell of the box: {hits / len(boxed):.3f} of boxed frames")
    print("  by event: clean frames over alarm | first frame over alarm, minutes after the first box (or smoke seen)")
    for e in sorted(watch.line):
        part = [(int(r["minute_index"]), r, frame_score(h)) for r, h in results if r["event"] == e]
        clean = [v for _, r, v in part if not r["xmin"] and r["unsure"] == "0"]
        info = next(x for x in d.table(root / "watch/events.csv") if x["event"] == e)
        zero = info["first_box_minute"] or info["smoke_seen_minute"]
        late = [m for m, r, v in part if v > limits["alarm"] and (r["xmin"] or r["unsure"] == "1")]
        first = f"{min(late) - int(zero):+d}" if late and zero else "none"
        print(f"    {e}: {sum(v > limits['alarm'] for v in clean)}/{len(clean)} | {first}")
    show("Watch val, no past (present repeated)", watch.run(model, None))
    show("Watch val, past 480 s", watch.run(model, 8), interval=False)
    wide = Watch(root, "val", crop=(100, 460)).run(model, 3)
    wide = [(r, h) for r, h in wide if not r["xmin"] or float(r["ymin"]) < 440 and float(r["ymax"]) > 120]
    show("Watch val, cropped to 640x360, past 180 s", wide, interval=False)


def photo_report(model: Model, root: Path):
    limits = model.card["thresholds"]
    rows = [r for r in d.table(root / "negatives/labels.csv") if r["split"] == "val"]
    heat = defaultdict(list)
    for r in rows:
        heat[r["kind"]].append(model(d.read(root / "negatives/images" / r["image"])))
    print("\nPhotographs without smoke (val), present repeated: share over threshold")
    for kind in sorted(heat) + ["all"]:
        hs = [h for part in heat.values() for h in part] if kind == "all" else heat[kind]
        cols = [f"{c} {t} {np.mean([frame_score(h, j) > limits[t][c] for h in hs]):.3f}"
                for j, c in enumerate(("smoke", "fire")) for t in ("screen", "alarm")]
        print(f"  {kind:16s} n {len(hs):3d}  " + "  ".join(cols))
    neg_fire = np.array([frame_score(h, 1) for hs in heat.values() for h in hs])
    neg_smoke = np.array([frame_score(h, 0) for hs in heat.values() for h in hs])
    fire = []
    for r in d.table(root / "flame/labels.csv"):
        if r["split"] == "val" and "flame" in r["class"]:
            fire.append(frame_score(model(d.read(root / "flame/images" / r["image"])), 1))
    fire = np.array(fire)
    print(f"Flames (val, near views) against those photographs: n {len(fire)}  AUC {auc(fire, neg_fire):.3f}  "
          f"recall at screen {np.mean(fire > limits['screen']['fire']):.3f}  alarm {np.mean(fire > limits['alarm']['fire']):.3f}")
    layout_report(model, root, rows)
    smoke = []
    for r in d.table(root / "alertwildfire/boxes.csv"):
        if r["split"] == "val":
            img = d.read_alert(root / "alertwildfire/images" / r["image"], d.box_of(r))
            smoke.append(frame_score(model(img)))
    smoke = np.array(smoke)
    print("AlertWildfire (val, present repeated) against those photographs: "
          f"n {len(smoke)}  AUC {auc(smoke, neg_smoke):.3f}  "
          f"recall at screen {np.mean(smoke > limits['screen']['smoke']):.3f}  "
          f"alarm {np.mean(smoke > limits['alarm']['smoke']):.3f}")


def layout_report(model: Model, root: Path, negatives):
    """Flames and pictures without fire in one and the same layout, every third picture; scenes are clean val frames."""
    flames = [r for r in d.table(root / "flame/labels.csv") if r["split"] == "val" and "flame" in r["class"]]
    watch = Watch(root, "val")
    clean = [r for r in watch.rows if not r["xmin"] and r["unsure"] == "0"]
    limits = model.card["thresholds"]
    print("Fire, every third of both, laid out alike:")
    for v, name in ((1, "filling the canvas"), (2, "laid into a watch frame"), (3, "off centre on grey")):
        top = []
        for folder, part in (("flame", flames[::3]), ("negatives", negatives[::3])):
            values = []
            for n, r in enumerate(part):
                rng = np.random.default_rng([v, n])
                back = watch.read(clean[rng.integers(len(clean))]) if v == 2 else None
                img = stills.lay(d.read(root / folder / "images" / r["image"]), v, rng, back)[0]
                values.append(frame_score(model(img), 1))
            top.append(np.array(values))
        print(f"  {name:24s} n {len(top[0])} and {len(top[1])}  AUC {auc(*top):.3f}  " + "  ".join(
            f"over {k}: {np.mean(top[0] > t['fire']):.3f} and {np.mean(top[1] > t['fire']):.3f}"
            for k, t in limits.items()), flush=True)


def plume_report(model: Model, photos: Path):
    """The drill: plumes at default scale on photographs the model has never seen, 640x360."""
    limits = {k: v["smoke"] for k, v in model.card["thresholds"].items()}
    places = {"aitzgorri": [(300, 235), (120, 215), (480, 240)], "picosdeeuropa": [(320, 250), (150, 240), (520, 230)],
              "sunset": [(320, 300), (150, 300), (500, 300)]}
    print("\nRendered plumes, 640x360, scale 60 px, clean earlier frame; "
          f"screen {limits['screen']:.3f} alarm {limits['alarm']:.3f}")
    print("  photo, foot          clean    20 s    40 s    60 s    90 s   120 s   240 s")
    for name, feet in places.items():
        path = next(iter(sorted(photos.glob(f"{name}*.jpg"))), None)
        if path is None:
            continue
        img = Image.open(path).convert("RGB")
        s = max(640 / img.width, 360 / img.height)
        img = img.resize((round(img.width * s), round(img.height * s)), Image.BILINEAR)
        x, y = (img.width - 640) // 2, (img.height - 360) // 2
        base = np.asarray(img.crop((x, y, x + 640, y + 360)))
        for n, foot in enumerate(feet):
            before = model(base, base)
            cells = [frame_score(before)]
            for age in (20, 40, 60, 90, 120, 240):
                a = plume.alpha(360, 640, foot, 60.0, age, 0.4 - 0.5 * n, n + 1)
                out = plume.composite(base.astype(np.float32) / 255, a, plume.colour(n + 1), age)
                cells.append(frame_score(model((out * 255).astype(np.uint8), base)))
            print(f"  {name:14s} {foot!s:10s}" + "".join(f"{v:8.3f}" for v in cells)
                  + (f"   fire, clean {frame_score(before, 1):.3f}" if n == 0 else ""), flush=True)


def latency_report(folder: Path):
    model = Model(folder, 1)
    i = model.params["input"]
    x = np.random.default_rng(0).normal(size=(1, 2, 3, i["height"], i["width"])).astype(np.float32)
    for _ in range(3):
        model.net.run(["heatmap"], {"frames": x})
    wall, cpu = [], []
    for _ in range(30):
        a, b = time.perf_counter(), time.process_time()
        model.net.run(["heatmap"], {"frames": x})
        wall.append(time.perf_counter() - a)
        cpu.append(time.process_time() - b)
    print(f"\nLatency, 1 thread, one pair: median {1000 * np.median(wall):.1f} ms, best {1000 * min(wall):.1f} ms, "
          f"processor time median {1000 * np.median(cpu):.1f} ms")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--model", type=Path, default=Path(__file__).parent.parent / "0.1.0")
    ap.add_argument("--photos", type=Path, help="folder with the three photographs (default: DATA/photos)")
    ap.add_argument("--keep", type=Path)
    args = ap.parse_args()
    model = Model(args.model, keep=args.keep)
    latency_report(args.model)
    plume_report(model, args.photos or args.data / "photos")
    watch_report(model, args.data)
    photo_report(model, args.data)
    model.save()


if __name__ == "__main__":
    main()
