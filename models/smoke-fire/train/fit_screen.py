"""Teaches a screening network what the full one of the same fold says, beside the labels.

    python fit_screen.py --work WORK --out DIR [--fold K]      DIR/foldK.pt (or net.pt) -> DIR/foldK-screen.pt (or net-screen.pt)
"""

from __future__ import annotations

import argparse
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from fit import Samples, follow, loss_of
from net import Screen, SmokeFire

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


def lesson(net: SmokeFire, samples: Samples, ids: np.ndarray) -> np.ndarray:
    """The full network's logits of these samples, float16 [all, 2, h, w]; NaN of the others."""
    out = np.full((len(samples.meta), 2, *samples.cells.shape[-2:]), np.nan, np.float16)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for at in range(0, len(ids), 16):
            part = ids[at:at + 16]
            out[part] = net(samples.batch(part, False)[0]).float().numpy()
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--out", type=Path, required=True, help="where the full networks are")
    ap.add_argument("--fold", type=int)
    args = ap.parse_args()
    torch.set_num_threads(1)
    t, samples = PARAMS["train"], Samples(args.work)
    s = t["screen"]
    held, name = ("val", "net") if args.fold is None else (str(args.fold), f"fold{args.fold}")
    ids = np.array([k for k, m in enumerate(samples.meta) if held not in m["not_for"]])
    torch.manual_seed(PARAMS["seed"])
    rng = np.random.default_rng(PARAMS["seed"] + 100 + (args.fold or 0))
    full = SmokeFire()
    full.load_state_dict(torch.load(args.out / f"{name}.pt"))
    full.eval()
    taught = lesson(full, samples, np.sort(rng.choice(ids, min(s["lessons"], len(ids)), replace=False)))
    net = Screen().to(memory_format=torch.channels_last)
    opt = torch.optim.AdamW(net.parameters(), lr=s["lr"], weight_decay=t["weight_decay"])
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, s["lr"], total_steps=s["steps"], pct_start=0.1)
    mean_net = {k: v.clone() for k, v in net.state_dict().items()}
    total, start = 0.0, time.time()
    for step in range(s["steps"]):
        part, flip = np.sort(rng.choice(ids, s["batch"])), rng.random() < 0.5
        x, target, weight, bag = samples.batch(part, flip)
        said = torch.sigmoid(torch.from_numpy(taught[part]).float())
        said = said.flip(3) if flip else said
        asked = ~said.isnan()
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x)
        logits = logits.float()
        # Cells that the full network is sure of count as the labels do; the few with smoke outweigh the many without.
        said = said.nan_to_num(0)
        apart = F.binary_cross_entropy_with_logits(logits, said, reduction="none") * (0.2 + 4 * said) * asked
        loss = loss_of(logits, target, weight, bag) + s["lesson"] * apart.mean()
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        opt.step()
        sched.step()
        total += loss.item()
        follow(mean_net, net, step)
        if step % 100 == 99:
            print(f"{name}-screen step {step + 1}/{s['steps']} loss {total / 100:.4f} {time.time() - start:.0f} s", flush=True)
            total = 0.0
    torch.save(mean_net, args.out / f"{name}-screen.pt")


if __name__ == "__main__":
    main()
