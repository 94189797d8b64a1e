"""Ranking figures of frame scores."""

from __future__ import annotations

import numpy as np


def auc(pos, neg) -> float:
    """Area under the ROC curve; a tie counts as half."""
    values = np.concatenate([pos, neg])
    _, inv, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks = (last - (count - 1) / 2)[inv]
    n = len(pos)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(neg)))


def threshold_at(neg, false_rate: float) -> float:
    """Lowest value of `neg` above which at most a share `false_rate` of `neg` lies."""
    neg = np.sort(neg)[::-1]
    return float(neg[min(len(neg) - 1, int(np.floor(false_rate * len(neg))))])


def recall_at(pos, neg, false_rate: float) -> float:
    """Share of `pos` above that threshold."""
    return float((np.asarray(pos) > threshold_at(neg, false_rate)).mean())
