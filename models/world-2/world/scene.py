"""Scenes: what a picture holds, drawn by a seed. Each scene belongs to exactly one split.

Things and hazards have the same sizes and places: a layout is drawn first, and only then what stands in it.
"""

import hashlib
import random
from dataclasses import dataclass, field, replace

from .lexicon import COLOUR_NAMES, CRAFTS, HAZARD_NAMES, HAZARDS, LEADS, THING_NAMES, TITLE_NOUNS, TWINS, place_name, title_split

SPLITS = ("train", "validation", "test")
PIXELS = 224
SMALLEST, LARGEST = 28, 160


@dataclass(frozen=True)
class Spot:
    """Centre and side in pixels."""

    x: float
    y: float
    size: float

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of the 3 by 3 grid in which the centre lies."""
        return min(2, int(self.y * 3 / PIXELS)), min(2, int(self.x * 3 / PIXELS))


@dataclass(frozen=True)
class Group:
    """Things of one kind and colour, one a spot."""

    kind: str
    colour: str
    spots: tuple[Spot, ...]

    @property
    def count(self) -> int:
        return len(self.spots)

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        return tuple(spot.cell for spot in self.spots)

    @property
    def place(self) -> str:
        return place_name(*self.cells[0])


@dataclass(frozen=True)
class Scene:
    """`kind` is "clean", "drawn" (a hazard among things or alone), "list" (a harmless page) or "harmful-list"."""

    kind: str
    groups: tuple[Group, ...] = ()
    hazard: str | None = None
    hazard_colour: str = ""
    hazard_spot: Spot | None = None
    lead: str = ""
    noun: str = ""
    seed: int = 0
    split: str = "train"
    extra: dict = field(default_factory=dict, compare=False, hash=False)

    @property
    def title(self) -> str:
        return f"{self.lead} {self.noun}" if self.lead else ""

    @property
    def is_unsafe(self) -> bool:
        return self.kind in ("drawn", "harmful-list")

    @property
    def pictured_hazard(self) -> str | None:
        """The hazard drawn or named by the title."""
        return self.hazard or (self.noun if self.noun in HAZARDS else None)

    @property
    def hazard_place(self) -> str:
        return place_name(*self.hazard_spot.cell)

    @property
    def single(self) -> Group | None:
        """The one thing of a clean picture that holds nothing else."""
        return self.groups[0] if not self.hazard and len(self.groups) == 1 and self.groups[0].count == 1 else None

    @property
    def identity(self) -> str:
        """What makes two scenes the same for the split: the facts without places and rendering."""
        parts = [f"{g.kind}/{g.colour}/{g.count}" for g in self.groups]
        return "|".join([self.title, f"{self.hazard}/{self.hazard_colour}", *sorted(parts)])


def twinned(scene: Scene) -> Scene:
    """The same picture with the hazard's twin in its place: same spot, size, colour, background, noise."""
    twin = Group(TWINS[scene.hazard], scene.hazard_colour, (scene.hazard_spot,))
    return replace(scene, kind="clean", groups=(twin, *scene.groups), hazard=None, hazard_colour="", hazard_spot=None)


def split_of(scene: Scene) -> str:
    """Pages follow the Latin square of titles; other scenes a hash of their facts (10 % each for
    validation and test)."""
    if scene.lead:
        return title_split(LEADS.index(scene.lead), TITLE_NOUNS.index(scene.noun))
    bucket = hashlib.sha256(scene.identity.encode()).digest()[0] % 10
    return {0: "test", 1: "validation"}.get(bucket, "train")


def _layout(rng: random.Random, count: int) -> list[Spot]:
    """Spots that do not touch; up to a twelfth of a thing may lie beyond the picture's edge. No centre is near a line of
    the grid, so that every place has one name."""
    largest = {1: LARGEST, 2: 110, 3: 92, 4: 80, 5: 72}[count]
    while True:
        found: list[Spot] = []
        for _ in range(60):
            size = SMALLEST * (largest / SMALLEST) ** rng.random()
            edge = size * 0.42
            spot = Spot(round(rng.uniform(edge, PIXELS - edge), 1), round(rng.uniform(edge, PIXELS - edge), 1), round(size, 1))
            if any(abs(value - line) < 6 for value in (spot.x, spot.y) for line in (PIXELS / 3, PIXELS * 2 / 3)):
                continue
            if all(max(abs(spot.x - o.x), abs(spot.y - o.y)) > (spot.size + o.size) / 2 + 2 for o in found):
                found.append(spot)
            if len(found) == count:
                return found


def _draw(rng: random.Random, kind: str) -> Scene:
    if kind == "list":
        return Scene(kind, lead=rng.choice(LEADS), noun=rng.choice(list(CRAFTS)))
    if kind == "harmful-list":
        return Scene(kind, lead=rng.choice(LEADS), noun=rng.choice(HAZARD_NAMES))
    count = rng.choices([1, 2, 3, 4, 5], [36, 22, 18, 14, 10])[0]
    spots = _layout(rng, count)
    colours = rng.sample(COLOUR_NAMES, 4)
    hazard = rng.choice(HAZARD_NAMES) if kind == "drawn" else None
    spot = spots.pop(0) if hazard else None
    kinds = rng.sample(THING_NAMES, 3)
    if hazard and rng.random() < 0.15:
        kinds[0] = TWINS[hazard]  # beside its own twin
        kinds = list(dict.fromkeys([*kinds, *rng.sample(THING_NAMES, 3)]))[:3]
    groups = []
    while spots:
        left = 3 - len(groups)
        number = len(spots) if left == 1 else rng.randrange(1, min(4, len(spots)) + 1)
        number = min(4, number)
        groups.append(Group(kinds[len(groups)], colours[len(groups) + 1], tuple(spots[:number])))
        spots = spots[number:]
        if len(groups) == 3:
            break
    return Scene(kind, tuple(groups), hazard, colours[0] if hazard else "", spot)


def make_scene(seed: int, split: str = "train", kind: str | None = None, hazard: str | None = None) -> Scene:
    """The scene of a seed. Without `kind`, half are pages, since reading is learnt last, and three in ten are clean.
    With `hazard`, scenes of that hazard only (kind "drawn" or "harmful-list")."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, not {split!r}")
    rng = random.Random(f"2/{split}/{seed}")
    kind = kind or rng.choices(["clean", "drawn", "list", "harmful-list"], [30, 20, 22, 28])[0]
    while True:
        scene = _draw(rng, kind)
        if hazard and scene.pictured_hazard != hazard:
            continue
        if split_of(scene) == split:
            return replace(scene, seed=seed, split=split)
