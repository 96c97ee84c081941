"""Scenes of a split with their pictures: those that were drawn already are read where they lie, others are drawn and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vlm.pictures import Pictures as DrawnPictures
from world.render import render
from world.scene import PIXELS, Scene, make_scene

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Drawn:
    """Rows of pictures in memory maps, as an array gives them."""

    def __init__(self, pictures: DrawnPictures, first: int, count: int) -> None:
        self._pictures, self._first, self._count = pictures, first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, rows) -> np.ndarray:
        rows = range(*rows.indices(self._count)) if isinstance(rows, slice) else rows
        return self._pictures.batch([self._first + int(row) for row in rows])[0]


@dataclass
class Pictures:
    scenes: list[Scene]
    bytes: np.ndarray | Drawn  # [N, S, S, 3] uint8

    @property
    def unsafe(self) -> np.ndarray:
        return np.array([scene.is_unsafe for scene in self.scenes])

    def tensor(self, rows) -> Tensor:
        """Normalised pixels [B, 3, S, S] of these rows, as CLIPImageProcessor gives them."""
        values = torch.from_numpy(np.array(self.bytes[rows])).float().div_(255)
        return ((values - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2).contiguous()


def load_pictures(split: str, count: int, size: int, cache: Path, first: int = 0, drawn: Path | None = None) -> Pictures:
    """`count` scenes of a split from seed `first` on. Those of `vlm.pictures` in the folder `drawn` are read from there;
    without them the bytes are kept in `cache`."""
    if size != PIXELS:
        raise ValueError(f"pictures of this world have {PIXELS} pixels, not {size}")
    scenes = [make_scene(seed, split) for seed in range(first, first + count)]
    known = DrawnPictures(drawn, split) if drawn else None
    if known and first + count <= len(known):
        return Pictures(scenes, Drawn(known, first, count))
    path = cache / f"{split}-{first}-{count}-{size}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack([np.asarray(render(scene)[0]) for scene in scenes]))
    return Pictures(scenes, np.load(path, mmap_mode="r"))
