"""Scenes of a split with their pictures at the tower's size, rendered once and kept as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlm.pictures import IMAGE_SIZE
from vlm.pictures import Pictures as DrawnPictures
from world.render import render
from world.scene import Scene, make_scene

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass
class Pictures:
    scenes: list[Scene]
    bytes: np.ndarray  # [N, S, S, 3] uint8

    @property
    def unsafe(self) -> np.ndarray:
        return np.array([scene.is_unsafe for scene in self.scenes])

    def tensor(self, rows) -> Tensor:
        """Normalised pixels [B, 3, S, S] of these rows, as CLIPImageProcessor gives them."""
        values = torch.from_numpy(np.array(self.bytes[rows])).float().div_(255)
        return ((values - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2).contiguous()


def shrink(image: Image.Image, size: int) -> Image.Image:
    """CLIPImageProcessor's resize of a square picture: Pillow's bicubic."""
    return image if image.size == (size, size) else image.resize((size, size), Image.Resampling.BICUBIC)


def load_pictures(split: str, count: int, size: int, cache: Path, first: int = 0, drawn: Path | None = None) -> Pictures:
    """`count` scenes of a split from seed `first` on. The bytes are kept in `cache`, if they were made before; those of
    `vlm.pictures` in the folder `drawn` are the same and are taken from there."""
    scenes = [make_scene(seed, split) for seed in range(first, first + count)]
    path = cache / f"{split}-{first}-{count}-{size}.npy"
    if path.exists():
        return Pictures(scenes, np.load(path, mmap_mode="r"))
    known = DrawnPictures(drawn, split) if drawn and size == IMAGE_SIZE else None
    found = np.empty((count, size, size, 3), np.uint8)
    for row, scene in enumerate(scenes):
        found[row] = known.batch([first + row])[0][0] if known and first + row < len(known) else np.asarray(shrink(render(scene)[0], size))
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, found)
    return Pictures(scenes, found)
