"""How a checkpoint wants its pictures: read from preprocessor_config.json, written as the manifest's `vision` fields."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from checkpoint import Checkpoint

FILTERS = {2: "bilinear", 3: "bicubic"}  # PIL's numbers
CLIP_FORM = {"resample": "bicubic", "crop": "center", "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
SIGLIP_FORM = {"resample": "bilinear", "crop": "squash", "mean": [0.5] * 3, "std": [0.5] * 3}


def picture_form(checkpoint: Checkpoint, image_size: int, default: dict) -> dict:
    """{"imageSize", "resample", "crop", "mean", "std"}; `default` where the folder says nothing."""
    found = checkpoint.read_json("preprocessor_config.json")
    form = {"imageSize": image_size} | default
    if not found:
        return form
    size = found.get("size", {})
    side = size if isinstance(size, int) else size.get("shortest_edge", size.get("height", image_size))
    squash = isinstance(size, dict) and "height" in size
    if side != image_size or (squash and size.get("width") != side) or not found.get("do_resize", True) or not found.get("do_rescale", True) or found.get("do_pad"):
        raise ValueError(f"Expected a preprocessor_config.json that resizes to the {image_size} pixels of config.json but it has size {size}: correct one of them")
    form["crop"] = "squash" if squash else "center"
    if "resample" in found:
        if found["resample"] not in FILTERS:
            raise ValueError(f"Expected a resample of 2 (bilinear) or 3 (bicubic) but received {found['resample']}")
        form["resample"] = FILTERS[found["resample"]]
    form["mean"], form["std"] = found.get("image_mean", form["mean"]), found.get("image_std", form["std"])
    if not found.get("do_normalize", True):
        form["mean"], form["std"] = [0.0] * 3, [1.0] * 3
    return form


def picture_tensor(image: Image.Image, form: dict) -> torch.Tensor:
    """[1, 3, S, S] by PIL."""
    size = form["imageSize"]
    filter = Image.Resampling.BICUBIC if form["resample"] == "bicubic" else Image.Resampling.BILINEAR
    if form["crop"] == "squash":
        image = image.resize((size, size), filter)
    else:
        short, long = sorted(image.size)
        other = int(size * long / short)
        image = image.resize((size, other) if image.width <= image.height else (other, size), filter)
        before = (lambda rest: round(rest / 2)) if form["crop"] == "center-rounded" else (lambda rest: rest // 2)
        left, top = before(image.width - size), before(image.height - size)
        image = image.crop((left, top, left + size, top + size))
    values = np.asarray(image, np.float32) / 255
    values = (values - np.array(form["mean"], np.float32)) / np.array(form["std"], np.float32)
    return torch.from_numpy(values.transpose(2, 0, 1).copy())[None]


def test_picture(width: int, height: int) -> Image.Image:
    """The self-test's picture, by the formula of src/manifest/test-picture.ts."""
    y, x, channel = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((5 * x + 3 * y + 40 * channel + np.where(x < y, 90, 0)) % 256).astype(np.uint8))
