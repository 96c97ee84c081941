"""Draws a scene: a 224-pixel RGB picture, and dense labels for a grid of patches."""

import io
import math
import random
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .drawing import sprite
from .fonts import font
from .lexicon import COLOUR_NAMES, HAZARD_NAMES, LEADS, THING_NAMES, TITLE_NOUNS
from .pages import page_style
from .scene import PIXELS, Scene, Spot

KIND_LABELS = ["background", *THING_NAMES, *HAZARD_NAMES]
COLOUR_LABELS = ["none", *COLOUR_NAMES]
WORD_LABELS = ["none", *LEADS, *TITLE_NOUNS, "items"]
LETTERS = "abcdefghijklmnopqrstuvwxyz#"  # the last is any digit


@dataclass
class Labels:
    """One label a patch, row by row; `cell` is 0 for none and 1 + 3 · row + column otherwise, `letters` the sum of 2 ** place
    in LETTERS for what of the title stands in the patch."""

    kind: np.ndarray
    colour: np.ndarray
    word: np.ndarray
    cell: np.ndarray
    letters: np.ndarray


@cache
def _noise(index: int) -> np.ndarray:
    return np.random.default_rng(index).normal(0, 1, (PIXELS, PIXELS, 1)).astype(np.float32)


def render(scene: Scene, grid: int = 14) -> tuple[Image.Image, Labels]:
    """The picture and its labels for `grid` by `grid` patches. The same scene gives the same pixels, and a hazard's twin
    the same but for itself (scene.twinned): what is random is drawn for every spot apart."""
    rng = random.Random(f"render/{scene.split}/{scene.seed}")
    layers: list[tuple[np.ndarray, int, int, int, int]] = []  # mask, kind, colour, word, cell
    letters = np.zeros((grid, grid), np.uint32)
    if scene.lead:
        canvas = _page(scene, rng, layers, letters)
    else:
        canvas = _background(rng)
        placed = [(scene.hazard, scene.hazard_colour, scene.hazard_spot)] if scene.hazard else []
        placed += [(group.kind, group.colour, spot) for group in scene.groups for spot in group.spots]
        for kind, colour, spot in placed:
            _paste(canvas, random.Random(f"{scene.split}/{scene.seed}/{spot.x}/{spot.y}"), kind, colour, spot, layers)
    return _degrade(canvas, random.Random(f"noise/{scene.split}/{scene.seed}"), bool(scene.lead)), _labels(layers, letters, grid)


def _background(rng: random.Random) -> Image.Image:
    corners = [tuple(rng.randrange(200, 256) for _ in range(3)) for _ in range(4)]
    if rng.random() < 0.4:
        return Image.new("RGB", (PIXELS, PIXELS), corners[0])
    small = Image.new("RGB", (2, 2))
    small.putdata(corners)
    return small.resize((PIXELS, PIXELS), Image.Resampling.BILINEAR)


def _paste(canvas: Image.Image, rng: random.Random, kind: str, colour: str, spot: Spot, layers) -> None:
    shape = sprite(kind, colour)
    if rng.random() < 0.5:
        shape = shape.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = max(8, round(spot.size))
    shape = shape.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    shape = shape.rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR)
    gain = rng.uniform(0.88, 1.08)
    bands = shape.split()
    shape = Image.merge("RGBA", [*(band.point(lambda v: min(255, int(v * gain))) for band in bands[:3]), bands[3]])
    x, y = round(spot.x - side / 2), round(spot.y - side / 2)
    canvas.paste(shape, (x, y), shape)
    mask = Image.new("L", (PIXELS, PIXELS))
    mask.paste(bands[3], (x, y))
    row, column = spot.cell
    layers.append((np.asarray(mask), KIND_LABELS.index(kind), COLOUR_LABELS.index(colour), 0, 1 + 3 * row + column))


def _ink_and_paper(rng: random.Random, contrast: int, is_dark: bool) -> tuple[tuple, tuple]:
    """Two colours whose grey levels are `contrast` apart."""
    light = rng.randrange(max(contrast, 200), 251) if contrast < 200 else rng.randrange(contrast, 256)
    dark = light - contrast
    tint = [rng.randrange(-14, 15) for _ in range(3)]
    one = tuple(max(0, min(255, light + t)) for t in tint)
    other = tuple(max(0, min(255, dark - t)) for t in tint)
    return (one, other) if is_dark else (other, one)


def _page(scene: Scene, rng: random.Random, layers, letters: np.ndarray) -> Image.Image:
    """A lead, a noun and three empty items, anywhere on the page."""
    style = page_style(scene)
    ink, paper = _ink_and_paper(rng, style.contrast, style.is_dark)
    canvas = Image.new("RGB", (PIXELS, PIXELS), paper)
    noun = style.noun.capitalize()
    if style.split == "spaced":
        noun = " ".join(noun)
    words = [noun]
    if style.split == "hyphen":
        half = len(noun) // 2
        words = [noun[:half] + "-", noun[half:]]
    height = style.height
    while True:  # smaller where it does not fit
        face = font(style.font, height)
        lead_face = font(style.font, max(10, round(height * 0.85)))
        items_face = font(style.font, max(10, round(height * 0.6)))
        lines = [(scene.lead, lead_face, WORD_LABELS.index(scene.lead)), *((word, face, WORD_LABELS.index(scene.noun)) for word in words)]
        # A short title stands on one line with its noun now and then.
        boxes = [one.getbbox(text) for text, one, _ in lines]
        gap = max(2, height // 6)
        tall = sum(box[3] for box in boxes) + gap * len(boxes)
        item_step = items_face.getbbox("1.")[3] + gap
        wide = max(box[2] for box in boxes)
        if (wide <= 212 and tall + 3 * item_step <= 214) or height <= 10:
            break
        height -= 1
    room = 224 - 4 * 2
    bend = abs(style.slant) / 15 * 14  # a slanted page keeps off the edges
    left = rng.uniform(6 + bend / 2, max(7 + bend / 2, room - wide - bend))
    top = rng.uniform(4 + bend / 2, max(5 + bend / 2, 218 - tall - 3 * item_step - bend))
    drawn = Image.new("L", (PIXELS, PIXELS))
    pen = ImageDraw.Draw(drawn)
    marks: list[tuple[tuple[float, float, float, float], int]] = []
    y = top
    for (text, one, label), box in zip(lines, boxes, strict=True):
        pen.text((left, y), text, font=one, fill=255)
        marks.append(((left, y + box[1], left + box[2], y + box[3]), label))
        for place, character in enumerate(text):
            ends = (left + one.getlength(text[:place]), left + one.getlength(text[: place + 1]))
            _mark_letter(letters, character.lower(), (ends[0], y + box[1], ends[1], y + box[3]), style.slant)
        y += box[3] + gap
    first = y
    for number in (1, 2, 3):
        pen.text((left, y), f"{number}.", font=items_face, fill=255)
        y += item_step
    marks.append(((left, first, left + items_face.getlength("1."), y), WORD_LABELS.index("items")))
    if style.slant:
        drawn = drawn.rotate(style.slant, Image.Resampling.BICUBIC)
    canvas.paste(Image.new("RGB", canvas.size, ink), (0, 0), drawn)
    for box, label in marks:
        mask = Image.new("L", (PIXELS, PIXELS))
        ImageDraw.Draw(mask).rectangle(box, fill=255)
        if style.slant:
            mask = mask.rotate(style.slant, Image.Resampling.BILINEAR)
        layers.append((np.asarray(mask), 0, 0, label, 0))
    return canvas


def _mark_letter(letters: np.ndarray, character: str, box: tuple[float, float, float, float], slant: float) -> None:
    """Sets a character's bit in every patch that holds a quarter of it or more; `slant` turns the page as PIL does."""
    bit = LETTERS.find("#" if character.isdigit() else character)
    if bit < 0:
        return
    steps, grid = 6, len(letters)
    part = (np.arange(steps) + 0.5) / steps
    x = box[0] + (box[2] - box[0]) * part[None, :] - PIXELS / 2
    y = box[1] + (box[3] - box[1]) * part[:, None] - PIXELS / 2
    cos, sin = math.cos(math.radians(slant)), math.sin(math.radians(slant))
    columns = ((x * cos + y * sin + PIXELS / 2) * grid / PIXELS).astype(int)
    rows = ((y * cos - x * sin + PIXELS / 2) * grid / PIXELS).astype(int)
    inside = (columns >= 0) & (columns < grid) & (rows >= 0) & (rows < grid)
    cells, counts = np.unique(rows[inside] * grid + columns[inside], return_counts=True)
    letters.reshape(-1)[cells[counts * 4 >= steps * steps]] |= np.uint32(1 << bit)


def _degrade(canvas: Image.Image, rng: random.Random, is_page: bool) -> Image.Image:
    if rng.random() < 0.25:
        canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.6 if is_page else 0.9)))
    strength = rng.choice([0, 2, 4, 6])
    if strength:
        noisy = np.asarray(canvas, np.float32) + strength * _noise(rng.randrange(24))
        canvas = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    if rng.random() < 0.25:
        buffer = io.BytesIO()
        canvas.save(buffer, "JPEG", quality=rng.randrange(55, 92))
        canvas = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    return canvas


def _labels(layers, letters: np.ndarray, grid: int) -> Labels:
    """The label of the layer that covers most of a patch, where it covers at least a twelfth."""
    step = PIXELS // grid
    best = np.full((grid, grid), 21.0, np.float32)
    out = {name: np.zeros((grid, grid), np.int64) for name in ("kind", "colour", "word", "cell")}
    for mask, kind, colour, word, cell in layers:
        cover = mask[: step * grid, : step * grid].reshape(grid, step, grid, step).mean((1, 3))
        take = cover > best
        best[take] = cover[take]
        for name, value in (("kind", kind), ("colour", colour), ("word", word), ("cell", cell)):
            out[name][take] = value
    return Labels(**{name: value.reshape(-1) for name, value in out.items()}, letters=letters.reshape(-1))
