"""The model through the program: `huoyan replay` over every watch event, each by the network that never saw its camera.

    python replay.py frames --work WORK                     watch frames as PNG, named by their time -> WORK/events/
    python replay.py run --work WORK/stage1 --bank WORK --huoyan PATH [--point NAME] [--net]
                                                            -> WORK/stage1/replay-NAME.jsonl: every frame, every sighting
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from PIL import Image

from bank import Bank

PARAMS = tomllib.loads((Path(__file__).parent / "params.toml").read_text())

MODEL = """name = "{name}"
version = "0"
file = "{file}"
sha256 = "{sha}"
head = "heatmap"
classes = ["smoke", "fire"]
[input]
name = "frames"
width = {width}
height = {height}
channels = 3
frames = 2
past_s = [{past_s}]
past_scale = 2         # the network averages the earlier frame 2 x 2 before it looks: kept at half size
rect_stride = 16       # height and width are open: bars are left away in whole steps of so many pixels
layout = "ntchw"
mean = {mean}
std = {std}
letterbox = true
[output]
heatmap = "heatmap"
[thresholds.screen]
smoke = {screen}
fire = {fire_screen}
[thresholds.alarm]
smoke = {smoke}
fire = {fire}
"""


def frames(work: Path, bank: Bank):
    """Every watch frame under the name that tells its time; rows.json says which is which."""
    names = {}
    for k, r in enumerate(bank.rows):
        if r["kind"] == "watch":
            name = datetime.fromisoformat(r["captured_at"]).strftime("%Y-%m-%dT%H_%M_%S.png")
            path = work / "events" / r["event"] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            names[f"{r['event']}/{name}"] = k
            if not path.exists():
                Image.fromarray(bank.pixels(k)).save(path, compress_level=1)
    (work / "events/rows.json").write_text(json.dumps(names))


def model_folder(work: Path, fold: str, point: dict) -> Path:
    """The network of a fold as the program wants it."""
    folder = work / f"model-{fold}"
    folder.mkdir(exist_ok=True)
    net = work / f"{fold}.onnx"
    (folder / "model.onnx").write_bytes(net.read_bytes())
    sha = hashlib.sha256(net.read_bytes()).hexdigest()
    (folder / "model.toml").write_text(MODEL.format(name=fold, file="model.onnx", sha=sha, **PARAMS["input"], **point))
    return folder


def run_fold(work: Path, home: Path, huoyan: Path, fold: int | None, events: list[str], point: dict, tag: str) -> list[dict]:
    name = "net" if fold is None else f"fold{fold}"
    folder = model_folder(work, name, {k: point[k] for k in ("screen", "fire_screen", "smoke", "fire")})
    config = work / f"config-{name}-{tag}.toml"
    config.write_text(f'[detect]\nmodel = "{folder.resolve()}"\n[thresholds]\nsmoke = {point["smoke"]}\nfire = {point["fire"]}\n'
                      f'needed = {point["needed"]}\nwindow = {point["window"]}\n')
    done = subprocess.run([huoyan, "--config", config, "--json", "-q", "replay", *(home / "events" / e for e in events)],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"huoyan replay failed: {done.stderr}{done.stdout[-500:]}")
    lines = [json.loads(x) for x in done.stdout.splitlines()]
    return [x | {"event": Path(x["source"]).name, "fold": fold} for x in lines if x["type"] in ("frame", "sighting")]


# Low enough to see everything that any threshold could let pass.
OPEN = {"screen": 0.15, "fire_screen": 0.5, "smoke": 0.15, "fire": 0.5, "needed": 3, "window": 5}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("what", choices=("frames", "run"))
    ap.add_argument("--work", type=Path, required=True, help="where the networks are")
    ap.add_argument("--bank", type=Path, help="where prepare.py wrote; default: --work")
    ap.add_argument("--huoyan", type=Path, help="the program")
    ap.add_argument("--point", choices=("quiet", "balanced", "eager"), help="an operating point of points.json; default: all open")
    ap.add_argument("--net", action="store_true", help="the shipped network over the val events")
    args = ap.parse_args()
    home = args.bank or args.work
    bank = Bank(home, PARAMS)
    if args.what == "frames":
        frames(home, bank)
        return
    points = json.loads((args.work / "points.json").read_text())[args.point] if args.point else {}
    val = sorted({r["event"] for r in bank.rows if r["kind"] == "watch" and r["split"] == "val"})
    jobs = [(None, val)] if args.net else [
        (f, sorted(e for e, k in bank.fold_of.items() if k == f)) for f in range(PARAMS["train"]["folds"])
        if (args.work / f"fold{f}.onnx").exists()]
    tag = ("net-" if args.net else "") + (args.point or "all")

    def one(job):
        point = points.get("ship" if job[0] is None else str(job[0]), OPEN)
        return run_fold(args.work, home, args.huoyan, *job, point, tag)

    with ThreadPoolExecutor(2) as pool:
        lines = [x for part in pool.map(one, jobs) for x in part]
    (args.work / f"replay-{tag}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    print(tag, sum(x["type"] == "frame" for x in lines), "frames", sum(x["type"] == "sighting" for x in lines), "sightings")


if __name__ == "__main__":
    main()
