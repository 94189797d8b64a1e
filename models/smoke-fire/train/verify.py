"""Trains the verifier: the second opinion on a place that is about to alarm, over crops of the last minutes at two scales.

    python verify.py --work WORK/stage2 --bank WORK   reads replay-all.jsonl -> verifier.json, and if it is worth it verifier.pt and .onnx

Candidates are the boxes that the networks of the folds made where they never saw the camera: true on the drawn smoke, false on frames
without smoke. To the true ones come composites. Cross-validated by the folds of the networks; figures are of tracks, places that gather
evidence over minutes, which is what the program asks about.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import onnx_file
from bank import Bank
from confirm import DEFAULTS, same_place, sightings
from metrics import auc, threshold_at
from net import Verifier
from operating import events_of, read_replay
from samples import Drawer

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())
V = PARAMS["verifier"]


def squares(size, box) -> list[tuple]:
    """Around the box (x, y, width, height in fractions) two squares of the picture: corner and side in pixels."""
    w, h = size
    short = min(w, h)
    near = min(max(V["near"] * max(box[2] * w, box[3] * h), 0.1 * short), short)
    out = []
    for side in (near, min(near * V["far"] / V["near"], short)):
        x, y = ((box[i] + box[i + 2] / 2) * n - side / 2 for i, n in ((0, w), (1, h)))
        out.append((min(max(x, 0.0), w - side), min(max(y, 0.0), h - side), side))
    return out


def cut(img: np.ndarray, square, scale: float = 1.0) -> np.ndarray:
    """scale: of this picture against the one that the square was measured in."""
    x, y, side = (round(v * scale) for v in square)
    part = Image.fromarray(img[y:y + max(2, side), x:x + max(2, side)])
    return np.asarray(part.resize((V["side"], V["side"]), Image.BILINEAR))


def tube(frames: list, box) -> np.ndarray:
    """frames: now and before, as large as the network sees them; those before at half size, as the program keeps them.
    uint8 [scales, times, side, side, 3]."""
    h, w = frames[0].shape[:2]
    half = [np.asarray(Image.fromarray(f).resize((w // 2, h // 2), Image.BOX)) for f in frames[1:]]
    return np.stack([np.stack([cut(frames[0], s), *(cut(f, s, 0.5) for f in half)]) for s in squares((w, h), box)])


class Times:
    """The frames before a watch frame, as the program finds them in what it keeps."""

    def __init__(self, bank: Bank):
        self.bank = bank

    def __call__(self, k: int) -> list | None:
        line, m = self.bank.timeline[self.bank.rows[k]["event"]], self.bank.rows[k]["minute"]
        kept = [j for j in line if m - 5 <= j < m]
        if not kept:
            return None
        ages = [a // 60 for a in V["ages_s"]]
        return [self.bank.pixels(k), *(self.bank.pixels(line[min(kept, key=lambda j: (abs(m - j - a), j))]) for a in ages)]


def in_fractions(box, img: np.ndarray):
    """x0, y0, x1, y1 in pixels -> x, y, width, height as shares of the picture; None stays."""
    h, w = img.shape[:2]
    return box and (box[0] / w, box[1] / h, (box[2] - box[0]) / w, (box[3] - box[1]) / h)


def candidates(bank: Bank, home: Path, replayed: dict, rng):
    """(tube, is smoke, folds it may not be used for, event)."""
    names, times = json.loads((home / "events/rows.json").read_text()), Times(bank)
    rows = defaultdict(dict)
    for name, k in names.items():
        rows[bank.rows[k]["event"]][Path(name).stem] = k
    for event, (seen, _) in replayed.items():
        for now, detections, *_ in seen:
            k = rows[event][time.strftime("%Y-%m-%dT%H_%M_%S", time.gmtime(now))]
            row = bank.rows[k]
            frames = times(k) if row["box"] or bank.clean(k) else None
            if frames is None:
                continue
            b = in_fractions(row["box"], frames[0])
            boxes = [d["bbox"] for d in sorted(detections, key=lambda d: -d["confidence"]) if d["class"] == "smoke"][:6]
            if b:
                boxes = [*[x for x in boxes if same_place(x, b)][:3], b]
            else:  # and places that nobody suspected
                low, high = (0, 0.1, 0.02, 0.02), (0.9, 0.8, 0.1, 0.1)
                boxes += [tuple(rng.uniform(low, high)) for _ in range(2)]
            for box in boxes:
                yield tube(frames, box), bool(b), bank.marks(k), event


def composites(bank: Bank, rng, count: int):
    """A plume laid into the last of four clean frames; in those before it is thinner, lower, or not there yet."""
    drawer, times = Drawer(bank, lambda _: True), Times(bank)
    clean = [k for k, r in enumerate(bank.rows) if r["kind"] == "watch" and bank.clean(k)]
    size = drawer.size
    while count:
        k = clean[rng.integers(len(clean))]
        frames = times(k)
        if frames is None:
            continue
        drawer.used = bank.marks(k)
        h, w = frames[0].shape[:2]
        x, y = rng.integers(0, w - size + 1), rng.integers(0, h - size + 1)
        parts = [f[y:y + size, x:x + size].astype(np.float32) / 255 for f in frames]
        out, a = drawer.lay(parts[0], rng)
        strong = a > 0.25 * a.max()
        if a.max() < 0.12 or np.abs(out - parts[0]).mean(2)[strong].mean() < 0.03:
            continue
        colour = (out - (1 - a[..., None]) * parts[0])[strong].sum(0) / a[strong].sum()
        ys, xs = np.nonzero(strong)
        box = (xs.min() / size, ys.min() / size, (np.ptp(xs) + 1) / size, (np.ptp(ys) + 1) / size)
        born, now = rng.uniform(0.5, 6.0), [out]
        for minutes, part in zip((1, 2, 3), parts[1:]):
            grown = max(0.0, 1 - minutes / born) ** 0.5
            thin = np.roll(a, int((1 - grown) * 0.5 * np.ptp(ys)), 0)[..., None] * grown
            now.append(part * (1 - thin) + thin * colour)
        look = drawer.look(rng)
        yield tube([look((f.clip(0, 1) * 255).astype(np.uint8)) for f in now], box), True, drawer.used, "composite"
        count -= 1


def gather(bank: Bank, home: Path, replayed: dict):
    rng = np.random.default_rng(PARAMS["seed"] + 7)
    rows = [*candidates(bank, home, replayed, rng), *composites(bank, rng, V["composites"])]
    tubes, is_smoke, used, event = zip(*rows)
    return np.stack(tubes), np.array(is_smoke), list(used), np.array(event)


def numbers(tubes: np.ndarray) -> torch.Tensor:
    """uint8 [n, scales, times, side, side, 3] -> float32 [n, scales, times, 3, side, side]."""
    x = torch.from_numpy(tubes).permute(0, 1, 2, 5, 3, 4).float() / 255
    mean, std = (torch.tensor(PARAMS["input"][k]).view(1, 1, 1, 3, 1, 1) for k in ("mean", "std"))
    return (x - mean) / std


def fit(tubes, is_smoke, event, seed: int) -> Verifier:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Verifier()
    opt = torch.optim.AdamW(net.parameters(), lr=V["lr"], weight_decay=0.05)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, V["lr"], total_steps=V["steps"], pct_start=0.1)
    # Every event as often as every other of its kind, whatever number of boxes it has.
    odds = np.zeros(len(event))
    for side, share in ((True, 0.5), (False, 0.5)):
        for e in set(event[is_smoke == side]):
            here = (event == e) & (is_smoke == side)
            odds[here] = share * (here.sum() ** 0.5 if e != "composite" else 0) / here.sum()
    part = is_smoke & (event == "composite")
    odds[part] = 0.35 * odds[is_smoke].sum() / max(1, part.sum())
    odds[is_smoke] /= odds[is_smoke].sum()
    odds[~is_smoke] /= odds[~is_smoke].sum()
    odds /= odds.sum()
    for _ in range(V["steps"]):
        ids = rng.choice(len(event), V["batch"], p=odds)
        x = numbers(tubes[ids])
        if rng.random() < 0.5:
            x = x.flip(5)
        x = x * float(rng.uniform(0.8, 1.2)) + float(rng.uniform(-0.2, 0.2))
        shift = [int(v) for v in rng.integers(-5, 6, 2)]
        x = torch.roll(x, shift, (4, 5))
        y = torch.from_numpy(is_smoke[ids]).float()
        net.train()
        loss = F.binary_cross_entropy_with_logits(net(x), 0.05 + 0.9 * y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
    return net.eval()


def ask(net: Verifier, tubes) -> np.ndarray:
    with torch.no_grad():
        return np.concatenate([torch.sigmoid(net(numbers(tubes[i:i + 64]))).numpy() for i in range(0, len(tubes), 64)])


def tracks(bank: Bank, home: Path, replayed: dict, events: dict, nets: dict):
    """Places that gather some evidence, with what the verifier of the fold says at that moment: (event, is smoke, score)."""
    names, times = json.loads((home / "events/rows.json").read_text()), Times(bank)
    at = {(bank.rows[k]["event"], Path(n).stem): k for n, k in names.items()}
    low = {"smoke": 0.35, "fire": 0.9, "smoke_tile": 0.5, "fire_tile": 0.9, "evidence": 0.7, "cooldown_s": DEFAULTS["cooldown_s"]}
    for event, (seen, _) in replayed.items():
        clean = set(events[event].clean)
        for now, cls, box, _ in sightings(seen, low):
            k = at[event, time.strftime("%Y-%m-%dT%H_%M_%S", time.gmtime(now))]
            frames = times(k)
            if cls != "smoke" or frames is None:
                continue
            b = in_fractions(bank.rows[k]["box"], frames[0])
            on = b and same_place(box, b)
            if on or now in clean:
                yield event, bool(on), float(ask(nets[bank.fold_of[event]], tube(frames, box)[None])[0])


def on_tracks(said, limit: np.ndarray) -> dict:
    """F1, and share of false tracks that are taken for smoke: the figures by which Pyronear compares its verifiers. limit: of each
    track, the threshold of its fold."""
    event, smoke, score = (np.array(v) for v in zip(*said))
    agrees = score >= limit
    hit, false, lost = (agrees & smoke).sum(), (agrees & ~smoke).sum(), (~agrees & smoke).sum()
    return {"tracks": len(said), "of_smoke": int(smoke.sum()), "events": len(set(event)), "auc": auc(score[smoke], score[~smoke]),
            "f1": float(2 * hit / (2 * hit + false + lost)), "fpr": float(false / max(1, (~smoke).sum())),
            "recall": float(hit / smoke.sum())}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--bank", type=Path, required=True)
    args = ap.parse_args()
    torch.set_num_threads(2)
    bank = Bank(args.bank, PARAMS)
    replayed, events = read_replay(args.work / "replay-all.jsonl"), events_of(bank, args.bank)
    tubes, is_smoke, used, event = gather(bank, args.bank, replayed)
    print(f"{len(tubes)} candidates, {is_smoke.sum()} of smoke")
    nets, scores, real = {}, np.full(len(tubes), np.nan), event != "composite"
    for fold in range(PARAMS["train"]["folds"]):
        held = np.array([str(fold) in u for u in used])
        nets[fold] = fit(tubes[~held], is_smoke[~held], event[~held], PARAMS["seed"] + fold)
        mine = real & np.array([bank.fold_of.get(e) == fold for e in event])
        scores[mine] = ask(nets[fold], tubes[mine])
        print(f"fold {fold}: AUC of candidates {auc(scores[mine & is_smoke], scores[mine & ~is_smoke]):.3f}", flush=True)
    true, clean = scores[real & is_smoke], scores[real & ~is_smoke]
    of_fold = np.array([bank.fold_of[e] for e in event[real & is_smoke]])
    limits = {f: round(float(np.quantile(true[of_fold != f], V["lost"])), 3) for f in nets}
    said = list(tracks(bank, args.bank, replayed, events, nets))
    out = {"threshold": round(float(np.quantile(true, V["lost"])), 3), "candidates": len(true) + len(clean), "auc": auc(true, clean),
           "recall_at_4": float((true > threshold_at(clean, 0.04)).mean()),
           "tracks": on_tracks(said, np.array([limits[bank.fold_of[e]] for e, *_ in said]))}
    print(json.dumps(out, indent=1))
    (args.work / "verifier.json").write_text(json.dumps(out, indent=1))
    for left in ("verifier.pt", "verifier.onnx"):
        (args.work / left).unlink(missing_ok=True)
    if out["recall_at_4"] < V["worth_it"]:
        print(f"no verifier is written: of the candidates on smoke it knows {out['recall_at_4']:.2f} at 4 % false ones")
        return
    ship = fit(tubes, is_smoke, event, PARAMS["seed"])
    torch.save(ship.state_dict(), args.work / "verifier.pt")
    onnx_file.write_verifier(ship, args.work / "verifier.onnx", tuple(numbers(tubes[:1]).shape))


if __name__ == "__main__":
    main()
