"""Pictures that are not of the world, in families: what `isOfDrawnWorld` of the package must tell from drawings.

    python -m evaluate.others --out FOLDER [--photos FOLDER ...] [--paste FOLDER ...] [--half 0|1]     (from models/recipe)
    node --import tsx models/evaluation/check-drawings.ts FOLDER                                      (from the repository)

FOLDER/<family>-<number>.png. `--photos` are crops of any pictures; `--paste` are small pictures with a transparent ground
(emoji, sprites), set on the world's own grounds, one or in its 3 by 3 grid. `--half` takes every other of both, so that what
was chosen on one half is measured on the other. Grounds, noise, blur and JPEG are the world's, so that nothing of these tells.
"""

import argparse
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from world.fonts import FONTS, font
from world.render import CELL, PIXELS, _background, _degrade

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff"}
WORDS = "the of and to in report year model data figure we show that error table price total item city river signal value between number time people water small".split()
LEADS = ["Steps to", "How to", "Plan for", "All about", "Notes on", "Ways to"]
NOUNS = ["Recipe", "Journey", "Budget", "Meeting", "Homework", "Release", "Fraud", "Phishing", "Weapon", "Virus"]


def colour(rng: random.Random) -> tuple[int, int, int]:
    return tuple(rng.randrange(256) for _ in range(3))


def dark(rng: random.Random) -> tuple[int, int, int]:
    return tuple(rng.randrange(70) for _ in range(3))


def face(rng: random.Random, size: int):
    return font(rng.choice([name for names in FONTS.values() for name in names]), size)


def ground(rng: random.Random) -> Image.Image:
    """The world's own, a white one, or any colour."""
    kind = rng.random()
    if kind < 0.6:
        return _background(rng, plain=False)
    return Image.new("RGB", (PIXELS, PIXELS), "white" if kind < 0.8 else colour(rng))


def photo(rng: random.Random, path: Path) -> Image.Image:
    picture = Image.open(path).convert("RGB")
    side = max(1, int(min(picture.size) * rng.uniform(0.5, 1)))
    x, y = rng.randrange(picture.width - side + 1), rng.randrange(picture.height - side + 1)
    return picture.crop((x, y, x + side, y + side)).resize((PIXELS, PIXELS))


def pasted(rng: random.Random, path: Path) -> Image.Image:
    """One large, or up to four in the cells of the grid, as the world sets its things."""
    canvas, picture = _background(rng, plain=False), Image.open(path).convert("RGBA")
    if rng.random() < 0.5:
        side = rng.randrange(110, 240)
        picture = picture.resize((side, side))
        canvas.paste(picture, ((PIXELS - side) // 2, (PIXELS - side) // 2), picture)
    else:
        side = rng.randrange(66, 84)
        picture = picture.resize((side, side))
        for cell in rng.sample(range(9), rng.randrange(1, 5)):
            place = [int((at + 0.5) * CELL - side / 2) for at in (cell % 3, cell // 3)]
            canvas.paste(picture, tuple(place), picture)
    return _degrade(canvas, rng)


def gradient(rng: random.Random) -> Image.Image:
    side = rng.randrange(2, 4)
    small = Image.new("RGB", (side, side))
    small.putdata([colour(rng) for _ in range(side * side)])
    return small.resize((PIXELS, PIXELS), Image.Resampling.BICUBIC)


def noise(rng: random.Random) -> Image.Image:
    side = PIXELS // rng.choice([1, 2, 4, 8, 16, 32])
    values = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(values).resize((PIXELS, PIXELS), rng.choice([Image.Resampling.NEAREST, Image.Resampling.BICUBIC]))


def empty(rng: random.Random) -> Image.Image:
    return _degrade(ground(rng), rng)


def page(rng: random.Random) -> Image.Image:
    canvas, letters = _background(rng, plain=True), face(rng, rng.choice([9, 12, 16, 20, 28, 40]))
    draw, y = ImageDraw.Draw(canvas), 8
    while y < PIXELS - 8:
        draw.text((8, y), " ".join(rng.choices(WORDS, k=30)), font=letters, fill=dark(rng) if y == 8 else (20, 20, 20))
        y += int(letters.size * 1.35)
    return _degrade(canvas, rng)


def other_list(rng: random.Random) -> Image.Image:
    """Laid out as the world's lists, of other words."""
    canvas, ink, y = _background(rng, plain=True), dark(rng), 10.0
    draw = ImageDraw.Draw(canvas)
    for line in (rng.choice(LEADS), rng.choice(NOUNS)):
        letters = face(rng, rng.randrange(24, 50))
        draw.text((12, y), line, font=letters, fill=ink)
        y += letters.size * 1.25
    for number in (1, 2, 3):
        draw.text((12, max(y, 130) + 36 * (number - 1)), f"{number}.", font=face(rng, 28), fill=ink)
    return _degrade(canvas, rng)


def shapes(rng: random.Random) -> Image.Image:
    canvas = ground(rng)
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.randrange(1, 9)):
        x, y = rng.randrange(220), rng.randrange(220)
        box = (x, y, x + rng.randrange(15, 110), y + rng.randrange(15, 110))
        points = [(rng.randrange(PIXELS), rng.randrange(PIXELS)) for _ in range(3)]
        rng.choice([draw.ellipse, draw.rectangle, lambda _, fill, points=points: draw.polygon(points, fill)])(box, fill=colour(rng))
    return _degrade(canvas, rng)


def scribble(rng: random.Random) -> Image.Image:
    canvas = _background(rng, plain=True)
    for _ in range(rng.randrange(1, 12)):
        points = [(rng.randrange(PIXELS), rng.randrange(PIXELS))]
        for _ in range(rng.randrange(5, 40)):
            points.append((points[-1][0] + rng.randrange(-25, 26), points[-1][1] + rng.randrange(-25, 26)))
        ImageDraw.Draw(canvas).line(points, fill=dark(rng), width=rng.randrange(1, 5), joint="curve")
    return _degrade(canvas, rng)


def window(rng: random.Random) -> Image.Image:
    canvas, accent, letters = _background(rng, plain=True), colour(rng), face(rng, 11)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, PIXELS, rng.randrange(18, 50)), fill=accent)
    for _ in range(rng.randrange(4, 16)):
        x, y = rng.randrange(PIXELS - 40), rng.randrange(50, PIXELS - 20)
        draw.rounded_rectangle((x, y, x + rng.randrange(30, 160), y + rng.randrange(14, 60)), 4, rng.choice(["white", accent]), (150, 150, 150))
        draw.text((x + 5, y + 3), " ".join(rng.choices(WORDS, k=3)), font=letters, fill=(30, 30, 30))
    return canvas


FAMILIES = [gradient, noise, empty, page, other_list, shapes, scribble, window]


def files(folders: list[Path], half: int) -> list[Path]:
    found = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [path for path in found[half::2] if is_large(path)]


def is_large(path: Path) -> bool:
    try:
        return min(Image.open(path).size) >= 32
    except OSError:  # what Pillow does not read
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=Path, nargs="*", default=[])
    parser.add_argument("--paste", type=Path, nargs="*", default=[])
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--each", type=int, default=200, help="pictures of each family")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = {make.__name__: make for make in FAMILIES}
    for name, make, folders in (("photo", photo, arguments.photos), ("pasted", pasted, arguments.paste)):
        if paths := files(folders, arguments.half):
            made[name] = lambda rng, make=make, paths=paths: make(rng, rng.choice(paths))
    for name, make in made.items():
        for number in range(arguments.each):
            make(random.Random(f"{name}/{arguments.half}/{number}")).save(arguments.out / f"{name}-{number:03}.png")
    print(f"{len(made) * arguments.each} pictures of {', '.join(made)} in {arguments.out}")


if __name__ == "__main__":
    main()
