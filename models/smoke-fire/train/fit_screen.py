"""Fine-tunes a full network on pictures of half the width and height, where it costs a quarter: the screening network.

    python fit_screen.py --work WORK --out DIR [--fold K]      DIR/foldK.pt (or net.pt) -> DIR/foldK-screen.pt (or net-screen.pt)

It starts from the full network of the same fold, and learns from the labels and from that network's scores of the full-size picture.
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
from net import SmokeFire

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


def lesson(net: SmokeFire, samples: Samples, ids: np.ndarray) -> np.ndarray:
    """The full network's logits for samples `ids`, each the maximum of four cells: float16 [all, 2, h / 2, w / 2]; NaN for the rest."""
    h, w = samples.cells.shape[-2:]
    out = np.full((len(samples.meta), 2, h // 2, w // 2), np.nan, np.float16)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for at in range(0, len(ids), 16):
            part = ids[at:at + 16]
            out[part] = F.max_pool2d(net(samples.batch(part, False)[0]).float(), 2).numpy()
    return out


def at_half_size(x, target, weight):
    """Averages pictures 2 x 2. A cell's target is the maximum of its four; so is its weight, or their minimum where the target is 0."""
    small = F.avg_pool2d(x.flatten(0, 1).contiguous(), 2).unflatten(0, x.shape[:2])
    coarse = F.max_pool2d(target, 2)
    return small, coarse, torch.where(coarse > 0, F.max_pool2d(weight, 2), -F.max_pool2d(-weight, 2))


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
    net = SmokeFire().to(memory_format=torch.channels_last)
    net.load_state_dict(torch.load(args.out / f"{name}.pt"))
    taught = lesson(net.eval(), samples, np.sort(rng.choice(ids, min(s["lessons"], len(ids)), replace=False)))
    lower = net.freeze_lower()
    opt = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=s["lr"], weight_decay=t["weight_decay"])
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, s["lr"], total_steps=s["steps"], pct_start=0.1)
    mean_net = {k: v.clone() for k, v in net.state_dict().items()}
    total, start = 0.0, time.time()
    for step in range(s["steps"]):
        part, flip = np.sort(rng.choice(ids, s["batch"])), rng.random() < 0.5
        x, target, weight, bag = samples.batch(part, flip)
        x, target, weight = at_half_size(x, target, weight)
        said = torch.sigmoid(torch.from_numpy(taught[part]).float())
        said = said.flip(3) if flip else said
        asked = ~said.isnan()
        net.train()
        net.keep_statistics()
        with torch.autocast("cpu", torch.bfloat16):
            logits = net.judge(x, lower(x[:, 0]))
        logits = logits.float()
        # The full network's probabilities are soft labels. A high one weighs more, as cells with smoke are few.
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
