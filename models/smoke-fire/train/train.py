"""Trains the head on the feature bank.

    python train.py --work DIR               all train events -> DIR/head.pt
    python train.py --work DIR --fold K      without the cameras of fold K -> DIR/foldK.json, scores of fold K
    python train.py --work DIR --folds       all folds, one after the other
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
import zlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from metrics import auc, recall_at
from net import Head

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


class Bank:
    """Features, targets and the rules that pair a frame with an earlier one."""

    def __init__(self, work: Path):
        self.meta = json.loads((work / "meta.json").read_text())
        self.s8 = np.load(work / "s8.npy", mmap_mode="r")
        self.s16 = np.load(work / "s16.npy", mmap_mode="r")
        self.target = np.load(work / "target.npy").astype(np.float32)
        self.weight = np.load(work / "weight.npy").astype(np.float32)
        self.timeline = defaultdict(dict)
        for k, m in enumerate(self.meta):
            if "event" in m:
                self.timeline[m["event"], m["variant"]][m["minute"]] = k

        self.folds = self.deal(PARAMS["train"]["folds"])

    def deal(self, n: int) -> dict:
        """Cameras to folds: the one with most boxed frames first, always to the fold that has fewest."""
        boxed = defaultdict(int)
        for m in self.meta:
            if "event" in m and m["split"] == "train":
                boxed[m["group"]] += m["kind"] == "boxed" and m["variant"] == 0
        load, out = [0] * n, {}
        for group in sorted(boxed, key=lambda g: (-boxed[g], g)):
            out[group] = load.index(min(load))
            load[out[group]] += boxed[group] + 10
        return out

    def fold(self, k: int) -> int:
        group = self.meta[k]["group"]
        return self.folds.get(group, zlib.crc32(group.encode()) % PARAMS["train"]["folds"])

    def past(self, k: int, minutes: int) -> int:
        """The frame about `minutes` earlier: the nearest within two minutes of that, else the oldest."""
        m = self.meta[k]
        line = self.timeline[m["event"], m["variant"]]
        for off in (0, 1, -1, 2, -2):
            if m["minute"] - minutes - off in line and minutes + off > 0:
                return line[m["minute"] - minutes - off]
        older = [t for t in line if t < m["minute"]]
        return line[min(older)] if older else k

    def earlier(self, k: int, rng) -> int:
        """A random earlier frame for training."""
        m, t = self.meta[k], PARAMS["train"]
        if rng.random() < t["repeat_present"]:
            return k
        if "earlier" in m:
            return m["earlier"]
        if "event" not in m:
            return k
        line = self.timeline[m["event"], m["variant"]]
        if m["kind"] in ("boxed", "weak") and rng.random() < 0.3:  # from before the fire
            clean = [j for j in line.values() if self.meta[j]["kind"] == "clean" and self.meta[j]["minute"] < m["minute"]]
            if clean:
                return clean[-1 - int(rng.integers(min(12, len(clean))))]
        lag = int(rng.integers(t["lag_minutes"][0], t["lag_minutes"][1] + 1))
        if m["kind"] == "clean" and rng.random() < 0.3:
            j = line.get(m["minute"] + lag)
            if j is not None and self.meta[j]["kind"] == "clean":
                return j
        return self.past(k, lag)

    def load(self, present, earlier):
        """Both frames' features; a whole batch at once."""
        def get(a, idx):
            x = torch.from_numpy(np.stack([a[i] for i in idx])).float()
            return x.contiguous(memory_format=torch.channels_last)

        return get(self.s8, present), get(self.s16, present), get(self.s8, earlier), get(self.s16, earlier)


class Sampler:
    """Draws kinds by their share, then an event (or picture), then a frame."""

    def __init__(self, bank: Bank, use):
        self.bank = bank
        self.pool = defaultdict(lambda: defaultdict(list))
        for k, m in enumerate(bank.meta):
            if m["split"] == "train" and use(k) and m["kind"] in PARAMS["train"]["mix"]:
                key = m["event"] if "event" in m else (m["group"] if m["kind"] == "alert" else "all")
                self.pool[m["kind"]][key].append(k)
        self.kinds = [k for k in PARAMS["train"]["mix"] if self.pool[k]]
        share = np.array([PARAMS["train"]["mix"][k] for k in self.kinds])
        self.share = share / share.sum()
        self.keys = {k: sorted(self.pool[k]) for k in self.kinds}
        self.odds = {}
        for k in self.kinds:
            n = np.array([len(self.pool[k][e]) for e in self.keys[k]]) ** 0.5
            self.odds[k] = n / n.sum()

    def batch(self, n: int, rng):
        present, earlier = [], []
        for kind in rng.choice(self.kinds, n, p=self.share):
            key = self.keys[kind][rng.choice(len(self.keys[kind]), p=self.odds[kind])]
            ids = self.pool[kind][key]
            k = ids[rng.integers(len(ids))]
            present.append(k)
            earlier.append(self.bank.earlier(k, rng))
        return present, earlier


def loss_of(cells, frame, target, weight, label, use, weak):
    t = PARAMS["train"]
    scale = torch.tensor([1.0, t["fire_weight"]])
    p = torch.sigmoid(cells.detach())
    each = F.binary_cross_entropy_with_logits(cells, target, reduction="none") * weight * (target - p).abs() ** 1.5
    pos = (target > 0).float()
    near = (each * pos).sum((2, 3)) / (target * weight).sum((2, 3)).clamp(min=1)
    far = (each * (1 - pos)).sum((2, 3)) / 15
    cell_loss = ((near + far) * scale).mean()
    frame_loss = (F.binary_cross_entropy_with_logits(frame, label, reduction="none") * use * scale).mean()
    best = cells[:, 0].masked_fill(target[:, 0] < 0.2, -20).flatten(1).max(1).values
    weak_loss = (F.softplus(-best) * weak).mean()
    return cell_loss + t["frame_weight"] * frame_loss + 0.3 * weak_loss


def scores(head, bank: Bank, ids, minutes: int = 3, batch: int = 32):
    """Columns: smoke frame score, smoke heatmap maximum, fire frame score, fire heatmap maximum."""
    head.eval()
    out = []
    with torch.no_grad():
        for i in range(0, len(ids), batch):
            part = ids[i:i + batch]
            x = bank.load(part, [bank.past(k, minutes) if "event" in bank.meta[k] else k for k in part])
            cells, frame = (v.sigmoid() for v in head(*x))
            top = cells.amax((2, 3))
            out.append(torch.stack([frame[:, 0], top[:, 0], frame[:, 1], top[:, 1]], 1).numpy())
    return np.concatenate(out)


def summary(head, bank: Bank, use) -> tuple[str, list]:
    """A line of figures on the watch frames that `use` allows, and a row of scores for each of them."""
    ids = [k for k, m in enumerate(bank.meta) if m["kind"] in ("boxed", "clean") and m["variant"] == 0
           and "row" in m and use(k)]
    s = scores(head, bank, ids)
    is_pos = np.array([bank.meta[k]["kind"] == "boxed" for k in ids])
    text = "  ".join(f"{name} auc {auc(s[is_pos, j], s[~is_pos, j]):.3f} r5 {recall_at(s[is_pos, j], s[~is_pos, j], .05):.3f} "
                     f"r1 {recall_at(s[is_pos, j], s[~is_pos, j], .01):.3f}" for j, name in enumerate(("score", "max")))
    rows = [[bank.meta[k]["kind"], bank.meta[k]["event"], *s[i].tolist()] for i, k in enumerate(ids)]
    return text, rows


def single(head, bank: Bank, use) -> list:
    """Rows of scores of photographs: landscapes and flames."""
    ids = [k for k, m in enumerate(bank.meta) if m["kind"] in ("negative", "flame") and use(k)]
    s = scores(head, bank, ids)
    return [[bank.meta[k]["kind"], bank.meta[k].get("what", "flame"), *s[i].tolist()] for i, k in enumerate(ids)
            if bank.meta[k]["kind"] == "negative" or bank.meta[k]["label"][1]]


def fit(bank: Bank, use, check, seed: int, epochs: int):
    t = PARAMS["train"]
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    sampler = Sampler(bank, use)
    head, ema = (Head().to(memory_format=torch.channels_last) for _ in range(2))
    ema.load_state_dict(head.state_dict())
    opt = torch.optim.AdamW(head.parameters(), lr=t["lr"], weight_decay=t["weight_decay"])
    steps = t["samples_per_epoch"] // t["batch"]
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, t["lr"], total_steps=steps * epochs, pct_start=0.15)

    def fetch():
        present, earlier = sampler.batch(t["batch"], rng)
        m = [bank.meta[k] for k in present]
        return (bank.load(present, earlier), torch.from_numpy(bank.target[present]), torch.from_numpy(bank.weight[present]),
                torch.tensor([x["label"] for x in m]).float(), torch.tensor([x["use"] for x in m]).float(),
                torch.tensor([x["kind"] == "weak" for x in m]).float())

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(fetch)
        for epoch in range(epochs):
            head.train()
            total, start = 0.0, time.time()
            for _ in range(steps):
                x, *y = ahead.result()
                ahead = pool.submit(fetch)
                loss = loss_of(*head(*x), *y)
                opt.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(head.parameters(), 5.0)
                opt.step()
                sched.step()
                total += loss.item()
                with torch.no_grad():
                    for a, b in zip(ema.state_dict().values(), head.state_dict().values()):
                        if a.dtype.is_floating_point:
                            a.lerp_(b, 0.01)
                        else:
                            a.copy_(b)
            print(f"epoch {epoch} loss {total / steps:.4f} {time.time() - start:.0f} s", flush=True)
    text, rows = summary(ema, bank, check)
    print(text, flush=True)
    return ema, rows


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--fold", type=int)
    ap.add_argument("--folds", action="store_true")
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    bank, t = Bank(args.work), PARAMS["train"]

    if args.fold is None and not args.folds:
        head, _ = fit(bank, lambda k: True, lambda k: bank.meta[k]["split"] == "val", PARAMS["seed"], t["epochs"])
        torch.save(head.state_dict(), args.work / "head.pt")
        return
    for fold in range(t["folds"]) if args.folds else [args.fold]:
        held = {k for k, m in enumerate(bank.meta) if m["split"] == "train" and bank.fold(k) == fold}
        head, rows = fit(bank, lambda k, h=held: k not in h, held.__contains__, PARAMS["seed"] + fold, t["fold_epochs"])
        rows += single(head, bank, held.__contains__)
        (args.work / f"fold{fold}.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
