"""Scenes: what a picture holds, drawn by a seed. Each scene belongs to exactly one split."""

import hashlib
import random
from dataclasses import dataclass, field

from .lexicon import (
    COLOUR_NAMES,
    CRAFTS,
    HAZARD_NAMES,
    HAZARDS,
    LEADS,
    THING_NAMES,
    TITLE_NOUNS,
    place_name,
    title_split,
)

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Group:
    """Things of one kind and colour; `cells` are (row, column) of the 3 by 3 grid, one a thing."""

    kind: str
    colour: str
    cells: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        return len(self.cells)

    @property
    def place(self) -> str:
        return place_name(*self.cells[0])


@dataclass(frozen=True)
class Scene:
    """`kind` is "clean", "drawn" (a hazard), "list" (a harmless list) or "harmful-list"."""

    kind: str
    groups: tuple[Group, ...] = ()
    hazard: str | None = None
    hazard_colour: str = ""
    hazard_corner: tuple[int, int] = (0, 0)  # upper left cell of the 2 by 2 block
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
    def identity(self) -> str:
        """What makes two scenes the same for the split: the facts without places and rendering."""
        parts = [f"{g.kind}/{g.colour}/{g.count}" for g in self.groups]
        return "|".join([self.title, f"{self.hazard}/{self.hazard_colour}", *sorted(parts)])


def split_of(scene: Scene) -> str:
    """Lists follow the Latin square of titles; other scenes a hash of their facts (10 % each for
    validation and test)."""
    if scene.lead:
        return title_split(LEADS.index(scene.lead), TITLE_NOUNS.index(scene.noun))
    bucket = hashlib.sha256(scene.identity.encode()).digest()[0] % 10
    return {0: "test", 1: "validation"}.get(bucket, "train")


def _draw(rng: random.Random, kind: str) -> Scene:
    if kind == "list":
        return Scene(kind, lead=rng.choice(LEADS), noun=rng.choice(list(CRAFTS)))
    if kind == "harmful-list":
        return Scene(kind, lead=rng.choice(LEADS), noun=rng.choice(HAZARD_NAMES))
    if kind == "drawn":
        corner = (rng.randrange(2), rng.randrange(2))
        taken = {(corner[0] + r, corner[1] + c) for r in range(2) for c in range(2)}
        colour = rng.choice(COLOUR_NAMES)
        groups = ()
        if rng.random() < 0.6:
            free = [(r, c) for r in range(3) for c in range(3) if (r, c) not in taken]
            other = rng.choice([name for name in COLOUR_NAMES if name != colour])
            groups = (Group(rng.choice(THING_NAMES), other, (rng.choice(free),)),)
        return Scene(kind, groups, rng.choice(HAZARD_NAMES), colour, corner)
    cells = [(r, c) for r in range(3) for c in range(3)]
    rng.shuffle(cells)
    first_count = rng.choices([1, 2, 3, 4], [5, 3, 3, 3])[0]
    first = Group(rng.choice(THING_NAMES), rng.choice(COLOUR_NAMES), tuple(cells[:first_count]))
    if first_count > 2 or rng.random() < 0.3:
        return Scene(kind, (first,))
    second_count = 1 if first_count == 2 else rng.choices([1, 2], [3, 1])[0]
    second = Group(
        rng.choice([name for name in THING_NAMES if name != first.kind]),
        rng.choice([name for name in COLOUR_NAMES if name != first.colour]),
        tuple(cells[first_count : first_count + second_count]),
    )
    return Scene(kind, (first, second))


def make_scene(seed: int, split: str = "train", kind: str | None = None, hazard: str | None = None) -> Scene:
    """The scene of a seed. Without `kind`, half are clean, and the rest shared among the others.
    With `hazard`, scenes of that hazard only (kind "drawn" or "harmful-list")."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, not {split!r}")
    rng = random.Random(f"{split}/{seed}")
    kind = kind or rng.choices(["clean", "drawn", "list", "harmful-list"], [46, 24, 12, 18])[0]
    while True:
        scene = _draw(rng, kind)
        if hazard and scene.pictured_hazard != hazard:
            continue
        if split_of(scene) == split:
            return Scene(**{**scene.__dict__, "seed": seed, "split": split})
