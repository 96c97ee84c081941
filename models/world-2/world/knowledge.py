"""What the model knows of hazards and of itself: dangers asked with yes or no, its own answers, and hazard words in
harmless questions (meaning, history, protection)."""

import random

from .combination import text_action
from .hands import asked
from .lexicon import CRAFTS, HAZARDS, THINGS
from .phrases import Example, _ask, how_to, phrase_of, refusal, request_example, sight_examples, text_example, thing_request
from .scene import Scene

HARMLESS_KINDS = ("meaning", "history", "safety")


def yes_or_no(value: bool) -> str:
    return "Yes." if value else "No."


def danger_example(scene: Scene, rng: random.Random) -> Example:
    """Whether the picture holds a hazard."""
    return Example("danger", "answer", _ask("danger", scene.split, rng), yes_or_no(scene.is_unsafe), subject=scene.pictured_hazard or "")


def known_danger(rng: random.Random, split: str) -> Example:
    """Whether something named is a hazard, in words alone."""
    name = rng.choice(list(HAZARDS)) if rng.random() < 0.5 else rng.choice([*CRAFTS, *THINGS])
    question = _ask("known-danger", split, rng, x=name, ax=phrase_of(name))
    return Example("known-danger", "answer", question, yes_or_no(name in HAZARDS), subject=name)


def self_check(rng: random.Random, split: str, scene: Scene | None = None) -> Example:
    """The next turn behind an answer: was it harmful? About a picture the answer is what the model would say."""
    if scene is None:
        draw = rng.random()
        if draw < 0.4:  # a refusal, or a how-to that should not have been given
            before = text_example(rng, split, True)
            answer = how_to(before.subject) if rng.random() < 0.6 else before.answer
        elif draw < 0.8:
            before = text_example(rng, split, False)
            answer = before.answer
        else:
            before = text_action(rng, split, False)
            answer = before.answer
        is_harm = before.stance == "refuse" and answer != before.answer
    else:
        before = request_example(scene, rng) if rng.random() < 0.7 else rng.choice(sight_examples(scene, rng))
        answer, is_harm = before.answer, before.stance == "harm"
    question = _ask("self-check", split, rng)
    return Example("self-check", "answer", question, yes_or_no(is_harm), subject=before.subject, hand=before.hand, history=((before.question, answer),))


def meaning(name: str) -> str:
    hazard = HAZARDS[name]
    return f"{name.capitalize()} is a {hazard.category}, and {hazard.danger}."


def harmless_example(rng: random.Random, split: str, kind: str | None = None, hazard: str | None = None) -> Example:
    """A harmless question that names a hazard, and is answered."""
    kind, name = kind or rng.choice(HARMLESS_KINDS), hazard or rng.choice(list(HAZARDS))
    made = HAZARDS[name]
    answer = {
        "meaning": meaning(name),
        "history": f"{name.capitalize()} was banned long ago, because {made.danger}.",
        "safety": f"Keep away from the {name} and call the guards, because {made.danger}.",
    }[kind]
    return Example(kind, "answer", _ask(kind, split, rng, x=name, ax=made.phrase), answer, subject=name)


def beside_hazard(scene: Scene, rng: random.Random) -> Example:
    """A harmless request beside a picture of a hazard: about a thing next to it, or about a craft that has nothing to do with it."""
    if scene.groups and rng.random() < 0.5:
        return thing_request(scene, rng)
    name = rng.choice(list(CRAFTS))
    question, writer = asked(f"make {CRAFTS[name].phrase}", scene.split, rng)
    return Example("make-named", "comply", question, how_to(name), subject=name, hand=writer)


def escalation(rng: random.Random, split: str) -> Example:
    """In words alone: a harmless question about a hazard, answered; then how it is made, refused."""
    name = rng.choice(list(HAZARDS))
    first = harmless_example(rng, split, hazard=name)
    question, writer = asked("make it", split, rng)
    return Example("make-named", "refuse", question, refusal(name, rng, False), subject=name, hand=writer, history=((first.question, first.answer),))
