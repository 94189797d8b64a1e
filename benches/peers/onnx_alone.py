"""CPU seconds of one look at a 16:9 picture by the network alone: nothing taken, decoded or resized. Prints one number."""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from look import Model

LOOKS = 40

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", type=Path, default=Path("models/smoke-fire/0.2.0"))
model = Model(parser.parse_args().model)
shape = model.canvas(np.zeros((360, 640, 3), np.uint8)).shape
present, past = np.random.default_rng(0).random((2, *shape), np.float32)
times = []
for _ in range(LOOKS + 3):
    before = time.process_time()
    model.smoke(present, past)
    times.append(time.process_time() - before)
print(statistics.median(times[3:]))
