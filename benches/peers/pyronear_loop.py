"""Cameras watched by Pyronear's engine (package pyroengine 0.2.0), in the order and manner of its loop: one camera after the
other, one picture of each a round.

- Pictures: as its RTSP adapter takes them: a process of ffmpeg connects, writes one JPEG and ends; OpenCV reads that.
- Network: the engine fetches its own from a model hub, which is not in the package. Here its classifier is given ours behind an
  input and an output of the shape it expects: stretched instead of letterboxed, the present as its own past. Its session
  options (all cores) are left as they are.
- No alert goes anywhere: it has no address to send to.
"""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
import threading
import time
import tomllib
from pathlib import Path

import cv2
import onnx
from onnx import TensorProto, helper
from PIL import Image
from pyroengine import Engine

from look import Count, arguments

TIMEOUT_S = 5  # of its adapter


def classifier(folder: Path, out: Path):
    """Writes out/model.onnx: image [1, 3, h, w] -> the logit of smoke [1, 1], and out/config.json."""
    manifest = tomllib.loads((folder / "model.toml").read_text())
    i = manifest["input"]
    model = onnx.load(str(folder / manifest["file"]))
    graph, heat = model.graph, manifest["output"]["heatmap"]
    before = [
        helper.make_node("Unsqueeze", ["image", "one"], ["once"]),
        helper.make_node("Concat", ["once", "once"], [i["name"]], axis=1),
    ]
    after = [
        helper.make_node("Gather", [heat, "smoke"], ["cells"], axis=1),
        helper.make_node("ReduceMax", ["cells"], ["score"], axes=[1, 2], keepdims=0),
        helper.make_node("Clip", ["score", "least", "most"], ["p"]),
        helper.make_node("Sub", ["unit", "p"], ["q"]),
        helper.make_node("Div", ["p", "q"], ["odds"]),
        helper.make_node("Log", ["odds"], ["logit"]),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.initializer.extend([
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("smoke", TensorProto.INT64, [], [manifest["classes"].index("smoke")]),
        *(helper.make_tensor(name, TensorProto.FLOAT, [], [v]) for name, v in (("least", 1e-6), ("most", 1 - 1e-6), ("unit", 1.0))),
    ])
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, i["height"], i["width"]]))
    graph.output.append(helper.make_tensor_value_info("logit", TensorProto.FLOAT, [1]))
    onnx.checker.check_model(model)
    onnx.save(model, str(out / "model.onnx"))
    # The package resizes to the last two of input_shape, taken as width and height.
    config = {"input_shape": [3, i["width"], i["height"]], "mean": i["mean"], "std": i["std"]}
    (out / "config.json").write_text(json.dumps(config))


def capture(url: str, file: Path) -> Image.Image | None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-frames:v", "1", "-y", str(file)]
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    picture = cv2.imread(str(file))
    return None if picture is None else Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def main():
    args = arguments(__doc__).parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    count = Count()
    threading.Thread(target=count.tell, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classifier(args.model, folder)
        (folder / "cache").mkdir()
        paths = {"model_path": str(folder / "model.onnx"), "cfg_path": str(folder / "config.json")}
        engine = None if args.no_inference else Engine("", cache_folder=str(folder / "cache"), **paths)
        while True:
            begun = time.monotonic()
            for number in range(1, args.cameras + 1):
                picture = capture(args.url.format(number), folder / "picture.jpg")
                if picture is None:
                    continue
                if engine is not None:
                    engine.predict(picture)
                count.one_more()
            time.sleep(max(0.0, args.cadence - (time.monotonic() - begun)))


if __name__ == "__main__":
    main()
