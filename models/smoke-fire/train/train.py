"""Trains everything: the folds for cross-validation and the network that ships, stage by stage.

    python train.py --work DIR [--jobs 2]
    python train.py --work DIR --lawful     of `prepare.py --lawful`: one network and its screening network

Each step leaves its files in WORK/stage0, WORK/stage1 ... and is skipped when they are there, so that an interrupted training
goes on where it stopped. After the first, a stage learns on samples drawn anew, half of whose clean crops lie where the networks of the
stage before were wrong on cameras that they had not seen. The network that ships has no first stage.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
PARAMS = tomllib.loads((HERE / "params.toml").read_text())


# Large blocks are kept, not given back to the system and cleared anew at every step: a tenth of the time.
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(8 << 30), "MALLOC_TRIM_THRESHOLD_": str(16 << 30)}


def python(script: str, *args, threads: int = 1) -> None:
    command = [sys.executable, str(HERE / script), *map(str, args)]
    print(" ".join([script, *map(str, args)]), flush=True)
    subprocess.run(command, check=True, env=os.environ | KEEP | {"OMP_NUM_THREADS": str(threads)})


def stage(work: Path, n: int, jobs: int) -> Path:
    out, before = work / f"stage{n}", work / f"stage{n - 1}" if n else None
    out.mkdir(exist_ok=True)
    if not (out / "drawn").exists():
        if before:
            python("score.py", "--work", before, "--bank", work, "--mine")
            shutil.copy(before / "mined.json", work / "mined.json")
        else:
            (work / "mined.json").unlink(missing_ok=True)
        python("draw.py", "--work", work, "--jobs", jobs)
        (out / "drawn").touch()

    last = n == len(PARAMS["train"]["stages"]) - 1

    def one(fold):
        name, which = ("net", []) if fold is None else (f"fold{fold}", ["--fold", fold])
        if not (out / f"{name}.pt").exists():
            start = ["--start", before] if before and (before / f"{name}.pt").exists() else []
            python("fit.py", "--work", work, "--out", out, "--stage", n, "--threads", 1, *start, *which)
        if last and not (out / f"{name}-screen.pt").exists():
            python("fit_screen.py", "--work", work, "--out", out, *which)
        for screen in ["", "-screen"] if last else [""]:
            if (which or last) and not (out / f"{name}{screen}.npz").exists():  # val is looked at once, at the end
                python("score.py", "--work", out, "--bank", work, *(which or ["--net"]), *(["--screen"] if screen else []),
                       *([] if last else ["--clean"]))

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, [*range(PARAMS["train"]["folds"]), *([None] if n else [])]))
    return out


def lawful(work: Path, jobs: int) -> Path:
    """One network. No watch frame is in it, so it is evaluated as the network of every fold: all watch events are strange to it."""
    out = work / f"stage{len(PARAMS['train']['stages']) - 1}"
    out.mkdir(exist_ok=True)
    if not (out / "drawn").exists():
        python("draw.py", "--work", work, "--jobs", jobs)
        (out / "drawn").touch()
    if not (out / "net.pt").exists():
        python("fit.py", "--work", work, "--out", out, "--part", "lawful", threads=2)
    if not (out / "net-screen.pt").exists():
        python("fit_screen.py", "--work", work, "--out", out)
    for k in range(PARAMS["train"]["folds"]):
        for kind in ("", "-screen"):
            shutil.copy(out / f"net{kind}.pt", out / f"fold{k}{kind}.pt")
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--jobs", type=int, default=2, help="networks trained side by side, one thread each")
    ap.add_argument("--lawful", action="store_true")
    args = ap.parse_args()
    if args.lawful:
        print("done:", lawful(args.work, args.jobs))
        return
    for n in range(len(PARAMS["train"]["stages"])):
        print("done:", stage(args.work, n, args.jobs))


if __name__ == "__main__":
    main()
