"""Trains the fire branch on the fire bank; the trunk is frozen and the smoke head is not touched.

    python fire.py --work DIR               all train pictures -> DIR/fire.pt
    python fire.py --work DIR --fold K      without fold K -> DIR/firefoldK.json, scores of fold K
    python fire.py --work DIR --folds       all folds, one after the other

Needs prepare.py (watch frames) and stills.py (still pictures). Only the present frame is seen.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from metrics import auc
from net import Fire
from train import PARAMS, Bank

HARD = ("fog", "cloud", "sunrise", "rain")


class FireBank:
    """Still pictures of the fire bank, then frames without fire of the watch bank, under one numbering."""

    def __init__(self, work: Path):
        self.watch = Bank(work)
        self.meta = json.loads((work / "fire.json").read_text())
        self.n = len(self.meta)
        self.s8, self.s16 = (np.load(work / f"fire_{k}.npy", mmap_mode="r") for k in ("s8", "s16"))
        self.region, self.target = (np.load(work / f"fire_{k}.npy").astype(np.float32) for k in ("region", "target"))
        self.rows = []
        for k, m in enumerate(self.watch.meta):
            if m["split"] == "train" and m["kind"] in ("clean", "boxed", "composite", "decoy") and not m["label"][1]:
                self.rows.append(k)
                what = m["kind"] if m.get("variant", 1) == 0 else "other"
                self.meta.append({"kind": "watch", "what": what, "layout": 0, "group": m["group"]})

    def fold(self, k: int) -> int:
        group = self.meta[k]["group"]
        return self.watch.folds.get(group, zlib.crc32(group.encode()) % PARAMS["fire"]["folds"])

    def load(self, ids):
        def get(a, b):
            x = np.stack([a[k] if k < self.n else b[self.rows[k - self.n]] for k in ids])
            return torch.from_numpy(x).float().contiguous(memory_format=torch.channels_last)

        none = np.zeros(self.region.shape[1:], np.float32)
        region = np.stack([self.region[k] if k < self.n else none for k in ids])
        target = np.stack([self.target[k] if k < self.n else none for k in ids])
        fire = torch.tensor([float(self.meta[k]["kind"] == "flame") for k in ids])
        return (get(self.s8, self.watch.s8), get(self.s16, self.watch.s16)), torch.from_numpy(region), \
            torch.from_numpy(target), fire


def loss_of(cells, region, target, fire):
    """Fire must show in a few cells of its picture (in the boxes where there are any) and nowhere else."""
    k, flat = PARAMS["fire"]["top_cells"], cells.flatten(1)
    p, on = torch.sigmoid(cells.detach()), fire[:, None, None]
    t = torch.where(target < 0, torch.zeros_like(target), target) * on
    known = torch.where(on > 0, torch.where(target >= 0, torch.ones_like(region), 1 - region), torch.ones_like(region))
    each = F.binary_cross_entropy_with_logits(cells, t, reduction="none") * known * (t - p).abs() ** 1.5
    cell_loss = (each * (t == 0)).sum((1, 2)) / 15 + (each * (t > 0)).sum((1, 2)) / t.sum((1, 2)).clamp(min=1)
    inside = flat.masked_fill(region.flatten(1) < 0.5, -20).topk(k, 1).values
    few = (inside > -19).float()
    best = (inside * few).sum(1) / few.sum(1).clamp(min=1)
    top = flat.topk(k, 1).values.mean(1)
    return (cell_loss + F.softplus(-best) * fire + F.softplus(top) * (1 - fire)).mean()


def fit(bank: FireBank, use, seed: int) -> Fire:
    t = PARAMS["fire"]
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    kinds = list(t["mix"])
    pool = {c: [k for k, m in enumerate(bank.meta) if m["kind"] == c and use(k)] for c in kinds}
    fire, ema = (Fire().to(memory_format=torch.channels_last) for _ in range(2))
    ema.load_state_dict(fire.state_dict())
    opt = torch.optim.AdamW(fire.parameters(), lr=t["lr"], weight_decay=t["weight_decay"])
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, t["lr"], total_steps=t["steps"], pct_start=0.15)

    def fetch():
        drawn = rng.choice(kinds, t["batch"], p=np.array(list(t["mix"].values())))
        return bank.load([pool[c][rng.integers(len(pool[c]))] for c in drawn])

    fire.train()
    total, start = 0.0, time.time()
    with ThreadPoolExecutor(1) as threads:
        ahead = threads.submit(fetch)
        for step in range(t["steps"]):
            x, *y = ahead.result()
            ahead = threads.submit(fetch)
            loss = loss_of(fire(*x)[:, 0], *y)
            opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(fire.parameters(), 5.0)
            opt.step()
            sched.step()
            total += loss.item()
            with torch.no_grad():
                for a, b in zip(ema.state_dict().values(), fire.state_dict().values()):
                    if a.dtype.is_floating_point:
                        a.lerp_(b, 0.02)
                    else:
                        a.copy_(b)
            if step % 100 == 99:
                print(f"step {step + 1} loss {total / 100:.4f} {time.time() - start:.0f} s", flush=True)
                total = 0.0
    return ema.eval()


def score(fire: Fire, bank: FireBank, ids, batch: int = 64) -> list:
    """Rows: kind, what, layout, heatmap maximum."""
    rows = []
    with torch.no_grad():
        for i in range(0, len(ids), batch):
            part = ids[i:i + batch]
            top = fire(*bank.load(part)[0]).sigmoid().amax((1, 2, 3)).tolist()
            rows += [[bank.meta[k]["kind"], bank.meta[k]["what"], bank.meta[k]["layout"], v] for k, v in zip(part, top)]
    return rows


def summary(rows) -> str:
    def top(kind, layout=None):
        return np.array([r[3] for r in rows if r[0] == kind and layout in (None, r[2])])

    text = "  ".join(f"layout {v}: auc {auc(top('flame', v), top('negative', v)):.3f}"
                     for v in sorted({r[2] for r in rows if r[0] == "flame"}))
    return text + f"  watch: auc {auc(top('flame', 0), top('watch')):.3f}"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--fold", type=int)
    ap.add_argument("--folds", action="store_true")
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    bank, t = FireBank(args.work), PARAMS["fire"]

    if args.fold is None and not args.folds:
        torch.save(fit(bank, lambda k: True, PARAMS["seed"]).state_dict(), args.work / "fire.pt")
        return
    for fold in range(t["folds"]) if args.folds else [args.fold]:
        held = {k for k in range(len(bank.meta)) if bank.fold(k) == fold}
        fire = fit(bank, lambda k, h=held: k not in h, PARAMS["seed"] + fold)
        rows = score(fire, bank, [k for k in sorted(held) if bank.meta[k]["what"] not in ("composite", "decoy", "other")])
        print(summary(rows), flush=True)
        (args.work / f"firefold{fold}.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
