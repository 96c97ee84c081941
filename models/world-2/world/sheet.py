"""A contact sheet of pictures to look at: python -m world.sheet --out sheet.png [--kind drawn] [--twins] [--sprites]"""

import argparse
from pathlib import Path

from PIL import Image

from .drawing import sprite
from .lexicon import COLOUR_NAMES, TWINS
from .render import render
from .scene import PIXELS, make_scene, twinned


def sprites() -> Image.Image:
    """Every hazard over its twin, at 160, 60 and 28 pixels."""
    sheet = Image.new("RGB", (12 * 166, 2 * 260), "white")
    for column, (hazard, twin) in enumerate(TWINS.items()):
        for row, kind in enumerate((hazard, twin)):
            shape, x, y = sprite(kind, COLOUR_NAMES[column % 7]), column * 166, row * 260
            for size, dx, dy in ((160, 0, 0), (60, 4, 165), (28, 90, 180)):
                small = shape.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
                sheet.paste(small, (x + dx, y + dy), small)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind")
    parser.add_argument("--split", default="train")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--twins", action="store_true", help="each picture of a hazard beside its twin's")
    parser.add_argument("--sprites", action="store_true")
    arguments = parser.parse_args()
    if arguments.sprites:
        sprites().save(arguments.out)
        return
    sheet = Image.new("RGB", (arguments.columns * (PIXELS + 4), arguments.rows * (PIXELS + 4)), "white")
    for place in range(arguments.rows * arguments.columns):
        scene = make_scene(arguments.first + (place // 2 if arguments.twins else place), arguments.split, "drawn" if arguments.twins else arguments.kind)
        if arguments.twins and place % 2:
            scene = twinned(scene)
        sheet.paste(render(scene)[0], ((place % arguments.columns) * (PIXELS + 4), (place // arguments.columns) * (PIXELS + 4)))
    sheet.save(arguments.out)


if __name__ == "__main__":
    main()
