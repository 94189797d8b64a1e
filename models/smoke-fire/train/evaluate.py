"""Evaluates: through the program, by event, with operating points chosen for each fold from the other folds only.

    python evaluate.py --work WORK --huoyan PATH [--model ../0.3.1]
    python evaluate.py --work WORK --lawful OFFICE --huoyan PATH

PATH is the program (`target/release/huoyan`). Leaves points.json and figures.json in WORK's last stage, and prints every figure of
the card. A pass over all events takes five to ten minutes on two cores, and there are four, and three over the val events.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

from train import python

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--huoyan", type=Path, required=True)
    ap.add_argument("--lawful", type=Path, help="instead the lawful release of this work folder, over the watch events of --work")
    ap.add_argument("--model", type=Path, help="an exported folder, to measure its cost")
    args = ap.parse_args()
    last = (args.lawful or args.work) / f"stage{len(PARAMS['train']['stages']) - 1}"
    where = ["--work", last, "--bank", args.work]
    if args.lawful:
        for fold in range(PARAMS["train"]["folds"]):
            for kind in ([], ["--screen"]):
                python("score.py", *where, "--fold", fold, "--unseen", *kind)
    run = ["run", *where, "--huoyan", args.huoyan.resolve()]
    if not (args.work / "events/rows.json").exists():
        python("replay.py", "frames", "--work", args.work)
    python("replay.py", *run)
    python("operating.py", *where)
    if not args.lawful:  # it learns from watch frames
        python("verify.py", *where, threads=2)
    for point in PARAMS["points"]:
        python("replay.py", *run, "--point", point)
        if not args.lawful:
            python("replay.py", *run, "--point", point, "--net")
    python("figures.py", *where, *(["--model", args.model] if args.model else []))


if __name__ == "__main__":
    main()
