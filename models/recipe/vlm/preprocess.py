"""Pixels as libmtmd v0.5.0 sees them for a LLaVA-1.5 projector (`mlp`, no `image_grid_pinpoints`).

tools/mtmd/mtmd-image.cpp, mtmd_image_preprocessor_fixed_size with the defaults of PROJECTOR_TYPE_MLP:
  1. RGB, 8 bits a channel.
  2. Already image_size x image_size: taken as it is.
  3. Else scaled to fit (aspect kept): scale = min(S / width, S / height) in 32-bit floats, the new sides
     ceil(side * scale), at most S; Pillow's bicubic (a = -0.5, widened when shrinking, fixed-point
     arithmetic: the C++ is a port of Pillow's and gives the same bytes), rows first.
  4. Centred, offset (S - side) / 2 rounded down, on the colour (122, 116, 104).
  5. value / 255, minus `clip.vision.image_mean`, over `clip.vision.image_std`.
Square pictures therefore never meet the padding; pictures drawn at image_size never meet the resize.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

PAD_COLOUR = (122, 116, 104)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def fit(image: Image.Image, size: int) -> Image.Image:
    """Steps 1 to 4: the picture as `size` x `size` bytes."""
    image = image.convert("RGB")
    if image.size == (size, size):
        return image
    width, height = image.size
    scale = min(np.float32(size) / np.float32(width), np.float32(size) / np.float32(height))
    new_width = min(int(np.ceil(np.float32(width) * scale)), size)
    new_height = min(int(np.ceil(np.float32(height) * scale)), size)
    canvas = Image.new("RGB", (size, size), PAD_COLOUR)
    # Rows, then columns, in two calls: newer Pillows take columns first for tall pictures.
    across = image.resize((new_width, height), Image.Resampling.BICUBIC)
    resized = across.resize((new_width, new_height), Image.Resampling.BICUBIC)
    canvas.paste(resized, ((size - new_width) // 2, (size - new_height) // 2))
    return canvas


def normalise(pixels: Tensor, mean=CLIP_MEAN, std=CLIP_STD) -> Tensor:
    """Bytes [B, S, S, 3] to floats [B, 3, S, S]: for pictures kept as bytes and normalised a batch at a time."""
    values = pixels.float().div_(255).sub_(torch.tensor(mean)).div_(torch.tensor(std))
    return values.permute(0, 3, 1, 2).contiguous()


def preprocess(image: Image.Image, size: int = 160, mean=CLIP_MEAN, std=CLIP_STD) -> Tensor:
    """A picture to the tower's input [3, size, size]."""
    return normalise(torch.from_numpy(np.asarray(fit(image, size)).copy())[None], mean, std)[0]
