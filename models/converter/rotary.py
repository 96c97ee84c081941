"""The angles by which a position turns each pair of a head, as config.json states them."""

from __future__ import annotations

import math

import numpy as np


def frequencies(config: dict, size: int) -> np.ndarray:
    """float32 [size/2], radians a position. Plain (theta^(-2i/size)) or Llama-3.1's, which slows the long waves."""
    # transformers 5 keeps theta and scaling together in rope_parameters, transformers 4 apart.
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = rope.get("rope_theta") or config.get("rope_theta") or 10000.0
    plain = 1.0 / theta ** (np.arange(0, size, 2, dtype=np.float64) / size)
    kind = rope.get("rope_type", rope.get("type")) or "default"
    if kind == "default":
        return plain.astype(np.float32)
    if kind != "llama3":
        raise ValueError(f"Expected plain or llama3 rotary positions but received {kind}: add its formula to rotary.py")
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    # Turns that the wave makes over the length the model was first trained on: few are slowed, many stay, between is blended.
    turns = rope["original_max_position_embeddings"] * plain / (2 * math.pi)
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return ((1 - kept) * plain / rope["factor"] + kept * plain).astype(np.float32)
