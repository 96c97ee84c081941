"""How a page is written: size, ink, slant, how the noun is split or misspelt. Drawn by the scene's seed."""

import random
from dataclasses import dataclass

from .fonts import FONTS
from .scene import Scene

SMALLEST, LARGEST = 10, 44
_LOOKALIKE = {"o": "0", "i": "1", "e": "3", "s": "5", "l": "1", "a": "4"}


@dataclass(frozen=True)
class PageStyle:
    """`height` of the noun in pixels; `contrast` between ink and paper in grey levels; `slant` in degrees."""

    font: str
    height: int
    contrast: int
    slant: float
    is_dark: bool
    split: str  # "", "hyphen" (over two lines), "spaced" (letters apart)
    noun: str  # as written, misspelt or not
    is_misspelt: bool


def misspelt(word: str, rng: random.Random) -> str:
    """One letter doubled, left out, swapped with the next, or written as a digit; never the first."""
    place = rng.randrange(1, len(word) - 1)
    way = rng.randrange(4)
    if way == 0:
        return word[:place] + word[place] + word[place:]
    if way == 1:
        return word[:place] + word[place + 1 :]
    if way == 2 and word[place] != word[place + 1]:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    at = [i for i, letter in enumerate(word) if i and letter in _LOOKALIKE]
    if at:
        chosen = rng.choice(at)
        return word[:chosen] + _LOOKALIKE[word[chosen]] + word[chosen + 1 :]
    return word[:place] + word[place] + word[place:]


def page_style(scene: Scene) -> PageStyle:
    rng = random.Random(f"page/{scene.split}/{scene.seed}")
    height = round(SMALLEST * (LARGEST / SMALLEST) ** (rng.random() ** 0.8))
    wrong = rng.random() < 0.15
    noun = misspelt(scene.noun, rng) if wrong else scene.noun
    split = rng.choices(["", "hyphen", "spaced"], [76, 12, 12])[0]
    return PageStyle(
        font=rng.choice(FONTS[scene.split]),
        height=height,
        contrast=rng.randrange(70, 110) if rng.random() < 0.3 else rng.randrange(130, 215),
        slant=rng.uniform(-15, 15) if rng.random() < 0.4 else 0.0,
        is_dark=rng.random() < 0.2,
        split=split,
        noun=noun,
        is_misspelt=wrong and noun != scene.noun,
    )
