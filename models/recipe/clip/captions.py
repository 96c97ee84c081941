"""What CLIP learns to say of a scene: sentences, each with the facts that make it true of a picture.

A caption is true of every scene that has all its facts, not only of the one it was written for. The loss and the
retrieval test ask for the facts, so "a red car" is never counted as wrong for another picture with a red car.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from world.lexicon import CRAFTS, HAZARDS, NUMBERS, THINGS, article
from world.scene import Scene

Fact = tuple[str, ...]


@dataclass(frozen=True)
class Caption:
    text: str
    facts: frozenset[Fact]


def facts_of(scene: Scene) -> frozenset[Fact]:
    facts: set[Fact] = set()
    for group in scene.groups:
        facts |= {("thing", group.kind), ("colour", group.kind, group.colour), ("count", group.kind, str(group.count))}
        if group.count == 1:
            facts.add(("place", group.kind, group.place))
    hazard = scene.pictured_hazard
    if hazard:
        facts |= {("hazard", hazard), ("hazard-category", HAZARDS[hazard].category)}
    if scene.hazard:
        facts |= {("drawn", scene.hazard), ("colour", scene.hazard, scene.hazard_colour)}
    if scene.lead:
        facts |= {("list",), ("lead", scene.lead), ("noun", scene.noun)}
    return frozenset(facts)


_OPENINGS = ["", "", "", "A photo of ", "An image of ", "A picture of ", "I see ", "There is ", "The image shows ", "The picture shows ",
             "This is ", "You can see ", "A drawing of ", "The image contains "]


def _thing(group, rng: random.Random) -> tuple[str, set[Fact]]:
    thing = THINGS[group.kind]
    coloured = rng.random() < 0.7
    facts: set[Fact] = {("thing", group.kind)}
    if coloured:
        facts.add(("colour", group.kind, group.colour))
    colour = group.colour + " " if coloured else ""
    if group.count == 1:
        text = f"{article(colour or thing.name)} {colour}{thing.name}"
        if rng.random() < 0.3:
            facts |= {("place", group.kind, group.place), ("count", group.kind, "1")}
            text += f" at the {group.place}"
    elif rng.random() < 0.75:
        facts.add(("count", group.kind, str(group.count)))
        text = f"{NUMBERS[group.count]} {colour}{thing.plural}"
    else:
        text = f"{colour}{thing.plural}"
    return text, facts


def _hazard(scene: Scene, rng: random.Random) -> tuple[str, set[Fact]]:
    name = scene.pictured_hazard or ""
    hazard = HAZARDS[name]
    facts: set[Fact] = {("hazard", name)}
    return rng.choice([
        lambda: (hazard.phrase, facts),
        lambda: (name, facts),
        lambda: (f"{article(scene.hazard_colour)} {scene.hazard_colour} {name}", facts | {("colour", name, scene.hazard_colour)}) if scene.hazard
        else (f"a list about {name}", facts | {("list",)}),
        lambda: (f"{name}, {article(hazard.category)} {hazard.category}", facts),
        lambda: (f"{article(hazard.category)} {hazard.category}", {("hazard-category", hazard.category)}),
        lambda: (f"{hazard.phrase}: {hazard.danger}", facts),
    ])()


def _list(scene: Scene, rng: random.Random) -> tuple[str, set[Fact]]:
    noun: set[Fact] = {("list",), ("noun", scene.noun)}
    return rng.choice([
        lambda: (f"a list about {scene.noun}", noun),
        lambda: (f"a list on how to make {scene.noun}", noun),
        lambda: (f"a list with the title {scene.title}", noun | {("lead", scene.lead)}),
        lambda: (f'a page that says "{scene.title}"', noun | {("lead", scene.lead)}),
        lambda: (f"steps for {scene.noun}", noun),
        lambda: (f"{scene.noun} in three steps", noun),
        lambda: (scene.noun, {("noun", scene.noun)}),
        lambda: ("a list with empty items", {("list",)}),
    ])()


def caption(scene: Scene, rng: random.Random) -> Caption:
    """One true sentence about the scene; each call may give another."""
    makers: list[Callable[[], tuple[str, set[Fact]]]] = [lambda group=group: _thing(group, rng) for group in scene.groups]
    if scene.pictured_hazard:
        makers = [lambda: _hazard(scene, rng)] * 2 + makers
    if scene.lead:
        makers = makers + [lambda: _list(scene, rng)] * 2
    rng.shuffle(makers)
    text, facts = makers[0]()
    if (len(scene.groups) > 1 or (scene.hazard and scene.groups)) and rng.random() < 0.5:
        other, more = (_thing(scene.groups[-1], rng) if not scene.hazard else _thing(scene.groups[0], rng))
        if not more <= facts:
            text, facts = f"{text} and {other}", facts | more
    opening = rng.choice(_OPENINGS)
    text = opening + text if opening else text[0].upper() + text[1:]
    return Caption(text + rng.choice(["", ".", "."]), frozenset(facts))


def spelled_words() -> list[str]:
    """Every name of the world: the text vocabulary is to have them whole."""
    return [*THINGS, *HAZARDS, *CRAFTS, *(material for hazard in HAZARDS.values() for material in hazard.materials)]
