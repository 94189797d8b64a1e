"""The model through the program: `huoyan replay` over every watch event, each by the network that never saw its camera.

    python replay.py frames --work WORK                     watch frames as PNG, named by their time -> WORK/events/
    python replay.py run --work WORK/stage2 --bank WORK --huoyan PATH [--point NAME] [--net]
                                                            -> WORK/stage2/replay-NAME.jsonl: every frame, every sighting

All three tiles are looked at in every frame: these frames are a minute apart, and a camera looked at every ten seconds has seen each of
its tiles twice in a minute. Without a point every level is open and the full network looks everywhere: what operating.py chooses from.
At a point the screening network decides where the full one looks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
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
past_scale = 2
rect_stride = 16
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

SCREEN = """
[screen]
file = "screen.onnx"
sha256 = "{sha}"
width = {width}
height = {height}
smoke = {smoke}
fire = {fire}
audit = {audit}
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


def model_folder(work: Path, fold: str, tag: str, point: dict, screening: dict | None) -> Path:
    """The networks of a fold as the program wants them. screening: scores from which the full network looks; None: everywhere."""
    folder = work / f"model-{fold}-{tag}"
    folder.mkdir(exist_ok=True)
    shutil.copy(work / f"{fold}.onnx", folder / "model.onnx")
    text = MODEL.format(name=fold, file="model.onnx", sha=sha256(folder / "model.onnx"), **PARAMS["input"],
                        **{k: point[k] for k in ("screen", "fire_screen", "smoke", "fire")})
    if screening:
        shutil.copy(work / f"{fold}-screen.onnx", folder / "screen.onnx")
        text += SCREEN.format(sha=sha256(folder / "screen.onnx"), smoke=screening["smoke"], fire=screening["fire"],
                              audit=PARAMS["screening"]["audit"], **small())
    (folder / "model.toml").write_text(text)
    return folder


def small() -> dict:
    """Sides of what the screening network sees, pixels."""
    return {side: PARAMS["input"][side] // PARAMS["screening"]["shrink"] for side in ("width", "height")}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_fold(work: Path, home: Path, huoyan: Path, fold: int | None, events: list[str], point: dict, screening: dict | None,
             tag: str) -> list[dict]:
    name = "net" if fold is None else f"fold{fold}"
    folder = model_folder(work, name, tag, point, screening)
    config = work / f"config-{name}-{tag}.toml"
    config.write_text(f'[detect]\nmodel = "{folder.resolve()}"\ntiles = 3\n[thresholds]\n'
                      + "".join(f"{k} = {point[k]}\n" for k in ("smoke", "fire", "smoke_tile", "fire_tile", "evidence")))
    done = subprocess.run([huoyan, "--config", config, "--json", "-q", "replay", *(home / "events" / e for e in events)],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"huoyan replay failed: {done.stderr}{done.stdout[-500:]}")
    lines = [json.loads(x) for x in done.stdout.splitlines()]
    return [x | {"event": Path(x["source"]).name, "fold": fold} for x in lines if x["type"] in ("frame", "sighting")]


# Low enough to see everything that any threshold could let pass.
OPEN = {"screen": 0.1, "fire_screen": 0.3, "smoke": 0.1, "fire": 0.3, "smoke_tile": 0.1, "fire_tile": 0.3, "evidence": 4.0}


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
    chosen = json.loads((args.work / "points.json").read_text()) if args.point else {}
    val = sorted({r["event"] for r in bank.rows if r["kind"] == "watch" and r["split"] == "val"})
    jobs = [(None, val)] if args.net else [
        (f, sorted(e for e, k in bank.fold_of.items() if k == f)) for f in range(PARAMS["train"]["folds"])
        if (args.work / f"fold{f}.onnx").exists()]
    tag = ("net-" if args.net else "") + (args.point or "all")

    def one(job):
        key = "ship" if job[0] is None else str(job[0])
        if not args.point:
            return run_fold(args.work, home, args.huoyan, *job, OPEN, None, tag)
        return run_fold(args.work, home, args.huoyan, *job, chosen[args.point][key], chosen["screening"][key], tag)

    with ThreadPoolExecutor(2) as pool:
        lines = [x for part in pool.map(one, jobs) for x in part]
    (args.work / f"replay-{tag}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    print(tag, sum(x["type"] == "frame" for x in lines), "frames", sum(x["type"] == "sighting" for x in lines), "sightings")


if __name__ == "__main__":
    main()
