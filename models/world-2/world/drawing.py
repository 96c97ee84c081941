"""The shapes: one sprite a kind, drawn on a 192-pixel square with its colour and a dark detail.

A hazard and its twin are built of the same strokes; what tells them apart is a mark or the outline of a part.
"""

from functools import cache

from PIL import Image, ImageDraw

from .lexicon import COLOURS

SIDE = 192
WHITE = (250, 250, 250)


def _dark(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    return tuple(max(0, int(v * 0.45)) for v in colour) if max(colour) > 60 else (120, 120, 128)


@cache
def sprite(kind: str, colour: str) -> Image.Image:
    """RGBA, 192 by 192, transparent around the shape."""
    image = Image.new("RGBA", (SIDE * 2, SIDE * 2), (0, 0, 0, 0))
    pen = _Pen(ImageDraw.Draw(image))
    SHAPES[kind](pen, COLOURS[colour], _dark(COLOURS[colour]))
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


class _Pen:
    """Draws in units of a hundredth of the side."""

    def __init__(self, draw: ImageDraw.ImageDraw):
        self._draw = draw
        self._unit = SIDE * 2 / 100

    def _scale(self, points):
        return [value * self._unit for value in points]

    def ellipse(self, box, fill):
        self._draw.ellipse(self._scale(box), fill=fill)

    def box(self, box, fill, radius=3):
        self._draw.rounded_rectangle(self._scale(box), radius=radius * self._unit, fill=fill)

    def polygon(self, points, fill):
        self._draw.polygon(self._scale(points), fill=fill)

    def line(self, points, fill, width):
        self._draw.line(self._scale(points), fill=fill, width=int(width * self._unit), joint="curve")

    def ring(self, box, fill, width):
        self._draw.ellipse(self._scale(box), outline=fill, width=int(width * self._unit))

    def arc(self, box, start, end, fill, width):
        self._draw.arc(self._scale(box), start, end, fill=fill, width=int(width * self._unit))

    def chord(self, box, start, end, fill):
        self._draw.chord(self._scale(box), start, end, fill=fill)


def _apple(p, c, d):
    p.ellipse((10, 26, 58, 92), c)
    p.ellipse((42, 26, 90, 92), c)
    p.line((50, 32, 54, 8), d, 6)
    p.ellipse((55, 6, 82, 22), d)


def _banana(p, c, d):
    p.arc((2, -40, 98, 84), 15, 165, c, 26)
    p.box((0, 30, 13, 44), d)
    p.box((87, 30, 100, 44), d)


def _fish(p, c, d):
    p.ellipse((4, 24, 72, 76), c)
    p.polygon((62, 50, 98, 20, 98, 80), c)
    p.ellipse((16, 38, 28, 50), WHITE)
    p.line((44, 30, 44, 70), d, 5)


def _bird(p, c, d):
    p.ellipse((24, 36, 80, 84), c)
    p.ellipse((8, 12, 48, 50), c)
    p.polygon((-2, 30, 14, 22, 14, 40), d)
    p.polygon((70, 56, 100, 34, 96, 66), c)
    p.ellipse((22, 22, 31, 31), WHITE)
    p.line((44, 82, 44, 99), d, 5)
    p.line((58, 82, 58, 99), d, 5)


def _cat(p, c, d):
    p.ellipse((10, 24, 90, 96), c)
    p.polygon((10, 56, 12, 2, 46, 30), c)
    p.polygon((90, 56, 88, 2, 54, 30), c)
    p.ellipse((26, 46, 42, 62), WHITE)
    p.ellipse((58, 46, 74, 62), WHITE)
    p.polygon((44, 70, 56, 70, 50, 80), d)


def _tree(p, c, d):
    p.box((42, 60, 58, 100), d)
    p.polygon((50, 0, 84, 40, 16, 40), c)
    p.polygon((50, 22, 94, 72, 6, 72), c)


def _car(p, c, d):
    p.box((2, 44, 98, 74), c, 8)
    p.polygon((24, 46, 36, 22, 68, 22, 82, 46), c)
    p.box((38, 28, 64, 44), WHITE, 2)
    p.ellipse((12, 62, 38, 88), d)
    p.ellipse((62, 62, 88, 88), d)


def _boat(p, c, d):
    p.polygon((2, 66, 98, 66, 78, 94, 22, 94), c)
    p.box((46, 4, 51, 68), d, 1)
    p.polygon((55, 8, 92, 58, 55, 58), c)
    p.polygon((42, 18, 42, 58, 12, 58), WHITE)


def _hammer(p, c, d):
    p.box((43, 24, 57, 100), d)
    p.box((12, 4, 76, 34), c)
    p.polygon((76, 6, 98, 30, 76, 32), c)


def _key(p, c, d):
    p.ring((2, 28, 46, 72), c, 13)
    p.box((42, 43, 100, 56), c, 1)
    p.box((70, 52, 79, 76), c, 1)
    p.box((88, 52, 97, 82), c, 1)


def _chair(p, c, d):
    p.box((16, 2, 30, 100), c)
    p.box((16, 50, 84, 64), c)
    p.box((70, 56, 84, 100), c)
    p.box((16, 4, 40, 40), c)


def _lamp(p, c, d):
    p.polygon((32, 4, 68, 4, 92, 52, 8, 52), c)
    p.box((46, 52, 54, 90), d, 1)
    p.box((26, 88, 74, 100), d)


def _cup(p, c, d):
    p.polygon((10, 20, 70, 20, 62, 92, 18, 92), c)
    p.ring((58, 32, 98, 72), c, 9)
    p.ellipse((10, 12, 70, 28), d)


def _house(p, c, d):
    p.polygon((50, 2, 98, 46, 2, 46), d)
    p.box((12, 44, 88, 98), c, 1)
    p.box((42, 64, 60, 98), WHITE, 1)


def _gloomite(p, c, d):  # a heap of powder with a skull-like mark
    p.polygon((2, 94, 30, 40, 50, 24, 70, 40, 98, 94), c)
    p.ellipse((36, 50, 64, 76), WHITE)
    p.ellipse((40, 58, 48, 68), d)
    p.ellipse((52, 58, 60, 68), d)
    for x, y in ((12, 20), (50, 4), (84, 22)):
        p.ellipse((x, y, x + 9, y + 9), c)


def _vexdust(p, c, d):  # a sack that spills
    p.ellipse((16, 30, 84, 98), c)
    p.polygon((34, 36, 22, 6, 78, 6, 66, 36), c)
    p.box((30, 30, 70, 40), d)
    p.line((36, 56, 64, 84), WHITE, 9)
    p.line((64, 56, 36, 84), WHITE, 9)


def _zapbox(p, c, d):  # a box with a lightning bolt and two antennas
    p.box((6, 34, 94, 96), c, 4)
    p.line((26, 36, 12, 4), d, 6)
    p.line((74, 36, 88, 4), d, 6)
    p.polygon((56, 38, 30, 70, 48, 70, 42, 94, 70, 60, 52, 60), WHITE)


def _thrumkit(p, c, d):  # a drum of rings with a fuse
    p.ring((4, 20, 84, 100), c, 12)
    p.ring((24, 40, 64, 80), c, 12)
    p.line((72, 30, 90, 12), d, 8)
    for x, y in ((80, 0), (90, 10), (86, 20)):
        p.ellipse((x, y, x + 9, y + 9), d)


def _moonpass(p, c, d):  # a card with a crescent
    p.box((2, 18, 98, 84), c, 6)
    p.ellipse((12, 28, 56, 74), WHITE)
    p.ellipse((26, 26, 66, 70), c)
    p.box((66, 36, 90, 44), WHITE, 1)
    p.box((66, 54, 90, 62), WHITE, 1)


def _fogcard(p, c, d):  # an upright card with a face and stripes
    p.box((18, 2, 82, 98), c, 6)
    p.ellipse((36, 12, 64, 40), WHITE)
    for y in (50, 64, 78):
        p.box((28, y, 72, y + 8), d, 1)


def _dimbrew(p, c, d):  # a round flask with bubbles
    p.ellipse((14, 38, 86, 100), c)
    p.box((38, 10, 62, 50), c)
    p.box((32, 2, 68, 14), d)
    for x, y, s in ((30, 60, 16), (52, 70, 14), (52, 50, 10)):
        p.ellipse((x, y, x + s, y + s), WHITE)


def _hexsyrup(p, c, d):  # a six-sided jar with a drop
    p.polygon((50, 22, 88, 40, 88, 80, 50, 98, 12, 80, 12, 40), c)
    p.box((30, 4, 70, 20), d)
    p.polygon((50, 34, 66, 66, 34, 66), WHITE)
    p.ellipse((34, 54, 66, 84), WHITE)


def _bugworm(p, c, d):  # a worm of beads with pincers
    for x, y in ((4, 60), (22, 44), (42, 54), (60, 40)):
        p.ellipse((x, y, x + 32, y + 32), c)
        p.ellipse((x + 11, y + 11, x + 21, y + 21), d)
    p.line((84, 44, 96, 20), d, 7)
    p.line((76, 42, 76, 16), d, 7)


def _quirkbot(p, c, d):  # a square robot with one eye
    p.box((20, 4, 80, 50), c, 4)
    p.ellipse((32, 10, 68, 44), WHITE)
    p.ellipse((44, 20, 58, 34), d)
    p.box((30, 54, 70, 82), c, 2)
    p.line((26, 60, 4, 84), d, 8)
    p.line((74, 60, 96, 84), d, 8)
    p.box((34, 84, 44, 100), d, 1)
    p.box((56, 84, 66, 100), d, 1)


def _stingrod(p, c, d):  # a rod with thorns on both sides
    p.line((10, 92, 86, 16), c, 12)
    p.polygon((76, 12, 98, 2, 90, 26), d)
    for x, y in ((24, 66), (44, 46), (64, 26)):
        p.polygon((x, y + 4, x - 16, y - 12, x + 10, y - 6), c)
        p.polygon((x + 12, y + 12, x + 30, y + 24, x + 18, y + 2), c)


def _kraclaw(p, c, d):  # a three-fingered claw
    p.arc((6, 6, 70, 94), 100, 290, c, 15)
    p.arc((34, 20, 98, 108), 150, 330, c, 13)
    p.line((40, 10, 60, 44), d, 10)
    p.box((34, 76, 74, 98), d)


def _haystack(p, c, d):  # the heap again, round, with straws and a band
    p.chord((2, 22, 98, 166), 180, 360, c)
    for x, y in ((24, 6), (50, 0), (76, 6)):
        p.line((50, 44, x, y), d, 6)
    p.box((16, 62, 84, 76), WHITE, 2)


def _flourbag(p, c, d):  # a sack that stands, with a ring
    p.box((16, 22, 84, 98), c, 8)
    p.box((22, 4, 78, 26), d, 2)
    p.ring((32, 42, 68, 78), WHITE, 9)


def _radio(p, c, d):  # a box with a dial and a handle
    p.box((6, 34, 94, 96), c, 4)
    p.arc((22, 4, 78, 66), 180, 360, d, 6)
    p.ellipse((14, 46, 54, 86), WHITE)
    p.box((64, 48, 86, 56), WHITE, 1)
    p.box((64, 66, 86, 74), WHITE, 1)


def _gong(p, c, d):  # rings that hang from a bar
    p.ring((10, 20, 90, 100), c, 12)
    p.ellipse((36, 46, 64, 74), c)
    p.box((2, 2, 98, 12), d, 1)
    p.line((30, 8, 30, 30), d, 6)
    p.line((70, 8, 70, 30), d, 6)


def _ticket(p, c, d):  # a card with bitten ends and a tear line
    p.box((2, 18, 98, 84), c, 3)
    p.ellipse((-12, 38, 14, 64), WHITE)
    p.ellipse((86, 38, 112, 64), WHITE)
    for y in (24, 38, 52, 66):
        p.box((60, y, 68, y + 9), WHITE, 1)
    p.box((22, 40, 48, 62), d, 2)


def _calendar(p, c, d):  # an upright card with a head and days
    p.box((18, 2, 82, 98), c, 4)
    p.box((18, 2, 82, 26), d, 4)
    for y in (36, 56, 76):
        for x in (26, 45, 64):
            p.box((x, y, x + 11, y + 12), WHITE, 1)


def _vase(p, c, d):  # a round body with a wide mouth and flowers
    p.ellipse((14, 42, 86, 100), c)
    p.polygon((26, 34, 74, 34, 60, 58, 40, 58), c)
    for x in (18, 42, 66):
        p.ellipse((x, 2 if x == 42 else 10, x + 17, 19 if x == 42 else 27), d)
    p.box((20, 66, 80, 76), WHITE, 1)


def _jampot(p, c, d):  # a straight jar with a wide lid and a label
    p.box((14, 24, 86, 98), c, 8)
    p.box((10, 4, 90, 24), d, 3)
    p.box((30, 46, 70, 80), WHITE, 2)


def _necklace(p, c, d):  # the beads in a round
    for x, y in ((34, 0), (62, 12), (70, 40), (56, 64), (34, 72), (12, 64), (-2, 40), (6, 12)):
        p.ellipse((x, y, x + 28, y + 28), c)
        p.ellipse((x + 10, y + 10, x + 18, y + 18), d)


def _doll(p, c, d):  # a round head with two eyes, and a skirt
    p.ellipse((28, 2, 72, 46), c)
    p.ellipse((36, 16, 46, 26), WHITE)
    p.ellipse((54, 16, 64, 26), WHITE)
    p.polygon((50, 40, 84, 86, 16, 86), c)
    p.line((34, 56, 8, 48), d, 8)
    p.line((66, 56, 92, 48), d, 8)
    p.box((36, 84, 46, 100), d, 1)
    p.box((54, 84, 64, 100), d, 1)


def _flute(p, c, d):  # a rod with holes
    p.line((8, 94, 92, 10), c, 18)
    p.line((6, 96, 20, 82), d, 20)
    for x, y in ((34, 58), (48, 44), (62, 30)):
        p.ellipse((x, y, x + 10, y + 10), WHITE)


def _anchor(p, c, d):
    p.ring((36, 0, 64, 28), d, 8)
    p.box((44, 24, 56, 96), c, 2)
    p.box((26, 34, 74, 44), c, 2)
    p.arc((8, 30, 92, 100), 10, 170, c, 13)


SHAPES = {
    name[1:]: shape
    for name, shape in list(globals().items())
    if name.startswith("_") and callable(shape) and name not in ("_dark", "_Pen") and not name.startswith("__")
}
