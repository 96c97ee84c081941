"""Areas under the ROC curve with bootstrap intervals, and thresholds."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The chance that a positive scores above a negative; ties count a half."""
    ranks = rankdata(np.concatenate([positive, negative]))
    count = len(positive)
    return float((ranks[:count].sum() - count * (count + 1) / 2) / (count * len(negative)))


def auc_interval(scores: np.ndarray, truth: np.ndarray, resamples: int = 500, seed: int = 0) -> list[float]:
    """[AUC, low, high]: 95 % by bootstrap within each class."""
    positive, negative = scores[truth], scores[~truth]
    rng = np.random.default_rng(seed)
    found = [auc(rng.choice(positive, len(positive)), rng.choice(negative, len(negative))) for _ in range(resamples)]
    low, high = np.percentile(found, [2.5, 97.5])
    return [round(value, 4) for value in (auc(positive, negative), float(low), float(high))]


def rate_interval(hits: np.ndarray) -> list[float]:
    """[rate, low, high]: 95 % by Wilson's formula."""
    count, z = len(hits), 1.96
    rate = float(np.mean(hits))
    centre, spread = rate + z * z / (2 * count), z * np.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    return [round(max(0.0, float(value)), 4) for value in (rate, (centre - spread) / (1 + z * z / count), (centre + spread) / (1 + z * z / count))]


def best_threshold(scores: np.ndarray, truth: np.ndarray) -> float:
    """The middle of the gap that separates best: true positive rate minus false positive rate, scores at or above count as positive."""
    order = np.unique(scores)
    cuts = (order[1:] + order[:-1]) / 2
    gains = np.array([(scores[truth] >= cut).mean() - (scores[~truth] >= cut).mean() for cut in cuts])
    best = cuts[gains >= gains.max() - 1e-9]
    return float(best[len(best) // 2])


def histogram(scores: np.ndarray, groups: dict[str, np.ndarray], edges: np.ndarray) -> dict:
    """Counts for each group between the edges: what a drawing of the distributions needs."""
    return {"edges": [round(float(edge), 4) for edge in edges],
            "counts": {name: np.histogram(scores[rows], edges)[0].tolist() for name, rows in groups.items()}}
