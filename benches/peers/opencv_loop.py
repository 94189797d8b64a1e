"""Cameras watched in plain Python: OpenCV's VideoCapture, one thread a camera, every frame read so that none gets old.

--grab is the thrifty way: every frame is decoded, but only the one that is looked at is converted to colours.
"""

from __future__ import annotations

import sys
import threading
import time

import cv2

from look import Count, Model, arguments


def watch(url: str, due: float, cadence: float, model: Model | None, grab: bool, count: Count):
    past = None
    while True:
        capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
        while True:
            going, frame = (capture.grab(), None) if grab else capture.read()
            if not going:
                break
            if time.monotonic() < due:
                continue
            if grab:
                _, frame = capture.retrieve()
            if model is not None:
                present = model.canvas(frame)
                past = present if past is None else past  # in place of the picture of minutes ago: the cost is the same
                model.smoke(present, past)
            count.one_more()
            due = max(due + cadence, time.monotonic())
        print(f"{url}: no picture, connecting again", file=sys.stderr)
        capture.release()
        time.sleep(1)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--grab", action="store_true")
    args = parser.parse_args()
    model = None if args.no_inference else Model(args.model)
    count, begun = Count(), time.monotonic()
    for number in range(args.cameras):
        due = begun + args.cadence * number / args.cameras
        work = (args.url.format(number + 1), due, args.cadence, model, args.grab, count)
        threading.Thread(target=watch, args=work, daemon=True).start()
    count.tell()


if __name__ == "__main__":
    main()
