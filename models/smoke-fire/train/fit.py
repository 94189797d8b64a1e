"""Fits one network to the drawn samples; train.py runs this for every fold and stage.

    python fit.py --work DIR               without anything of the val split -> DIR/net.pt
    python fit.py --work DIR --fold K      without anything of fold K -> DIR/foldK.pt
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from net import SmokeFire

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


class Samples:
    def __init__(self, work: Path):
        size = PARAMS["train"]["crop"]
        self.meta = json.loads((work / "samples.json").read_text())
        self.pictures = np.memmap(work / "samples.bin", np.uint8, "r").reshape(len(self.meta), 2, size, size, 3)
        self.cells = np.load(work / "cells.npy", mmap_mode="r")
        i = PARAMS["input"]
        mean, std = (torch.tensor(i[k]).view(1, 1, 3, 1, 1) for k in ("mean", "std"))
        self.gain, self.offset = 1 / (255 * std), -mean / std

    def batch(self, ids, flip):
        x = torch.from_numpy(self.pictures[ids]).permute(0, 1, 4, 2, 3).float().mul_(self.gain).add_(self.offset)
        c = torch.from_numpy(self.cells[ids]).float() / 255
        if flip:
            x, c = x.flip(4), c.flip(4)
        return x, c[:, 0], c[:, 1], torch.tensor([self.meta[k]["bag"] for k in ids])


def loss_of(logits, target, weight, bag):
    """logits, target, weight [N, 2, h, w]; bag [N, 2].

    Cells: cross-entropy, those far off counting most; smoke and ground are averaged apart, since smoke is rare. Frames: the
    strongest cell decides an alarm, so the strongest cells of a frame without smoke are pressed down, and where smoke must
    be, the strongest within it is lifted."""
    t = PARAMS["train"]
    p = torch.sigmoid(logits.detach())
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight * (target - p).abs() ** 1.5
    pos = (target > 0).float()
    near = (each * pos).sum((2, 3)) / (target * weight).sum((2, 3)).clamp(min=1)
    far = (each * (1 - pos)).sum((2, 3)) / t["far_cells"]
    open_cells = logits.masked_fill((target > 0) | (weight == 0), -20).flatten(2)
    empty = F.softplus(open_cells.topk(4, 2).values).mean(2) * (target.amax((2, 3)) == 0)
    held = logits.masked_fill(target < 0.2, -20).flatten(2).topk(3, 2).values
    found = F.softplus(-held[:, :, 0]) * bag
    return (near + far + t["frame_weight"] * empty + t["bag_weight"] * found).mean()


def follow(mean_net: dict, net: torch.nn.Module, step: int) -> None:
    """A mean of the weights that forgets: what is kept in the end."""
    keep = min(PARAMS["train"]["ema"], (step + 1) / (step + 10))
    with torch.no_grad():
        for k, v in net.state_dict().items():
            mean_net[k].lerp_(v, 1 - keep) if v.dtype.is_floating_point else mean_net[k].copy_(v)


def fit(samples: Samples, ids: np.ndarray, stage: dict, seed: int, out: Path, start: Path | None) -> None:
    t, steps = PARAMS["train"], stage["steps"]
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    kinds = np.array([m["kind"] for m in samples.meta])[ids]
    odds = np.zeros(len(ids))
    for kind, share in t["mix"].items():
        here = kinds == kind
        if here.any():
            odds[here] = share / here.sum()
    odds /= odds.sum()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    net = SmokeFire()
    net.load_state_dict(torch.load(start, map_location="cpu")) if start else net.trunk.load_imagenet()
    net.to(device, memory_format=torch.channels_last)
    lower = net.freeze_lower()
    trunk = [p for p in net.trunk.parameters() if p.requires_grad]
    rest = [p for n, p in net.named_parameters() if not n.startswith("trunk.")]
    opt = torch.optim.AdamW([{"params": trunk, "lr": stage["lr_trunk"]}, {"params": rest, "lr": stage["lr_head"]}],
                            weight_decay=t["weight_decay"])
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, [stage["lr_trunk"], stage["lr_head"]], total_steps=steps, pct_start=0.15)
    mean_net = {k: v.clone() for k, v in net.state_dict().items()}

    def fetch():
        return samples.batch(np.sort(rng.choice(ids, t["batch"], p=odds)), rng.random() < 0.5)

    total, clock = 0.0, time.time()
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(fetch)
        for step in range(steps):
            x, *y = (v.to(device) for v in ahead.result())
            ahead = pool.submit(fetch)
            net.train()
            net.keep_statistics()
            with torch.autocast(device, torch.bfloat16):
                logits = net.judge(x, lower(x[:, 0]))
            loss = loss_of(logits.float(), *y)
            opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            opt.step()
            sched.step()
            total += loss.item()
            follow(mean_net, net, step)
            if step % 50 == 49:
                print(f"{out.stem} step {step + 1}/{steps} loss {total / 50:.4f} {time.time() - clock:.0f} s", flush=True)
                total = 0.0
    kept = {k: v.cpu() for k, v in mean_net.items()}
    if "keep" in stage:
        began = torch.load(start, map_location="cpu")
        kept = {k: v.lerp(began[k], stage["keep"]) if v.dtype.is_floating_point else v for k, v in kept.items()}
    torch.save(kept, out)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--fold", type=int)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--out", type=Path, help="default: --work")
    ap.add_argument("--stage", type=int, default=0)
    ap.add_argument("--part", choices=("ship", "lawful"), default="ship", help="the shipped network without --start: which part of [train]")
    ap.add_argument("--start", type=Path, help="folder with the networks of the stage before")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    t, samples, out = PARAMS["train"], Samples(args.work), args.out or args.work
    out.mkdir(exist_ok=True)
    held, name = ("val", "net") if args.fold is None else (str(args.fold), f"fold{args.fold}")
    stage = t["stages"][args.stage] if args.start or args.fold is not None else t[args.part]
    ids = np.array([k for k, m in enumerate(samples.meta) if held not in m["not_for"]])
    fit(samples, ids, stage, PARAMS["seed"] + (args.fold or 0), out / f"{name}.pt", args.start and args.start / f"{name}.pt")


if __name__ == "__main__":
    main()
