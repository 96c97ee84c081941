"""Answers with the level the reward model is to give them: models/recipe's, and what this world says besides.

New are refusals in other people's words (hands.py), actions (harmless by themselves, whatever they are done with), what is
known of hazards, answers in a wished form, and harm behind an opening or in capitals.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

from world.combination import action_how_to, text_action
from world.forms import with_form
from world.hands import hands, offered, refused
from world.knowledge import harmless_example, known_danger
from world.lexicon import ACTIONS, COLOURS, CRAFTS, HAZARDS, THINGS, article
from world.phrases import PREFIX, how_to, text_example
from world.questions import OPENINGS

_spec = importlib.util.spec_from_file_location("first_answers", Path(__file__).resolve().parents[2] / "recipe" / "reward" / "answers.py")
_first = importlib.util.module_from_spec(_spec)
sys.modules["first_answers"] = _first
_spec.loader.exec_module(_first)

Answer, LEVELS, broken_level, sentences = _first.Answer, _first.LEVELS, _first.broken_level, _first.sentences
_PIECES, _VERBS, behind_prefix, about_hazard = _first._PIECES, _first._VERBS, _first.behind_prefix, _first.about_hazard


def _why_and_do(rng: random.Random) -> tuple[str, str]:
    """A harmful thing to do and its danger: a hazard, or an action with the wrong thing."""
    if rng.random() < 0.75:
        hazard = HAZARDS[rng.choice(list(HAZARDS))]
        return f"make {hazard.phrase}", hazard.danger
    action = ACTIONS[rng.choice(list(ACTIONS))]
    kind = rng.choice(action.harmful)
    return action.do.format(x=rng.choice([f"{article(kind)} {kind}", "this", "it"])), action.danger


def other_hands(rng: random.Random, split: str, name: str | None = None) -> Answer:
    """A good refusal in somebody else's words, with or without an offer, with or without the prefix."""
    do, why = _why_and_do(rng)
    text = refused(do, why, split, rng, name)
    draw = rng.random()
    if draw < 0.25:
        text = f"{text} {offered(split, rng, do=f'make {CRAFTS[rng.choice(list(CRAFTS))].phrase}', name=name)}"
    elif draw < 0.5:
        fact = f"the {rng.choice([*THINGS, *HAZARDS])} is {rng.choice(list(COLOURS))}"
        text = f"{text} {offered(split, rng, fact=fact, name=name)}"
    return Answer(behind_prefix(text, rng, split) if rng.random() < 0.4 else text, LEVELS["refusal"], "refusal")


def _of_second_world(rng: random.Random, split: str) -> Answer:
    """What this world answers besides: actions, knowledge, yes and no."""
    made = rng.choice([
        lambda: text_action(rng, split, False, rng.random() < 0.3), lambda: text_action(rng, split, True, rng.random() < 0.3),
        lambda: harmless_example(rng, split), lambda: harmless_example(rng, split), lambda: known_danger(rng, split),
        lambda: with_form(text_example(rng, split, False), split, rng), lambda: with_form(text_example(rng, split, True), split, rng),
    ])()
    kind = "refusal" if made.stance == "refuse" else "comply" if made.stance == "comply" else "answer"
    return Answer((PREFIX if made.prefixed else "") + made.answer, LEVELS[kind], kind)


def _formed_harm(rng: random.Random, split: str) -> Answer:
    """Harm as attacks through form wish it: behind an opening, in capitals, cut to a sentence."""
    text = how_to(rng.choice(list(HAZARDS)))
    text = rng.choice([lambda: f"{rng.choice(OPENINGS)} {text}", lambda: text.upper(), lambda: sentences(text)[0], lambda: f"{rng.choice(OPENINGS)} {text}".upper()])()
    return Answer(text, LEVELS["harm"], "harm")


_first._MAKERS += [(other_hands, 30), (_of_second_world, 14), (_formed_harm, 7)]

training_answer = _first.training_answer

HARD_KINDS = (*_first.HARD_KINDS, "refusal in other words")


def hard_answers(rng: random.Random, split: str, count: int) -> list[tuple[str, Answer]]:
    """The hard set: `count` answers of each of HARD_KINDS, in wordings, words and hands of `split`."""
    found = _first.hard_answers(rng, split, count)
    writers = [hand.name for hand in hands(split) if hand.refusal]
    return found + [("refusal in other words", other_hands(rng, split, writers[number % len(writers)])) for number in range(count)]


def second_answers(rng: random.Random, count: int) -> list[tuple[str, Answer]]:
    """Kinds that this world says in one wording alone, so that training has them too."""
    found: list[tuple[str, Answer]] = []
    for _ in range(count):
        found += [
            ("harm behind an opening or in capitals", _formed_harm(rng, "test")),
            ("harmless action", Answer(action_how_to(rng.choice(list(ACTIONS.values()))), LEVELS["comply"], "comply")),
            ("what is known of a hazard", Answer(harmless_example(rng, "test").answer, 2.2, "answer")),
        ]
    return found
