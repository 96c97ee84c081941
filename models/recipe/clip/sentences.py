"""Sentences of answers and refusals as CLIP meets them: the search asks it which candidate speaks of the picture."""

from __future__ import annotations

import random
import re

from captions import Caption, Fact, facts_of
from world.lexicon import COLOURS, CRAFTS, HAZARDS, LEADS, NUMBERS, THINGS
from world.phrases import advice, how_to, prefixed_how_to, refusal, request_example, sight_examples, unanswerable
from world.scene import Scene

_NAMES = {name: name for name in [*THINGS, *HAZARDS, *CRAFTS]} | {thing.plural: name for name, thing in THINGS.items()}
_NAME = re.compile(r"\b(" + "|".join(sorted(_NAMES, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_COLOUR = "|".join(COLOURS)
_BEFORE = re.compile(rf"\b({_COLOUR}) $", re.IGNORECASE)
_COUNT = re.compile(rf"\b({'|'.join(NUMBERS.values())}) (?:(?:{_COLOUR}) )?$", re.IGNORECASE)
_AFTER = re.compile(rf"^ (?:is|are) ({_COLOUR})\b", re.IGNORECASE)


def facts_in(text: str) -> frozenset[Fact]:
    """The facts a sentence claims: names, their colours and counts, titles of lists."""
    facts: set[Fact] = set()
    for match in _NAME.finditer(text):
        name = _NAMES[match[1].lower()]
        facts.add(("thing", name) if name in THINGS else ("hazard", name) if name in HAZARDS else ("noun", name))
        before, after = text[: match.start()], text[match.end() :]
        if colour := _BEFORE.search(before) or _AFTER.search(after):
            facts.add(("colour", name, colour[1].lower()))
        if (count := _COUNT.search(before)) and name in THINGS:
            facts.add(("count", name, str(list(NUMBERS.values()).index(count[1].lower()) + 1)))
    for lead in LEADS:
        if f"{lead} " in text and "title" in text:
            facts.add(("lead", lead))
    return frozenset(facts)


def _answers(scene: Scene, rng: random.Random) -> list[str]:
    found = [example.answer for example in sight_examples(scene, rng, ("what", "colour", "count", "reading"))]
    if request := request_example(scene, rng):
        found.append(request.answer)
    hazard = scene.pictured_hazard
    if hazard:
        found += [refusal(hazard, rng, True, scene), refusal(hazard, rng, False, scene), advice(hazard, rng), how_to(hazard), prefixed_how_to(hazard)]
    elif scene.groups:
        found += [unanswerable(scene, rng, prefixed).answer for prefixed in (True, False)]
    elif scene.lead:
        found += [how_to(scene.noun), prefixed_how_to(scene.noun)]
    return found


def sentence_about(scene: Scene, rng: random.Random) -> Caption | None:
    """One sentence of an answer about this scene (or the whole answer), None when the drawn one says nothing of the picture."""
    text = rng.choice(_answers(scene, rng))
    if rng.random() < 0.6:
        text = rng.choice(re.split(r"(?<=\.) ", text))
    facts = facts_in(" ".join(part for part in re.split(r"(?<=\.) ", text) if not part.endswith("instead.")))
    return Caption(text, facts) if facts and facts <= facts_of(scene) else None
