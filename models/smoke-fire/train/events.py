"""Figures that matter to an office, by event: was the fire found, how soon, and how many alarms were false."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EARLY_MIN = 8  # smoke can be seen up to eight minutes before the first box was drawn


@dataclass
class Event:
    name: str
    first_box_s: float | None
    clean: list  # times in s of frames without smoke
    camera: str


@dataclass
class Outcome:
    """One event: delay of the first true alarm in minutes (None: not found), false alarms, minutes watched without smoke."""

    event: Event
    delay_min: float | None
    false_alarms: int

    @property
    def clean_min(self) -> float:
        return float(len(self.event.clean))


def outcome(event: Event, alarms) -> Outcome:
    """alarms: times in s. An alarm on a frame without smoke is false; another one is true from EARLY_MIN before the first box on."""
    clean = set(event.clean)
    false = sum(t in clean for t in alarms)
    delay = None
    if event.first_box_s is not None:
        late = [t for t in alarms if t not in clean and t >= event.first_box_s - 60 * EARLY_MIN]
        delay = (min(late) - event.first_box_s) / 60 if late else None
    return Outcome(event, delay, false)


def figures(outcomes: list[Outcome]) -> dict:
    fires = [o for o in outcomes if o.event.first_box_s is not None]
    delays = [o.delay_min for o in fires if o.delay_min is not None]
    days = sum(o.clean_min for o in outcomes) / 1440
    return {
        "event_recall": len(delays) / len(fires) if fires else float("nan"),
        "event_recall_5min": sum(x <= 5 for x in delays) / len(fires) if fires else float("nan"),
        # an event that was not found counts as an infinite delay
        "minutes_to_alarm": float(np.median([*delays, *[np.inf] * (len(fires) - len(delays))])) if fires else float("nan"),
        "worst_found_min": max(delays, default=float("nan")),
        "false_alarms_per_camera_day": sum(o.false_alarms for o in outcomes) / days,
    }


def with_intervals(outcomes: list[Outcome], rounds: int = 2000, seed: int = 1) -> dict:
    """figure -> [value, lower, upper]: the 95 % interval of a bootstrap over events. With no false alarm in D days the upper
    limit is 3 / D a day (rule of three, Hanley and Lippman-Hand 1983); a bootstrap would give 0, so it is raised to that."""
    rng = np.random.default_rng(seed)
    value = figures(outcomes)
    rows = [figures([outcomes[i] for i in rng.integers(len(outcomes), size=len(outcomes))]) for _ in range(rounds)]
    out = {}
    for k, v in value.items():
        lo, hi = np.nanpercentile([r[k] for r in rows], [2.5, 97.5], method="nearest")
        out[k] = [v, float(lo), float(hi)]
    days = sum(o.clean_min for o in outcomes) / 1440
    fa = out["false_alarms_per_camera_day"]
    fa[2] = max(fa[2], 3 / days) if fa[0] == 0 else fa[2]
    return out
