"""Training in fixed steps that can be taken up again.

What a step sees depends on the seed and the step's number alone, never on the time or on what ran before it. So a run that
was killed goes on from its last state with the very data it would have had, and a busy machine trains the same model.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import torch


def batch_of(seed: int, step: int, size: int, count: int) -> list[int]:
    """The rows of step `step`: every one of `count` once before any comes again, in an order of its own each time."""
    per_round = count // size
    if per_round == 0:
        raise ValueError(f"a batch of {size} is larger than the {count} rows there are")
    order = np.random.default_rng([seed, step // per_round]).permutation(count)
    first = (step % per_round) * size
    return [int(row) for row in order[first : first + size]]


def step_random(seed: int, step: int, what: str = "") -> random.Random:
    """The random numbers of one step."""
    return random.Random(f"{seed}/{step}/{what}")


def save_whole(value: object, path: Path) -> None:
    """Saves so that the file is whole or not there, whenever the run is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(value, partial)
    os.replace(partial, path)


def load_state(path: Path) -> dict | None:
    """The state of a run that was stopped, or None."""
    return torch.load(path, map_location="cpu", weights_only=False) if path.exists() else None


def falling(step: int, total: int, warm: int = 30, share: float = 0.4, lowest: float = 0.03) -> float:
    """The rate's share: it rises over `warm` steps, and falls in a line over the last `share` of the steps."""
    return min(1.0, (step + 1) / warm) * max(lowest, min(1.0, (1 - step / total) / share))
