"""Draws a scene: a 256-pixel RGB picture, and dense labels for a grid of patches."""

import io
import random
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .drawing import sprite
from .fonts import FONTS, font
from .lexicon import COLOUR_NAMES, HAZARD_NAMES, LEADS, THING_NAMES, TITLE_NOUNS
from .scene import Scene

PIXELS = 256
CELL = PIXELS / 3

KIND_LABELS = ["background", *THING_NAMES, *HAZARD_NAMES]
COLOUR_LABELS = ["none", *COLOUR_NAMES]
WORD_LABELS = ["none", *LEADS, *TITLE_NOUNS, "items"]


@dataclass
class Labels:
    """One label a patch, row by row; `cell` is 0 for none and 1 + 3 · row + column otherwise."""

    kind: np.ndarray
    colour: np.ndarray
    word: np.ndarray
    cell: np.ndarray


@cache
def _noise(index: int) -> np.ndarray:
    return np.random.default_rng(index).normal(0, 1, (PIXELS, PIXELS, 1)).astype(np.float32)


def render(scene: Scene, grid: int = 8) -> tuple[Image.Image, Labels]:
    """The picture and its labels for `grid` by `grid` patches. The same scene gives the same pixels."""
    rng = random.Random(f"render/{scene.split}/{scene.seed}/{scene.identity}")
    canvas = _background(rng, plain=bool(scene.lead))
    layers: list[tuple[np.ndarray, int, int, int, int]] = []  # mask, kind, colour, word, cell
    if scene.lead:
        _draw_list(canvas, scene, rng, layers)
    if scene.hazard:
        row, column = scene.hazard_corner
        centre = ((column + 1) * CELL, (row + 1) * CELL)
        size = rng.uniform(122, 158)
        _paste(canvas, rng, scene.hazard, scene.hazard_colour, centre, size, 14, (row, column), layers)
    for group in scene.groups:
        for row, column in group.cells:
            centre = ((column + 0.5) * CELL, (row + 0.5) * CELL)
            _paste(canvas, rng, group.kind, group.colour, centre, rng.uniform(66, 84), 5, (row, column), layers)
    return _degrade(canvas, rng), _labels(layers, grid)


def _background(rng: random.Random, plain: bool) -> Image.Image:
    low = 232 if plain else 206
    corners = [tuple(rng.randrange(low, 256) for _ in range(3)) for _ in range(4)]
    if plain or rng.random() < 0.4:
        return Image.new("RGB", (PIXELS, PIXELS), corners[0])
    small = Image.new("RGB", (2, 2))
    small.putdata(corners)
    return small.resize((PIXELS, PIXELS), Image.Resampling.BILINEAR)


def _paste(canvas, rng, kind, colour, centre, size, jitter, cell, layers) -> None:
    shape = sprite(kind, colour)
    if rng.random() < 0.5 and kind not in ("key", "hammer"):
        shape = shape.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = int(size)
    shape = shape.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=1.0)
    angle = rng.uniform(-12, 12)
    shape = shape.rotate(angle, Image.Resampling.BILINEAR)
    gain = rng.uniform(0.88, 1.08)
    bands = shape.split()
    shape = Image.merge("RGBA", [*(band.point(lambda v: min(255, int(v * gain))) for band in bands[:3]), bands[3]])
    x = int(centre[0] + rng.uniform(-jitter, jitter) - side / 2)
    y = int(centre[1] + rng.uniform(-jitter, jitter) - side / 2)
    canvas.paste(shape, (x, y), shape)
    mask = Image.new("L", (PIXELS, PIXELS))
    mask.paste(bands[3], (x, y))
    kind_label = KIND_LABELS.index(kind)
    layers.append((np.asarray(mask), kind_label, COLOUR_LABELS.index(colour), 0, 1 + 3 * cell[0] + cell[1]))


def _fit(text: str, name: str, width: float, height: int):
    size = height
    face = font(name, size)
    length = face.getlength(text)
    if length > width:
        size = max(8, int(size * width / length))
        face = font(name, size)
    return face


def _draw_list(canvas, scene, rng, layers) -> None:
    """Lead on the first line, noun on the second, then empty items."""
    draw = ImageDraw.Draw(canvas)
    name = rng.choice(FONTS[scene.split])
    ink = tuple(rng.randrange(0, 70) for _ in range(3))
    left = rng.uniform(10, 22)
    top = rng.uniform(8, 22)
    lead_face = _fit(scene.lead, name, rng.uniform(180, 225), rng.choice([44, 48]))
    noun_face = _fit(scene.noun.capitalize(), name, rng.uniform(195, 228), rng.choice([54, 60]))
    lead_box = draw.textbbox((left, top), scene.lead, font=lead_face)
    draw.text((left, top), scene.lead, font=lead_face, fill=ink)
    noun_top = max(lead_box[3] + 6, top + 52)
    noun_box = draw.textbbox((left, noun_top), scene.noun.capitalize(), font=noun_face)
    draw.text((left, noun_top), scene.noun.capitalize(), font=noun_face, fill=ink)
    item_face = font(name, 28)
    y = items_top = max(noun_box[3] + 6, 140)
    item_step = min(36, (PIXELS - 6 - y) / 3)
    for number in (1, 2, 3):
        draw.text((left, y), f"{number}.", font=item_face, fill=ink)
        y += item_step
    items = (left, items_top, left + 30, y)
    for box, word in ((lead_box, scene.lead), (noun_box, scene.noun), (items, "items")):
        mask = np.zeros((PIXELS, PIXELS), np.uint8)
        x0, y0, x1, y1 = (max(0, int(v)) for v in box)
        mask[y0:y1, x0:x1] = 255
        layers.append((mask, 0, 0, WORD_LABELS.index(word), 0))


def _degrade(canvas: Image.Image, rng: random.Random) -> Image.Image:
    if rng.random() < 0.25:
        canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.2)))
    strength = rng.choice([0, 2, 4, 7])
    if strength:
        noisy = np.asarray(canvas, np.float32) + strength * _noise(rng.randrange(24))
        canvas = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    if rng.random() < 0.25:
        buffer = io.BytesIO()
        canvas.save(buffer, "JPEG", quality=rng.randrange(45, 92))
        canvas = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    return canvas


def _labels(layers, grid: int) -> Labels:
    """The label of the layer that covers most of a patch, where it covers at least a tenth."""
    step = PIXELS // grid
    best = np.full((grid, grid), 25.0, np.float32)
    out = {name: np.zeros((grid, grid), np.int64) for name in ("kind", "colour", "word", "cell")}
    for mask, kind, colour, word, cell in layers:
        cover = mask[: step * grid, : step * grid].reshape(grid, step, grid, step).mean((1, 3))
        take = cover > best
        best[take] = cover[take]
        for name, value in (("kind", kind), ("colour", colour), ("word", word), ("cell", cell)):
            out[name][take] = value
    return Labels(**{name: value.reshape(-1) for name, value in out.items()})
