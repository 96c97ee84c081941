"""Two pictures a model: one of a size that needs no resizing, one that does."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw


def exact(width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height), (30, 120, 200))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width // 8, height // 8, width * 2 // 3, height * 2 // 3), fill=(220, 40, 30))
    draw.rectangle((width // 2, height * 2 // 3, width - 3, height - 3), fill=(250, 240, 90))
    return picture


def wide(width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height), (245, 245, 235))
    draw = ImageDraw.Draw(picture)
    step = width // 6
    for index in range(6):
        left = 2 + step * index
        draw.rectangle(
            (left, height // 8, left + step * 2 // 3, height - height // 8), fill=(40 * index, 200 - 30 * index, 90)
        )
    draw.line((0, 0, width, height), fill=(10, 10, 10), width=2)
    return picture


def save(picture: Image.Image, path: Path) -> Path:
    picture.save(path, optimize=True)
    return path
