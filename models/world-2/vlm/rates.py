"""Rates with their intervals, under several names at once."""

import math
from collections.abc import Callable


def wilson(hits: int, count: int, z: float = 1.96) -> list[float]:
    """Share and its 95 % interval (Wilson), and of how many."""
    if count == 0:
        return [0.0, 0.0, 1.0, 0]
    share, spread = hits / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return [*(round(v, 4) for v in (share, centre - half, centre + half)), count]


class Tally:
    """Hits under several names, and the worst of those that begin alike."""

    def __init__(self) -> None:
        self.hits: dict[str, list[bool]] = {}

    def add(self, hit: bool, *names: str) -> None:
        for name in names:
            self.hits.setdefault(name, []).append(bool(hit))

    def rates(self, worst: Callable[[list[list[float]]], list[float]] | None = None) -> dict:
        found = {name: wilson(sum(hits), len(hits)) for name, hits in sorted(self.hits.items())}
        by_hand = [rate for name, rate in found.items() if name.startswith("hand ")]
        return {**found, **({"worst hand": worst(by_hand)} if worst and by_hand else {})}
