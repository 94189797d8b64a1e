"""Writes model.onnx, screen.onnx, verifier.onnx, model.toml and goldens.json.

    python export.py --work DIR [--out ../0.3.1]
    python export.py --work DIR --lawful [--out ../../smoke-fire-lawful/0.1.0]

Needs what train.py and evaluate.py left in WORK: the shipped network, operating points and the figures expected of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import onnx

import onnx_file
import plume
import replay

HERE = Path(__file__).parent
PARAMS = tomllib.loads((HERE / "params.toml").read_text())

HEAD = """# What the program needs to know about the model. Written by train/export.py.
name = "{name}"
version = "{version}"
file = "model.onnx"
sha256 = "{sha}"
head = "heatmap"
classes = ["smoke", "fire"]
opset = {opset}
onnx_ir = {ir}
{licence}
default_point = "balanced"

[input]
name = "frames"        # float32 [n, 2, 3, height, width], any n: 0 = present, 1 = earlier (present again if none)
width = {width}
height = {height}
channels = 3           # RGB, (pixel / 255 - mean) / std
frames = 2
past_s = [{past_s}]         # how long before the present the earlier frame was taken
past_scale = 2         # the network averages the earlier frame 2 x 2 before it looks: kept at half size
rect_stride = 16       # height and width are open: bars are left away in whole steps of so many pixels
layout = "ntchw"
mean = {mean}
std = {std}
letterbox = true       # fit centred, grey 114 around

[output]
heatmap = "heatmap"    # float32 [n, 2, height / 16, width / 16], probabilities; frame score = its maximum

[thresholds.screen]    # cells over it make boxes
smoke = {screen:.3f}
fire = {fire_screen:.3f}

[thresholds.alarm]     # those of the default point
smoke = {smoke:.3f}
fire = {fire:.3f}

[screen]               # looks first, at every view; the full network looks where it, a suspicion or an audit says so
file = "screen.onnx"
sha256 = "{screen_sha}"
width = {small[width]}
height = {small[height]}
smoke = {screening[smoke]}
fire = {screening[fire]}
audit = {audit}           # of the views that it passes over
calls = {calls:.3f}          # share of views without smoke at which it calls the full network, cross-validated

# Operating points: neutral scores, over which so few looks without smoke lie as train/params.toml says, in the whole view and in tiles;
# and the least evidence that kept the bound on every cross-validated event, with the margin there. `expected` was measured with all of
# them chosen anew for each fold, from the other folds only:
# {fires} fires and {days:.2f} camera-days without smoke, one frame a minute, through the
# program's own confirmation. [value, ends of the 95 % interval]
"""

VERIFIER = """
[verifier]             # a second opinion on a place of smoke that is about to alarm; a phone rings by itself only if it agrees
file = "verifier.onnx"
sha256 = "{sha}"
version = "{version}"
input = "tube"         # float32 [1, 2, {times}, 3, {side}, {side}]: near and far; now and before; as [input] is normalised
output = "smoke"       # float32 [1], probability
side = {side}              # pixels of a crop
near = {near}             # sides of the two squares, over the longer side of the box
far = {far}
ages_s = {ages_s}
threshold = {threshold}      # under it, it doubts: {lost:.0%} of the candidates on smoke, cross-validated
"""

NON_COMMERCIAL = """licence = "non-commercial"
licence_note_zh = "训练图片含 CC BY-NC-SA 4.0 和未声明许可的，权重仅供非商业试用，不用于值班（见模型卡）"
licence_note_en = "trained on pictures under CC BY-NC-SA 4.0 and some without a stated licence: for non-commercial trials, not for duty \
(see the card)\""""
STATED = """licence = "Apache-2.0"
licence_note_zh = "训练图片均声明 CC BY 4.0 或 CC0，其中多数只是上传者的声明（见模型卡）"
licence_note_en = "trained on pictures for which CC BY 4.0 or CC0 is stated, most of them by an uploader alone (see the card)\""""

POINT = """
[points.{name}]
smoke = {smoke}
fire = {fire}
smoke_tile = {smoke_tile}
fire_tile = {fire_tile}
evidence = {evidence}
[points.{name}.expected]
false_alarms_per_camera_day = {alarms}
event_recall = {recall}
minutes_to_alarm = {minutes}    # from the first frame with a drawn box; a fire never found waits for ever
"""


def pictures(h: int, w: int) -> dict:
    """Input pictures from formulas, float [2, 3, H, W] in 0..1, before normalisation."""
    t, c, y, x = np.ogrid[0:2, 0:3, 0:h, 0:w]
    grey = np.full((2, 3, h, w), 114 / 255, np.float32)
    wave = ((x * 7 + y * 13 + c * 29 + t * 17) % 256 / 255).astype(np.float32)
    ground = 0.30 + 0.05 * c + ((x * 5 + y * 11) % 23) / 230
    scene = np.where(y < 240, 0.55 + 0.05 * c + y / 1600, ground) + 0 * t
    blob = 0.8 * np.exp(-((x - 320) ** 2 + (y - 250) ** 2) / 1152.0) * (t == 0)
    puff = scene * (1 - blob) + 0.85 * blob
    return {"grey": grey, "wave": wave, "scene": scene.astype(np.float32), "puff": puff.astype(np.float32)}


FORMULAS = {
    "grey": "v = 114 / 255",
    "wave": "v = ((7 x + 13 y + 29 c + 17 t) mod 256) / 255",
    "scene": "v = 0.55 + 0.05 c + y / 1600 for y < 240, else 0.30 + 0.05 c + ((5 x + 11 y) mod 23) / 230; both frames the same",
    "puff": "b = 0.8 exp(-((x - 320)^2 + (y - 250)^2) / 1152) for t = 0, else 0; v = scene (1 - b) + 0.85 b",
}


def answers(session, height: int, width: int) -> dict:
    i = PARAMS["input"]
    mean, std = (np.array(i[k], np.float32).reshape(1, 3, 1, 1) for k in ("mean", "std"))
    cases = []
    for name, v in pictures(height, width).items():
        heat = session.run(["heatmap"], {"frames": ((v - mean) / std)[None].astype(np.float32)})[0][0]
        case = {"name": name, "value": FORMULAS[name]}
        for j, cls in enumerate(("smoke", "fire")):
            y, x = np.unravel_index(heat[j].argmax(), heat[j].shape)
            case[cls] = {"max": round(float(heat[j].max()), 6), "at": [int(y), int(x)],
                         "mean": round(float(heat[j].mean()), 6)}
        cases.append(case)
    return {"tolerance": 1e-3, "height": height, "width": width, "cases": cases}


def goldens(full, screen) -> dict:
    i = PARAMS["input"]
    a = plume.alpha(360, 640, (320, 240), 60.0, 90.0, 0.4, 7)
    points = [[240, 320], [225, 322], [200, 330], [180, 340], [150, 350]]
    return {
        "about": "Expected outputs on pictures made from formulas. Input tensor [1, 2, 3, H, W], indices t (0 present, "
                 "1 earlier), c (0 red), y, x; value v, then (v - mean[c]) / std[c] with mean and std of model.toml. "
                 "`max` and `mean` of each class plane of the heatmap; `at` is [row, column] of the strongest cell, "
                 "to be compared only where max > 0.05.",
        **answers(full, i["height"], i["width"]), "screen": answers(screen, **replay.small()),
        "plume": {"about": "train/plume.py: alpha(360, 640, (320, 240), 60, 90, 0.4, 7); points are [row, column, alpha]",
                  "sum": round(float(a.sum()), 3), "max": round(float(a.max()), 6),
                  "points": [[*p, round(float(a[p[0], p[1]]), 6)] for p in points],
                  "colour": [round(float(v), 6) for v in plume.colour(7)],
                  "flicker": round(plume.flicker(90.0), 6)},
    }


def bounded(v, most: float) -> list[float]:
    """An endless wait is written as the most that the program takes."""
    return [round(min(float(x), most), 3) for x in v]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--lawful", action="store_true")
    ap.add_argument("--out", type=Path)
    args = ap.parse_args()
    out = args.out or (HERE.parents[1] / "smoke-fire-lawful/0.1.0" if args.lawful else HERE.parent / "0.3.1")
    i, last = PARAMS["input"], args.work / f"stage{len(PARAMS['train']['stages']) - 1}"
    out.mkdir(parents=True, exist_ok=True)
    path, screen = out / "model.onnx", out / "screen.onnx"
    onnx_file.write(last / "net.pt", path, i["width"], i["height"])
    small = replay.small()
    onnx_file.write(last / "net-screen.pt", screen, small["width"], small["height"])
    chosen = json.loads((last / "points.json").read_text())
    points = {name: chosen[name]["ship"] for name in PARAMS["points"]}
    program = json.loads((last / "figures.json").read_text())["cross"]["program"]
    balanced = points["balanced"]
    sha, screen_sha = (hashlib.sha256(p.read_bytes()).hexdigest() for p in (path, screen))
    text = HEAD.format(name=out.parent.name, version=out.name, sha=sha, screen_sha=screen_sha, opset=onnx_file.OPSET,
                       licence=STATED if args.lawful else NON_COMMERCIAL,
                       ir=onnx.load(str(path)).ir_version, **i, **{k: balanced[k] for k in ("screen", "fire_screen", "smoke", "fire")},
                       screening=chosen["screening"]["ship"], audit=PARAMS["screening"]["audit"],
                       small=small, calls=max(chosen["screening"]["ship"]["looks"]),
                       fires=program["balanced"]["fires"], days=program["balanced"]["camera_days"])
    for name, p in points.items():
        e = program[name]
        text += POINT.format(name=name, **{k: p[k] for k in ("smoke", "fire", "smoke_tile", "fire_tile", "evidence")},
                             alarms=bounded(e["false_alarms_per_camera_day"], 1440), recall=bounded(e["event_recall"], 1),
                             minutes=bounded([max(0.0, x) for x in e["minutes_to_alarm"]], 1440))
    if (last / "verifier.onnx").exists():
        verifier = out / "verifier.onnx"
        verifier.write_bytes((last / "verifier.onnx").read_bytes())
        v = PARAMS["verifier"]
        text += VERIFIER.format(sha=hashlib.sha256(verifier.read_bytes()).hexdigest(), version=out.name, times=1 + len(v["ages_s"]),
                                threshold=json.loads((last / "verifier.json").read_text())["threshold"], **v)
    (out / "model.toml").write_text(text)
    (out / "goldens.json").write_text(json.dumps(goldens(onnx_file.session(path), onnx_file.session(screen)), indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
