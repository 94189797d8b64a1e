"""Writes model.onnx, model.toml and goldens.json.

    python export.py --work DIR [--out ../0.1.0]

Needs WORK/head.pt and WORK/fold*.json (train.py, --folds), WORK/fire.pt and WORK/firefold*.json (fire.py, --folds).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tomllib
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

import plume
from fire import HARD
from metrics import auc, threshold_at
from net import Fire, Head, SmokeFire, Trunk

HERE = Path(__file__).parent
PARAMS = tomllib.loads((HERE / "params.toml").read_text())
OPSET = 13

TOML = """# What the program needs to know about the model. Written by train/export.py.
name = "smoke-fire"
version = "{version}"
file = "model.onnx"
sha256 = "{sha}"
head = "heatmap"
classes = ["smoke", "fire"]
opset = {opset}
onnx_ir = {ir}

[input]
name = "frames"        # float32 [1, 2, 3, height, width]: 0 = present, 1 = earlier (present again if none)
width = {width}
height = {height}
channels = 3           # RGB, (pixel / 255 - mean) / std
frames = 2
past_s = [{past}]         # how long before the present the earlier frame was taken
layout = "ntchw"
mean = {mean}
std = {std}
letterbox = true       # fit centred, grey 114 around

[output]
heatmap = "heatmap"    # float32 [1, 2, height / 16, width / 16], probabilities; frame score = its maximum

# How chosen: on the train split only, every frame scored by a model that was trained without its camera
# ({folds} folds: {n_boxed} boxed and {n_clean} clean watch frames, {n_photo} views of photographs without smoke or fire).
# Smoke: `screen` lets {p[smoke_screen]:.1%} of the clean watch frames pass, `alarm` {p[smoke_alarm]:.1%}; of the photographs
# {photo_screen:.1%} and {photo_alarm:.1%} pass, of the boxed watch frames {r_screen:.1%} and {r_alarm:.1%} (AUC {cv_auc:.3f}).
# Fire: {p[fire_screen]:.1%} and {p[fire_alarm]:.1%} pass in the worst of four groups: {n_fire_neg} views of photographs without fire in
# {layouts} layouts, those laid out as the program does it, those of {hard}, clean watch frames.
# Of the photographs of flames {rf_screen:.1%} and {rf_alarm:.1%} pass, laid out as the program does it (AUC {fire_auc:.3f}).
[thresholds.screen]    # cells over it make boxes
smoke = {smoke_screen:.3f}
fire = {fire_screen:.3f}

[thresholds.alarm]     # a frame whose score is over it counts towards an alarm
smoke = {smoke_alarm:.3f}
fire = {fire_alarm:.3f}
"""


def pictures() -> dict:
    """Input pictures from formulas, float [2, 3, H, W] in 0..1, before normalisation."""
    h, w = PARAMS["input"]["height"], PARAMS["input"]["width"]
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


def goldens(session) -> dict:
    i = PARAMS["input"]
    mean, std = (np.array(i[k], np.float32).reshape(1, 3, 1, 1) for k in ("mean", "std"))
    cases = []
    for name, v in pictures().items():
        heat = session.run(["heatmap"], {"frames": ((v - mean) / std)[None].astype(np.float32)})[0][0]
        case = {"name": name, "value": FORMULAS[name]}
        for j, cls in enumerate(("smoke", "fire")):
            y, x = np.unravel_index(heat[j].argmax(), heat[j].shape)
            case[cls] = {"max": round(float(heat[j].max()), 6), "at": [int(y), int(x)],
                         "mean": round(float(heat[j].mean()), 6)}
        cases.append(case)
    a = plume.alpha(360, 640, (320, 240), 60.0, 90.0, 0.4, 7)
    points = [[240, 320], [225, 322], [200, 330], [180, 340], [150, 350]]
    return {
        "about": "Expected outputs on pictures made from formulas. Input tensor [1, 2, 3, H, W], indices t (0 present, "
                 "1 earlier), c (0 red), y, x; value v, then (v - mean[c]) / std[c] with mean and std of model.toml. "
                 "`max` and `mean` of each class plane of the heatmap; `at` is [row, column] of the strongest cell, "
                 "to be compared only where max > 0.05.",
        "tolerance": 1e-3,
        "height": i["height"], "width": i["width"],
        "cases": cases,
        "plume": {"about": "train/plume.py: alpha(360, 640, (320, 240), 60, 90, 0.4, 7); points are [row, column, alpha]",
                  "sum": round(float(a.sum()), 3), "max": round(float(a.max()), 6),
                  "points": [[*p, round(float(a[p[0], p[1]]), 6)] for p in points],
                  "colour": [round(float(v), 6) for v in plume.colour(7)],
                  "flicker": round(plume.flicker(90.0), 6)},
    }


def thresholds(rows, fire_rows) -> dict:
    t = PARAMS["threshold"]

    def column(kind, j):
        return np.array([r[2 + j] for r in rows if r[0] == kind])

    def fire(kind, what=None, layout=None):
        return np.array([r[3] for r in fire_rows
                         if r[0] == kind and (what is None or r[1] in what) and layout in (None, r[2])])

    boxed, clean = column("boxed", 1), column("clean", 1)
    photo = column("negative", 1)
    groups = [fire("negative"), fire("negative", layout=0), fire("negative", HARD), fire("watch", ("clean",))]
    flames = fire("flame", layout=0)
    out = {"cv_auc": auc(boxed, clean), "n_boxed": len(boxed), "n_clean": len(clean), "n_photo": len(photo), "p": t,
           "n_fire_neg": len(groups[0]), "layouts": PARAMS["fire"]["layouts"], "hard": ", ".join(HARD),
           "fire_auc": auc(flames, groups[1])}
    for name in ("screen", "alarm"):
        smoke = round(threshold_at(clean, t[f"smoke_{name}"]), 3)
        limit = round(max(threshold_at(g, t[f"fire_{name}"]) for g in groups), 3)
        out[f"smoke_{name}"], out[f"fire_{name}"] = smoke, limit
        out[f"r_{name}"], out[f"photo_{name}"] = float((boxed > smoke).mean()), float((photo > smoke).mean())
        out[f"rf_{name}"] = float((flames > limit).mean())
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", type=Path, required=True)
    ap.add_argument("--out", type=Path, default=HERE.parent / "0.1.0")
    args = ap.parse_args()
    warnings.simplefilter("ignore")
    head = Head()
    head.load_state_dict(torch.load(args.work / "head.pt"))
    fire = Fire()
    fire.load_state_dict(torch.load(args.work / "fire.pt"))
    trunk = Trunk().load_imagenet()
    if (args.work / "trunk.pt").exists():
        trunk.load_state_dict(torch.load(args.work / "trunk.pt"))
    i = PARAMS["input"]
    frames = torch.randn(1, 2, 3, i["height"], i["width"])
    with torch.no_grad():
        expected = SmokeFire(trunk, head, fire).eval()(frames)
    net = SmokeFire(trunk, head.shorten(), fire).eval()
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "model.onnx"
    torch.onnx.export(net, frames, str(path), opset_version=OPSET, input_names=["frames"], output_names=["heatmap"])
    onnx.checker.check_model(str(path))
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    gap = np.abs(session.run(None, {"frames": frames.numpy()})[0] - expected.numpy()).max()
    print(f"largest difference between torch and onnxruntime: {gap:.2e}")
    assert gap < 1e-3
    rows, fire_rows = ([r for f in sorted(args.work.glob(g)) for r in json.loads(f.read_text())]
                       for g in ("fold*.json", "firefold*.json"))
    values = thresholds(rows, fire_rows)
    (args.out / "model.toml").write_text(TOML.format(
        version=args.out.name, sha=hashlib.sha256(path.read_bytes()).hexdigest(), opset=OPSET,
        ir=onnx.load(str(path)).ir_version, width=i["width"], height=i["height"], past=i["past_s"],
        mean=i["mean"], std=i["std"], folds=PARAMS["train"]["folds"], **values))
    (args.out / "goldens.json").write_text(json.dumps(goldens(session), indent=1) + "\n")
    print((args.out / "model.toml").read_text())


if __name__ == "__main__":
    main()
