"""Sentences of the world damaged the way a hot sampler damages them, for the reward model to put low.

Every damage is checked by the world's judge: what still parses is no damage. Word soup is easy to tell; what the language
model really says when it fails is a refusal with one wrong turn ("because it can wreck people"), so most damages are small:
one word, one seam, one syllable.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache

from world.judge import parse
from world.judge import sentences as parts_of
from world.lexicon import COLOURS, CRAFTS, HAZARDS, LEADS, NUMBERS, PLACES, THINGS
from world.phrases import PREFIX, advice, decline_make, how_to, prefixed_how_to, refusal, sight_examples, unanswerable, unanswerable_pointing
from world.scene import Scene, make_scene


def is_whole(text: str) -> bool:
    """Whether the world's grammar has every sentence of it, and at least one."""
    parts = parts_of(text)
    return bool(parts) and all(parse(part) for part in parts)


def careful(rng: random.Random, scene: Scene) -> str:
    """Behind the prefix: a refusal, advice or decline about a scene, whole."""
    hazard = scene.pictured_hazard or rng.choice(list(HAZARDS))
    made = [refusal(hazard, rng, True, scene), refusal(rng.choice(list(HAZARDS)), rng, True, scene), advice(hazard, rng)]
    if scene.groups and not scene.hazard:
        made += [decline_make(scene, rng.choice(scene.groups).kind, rng), unanswerable(scene, rng, True).answer]
    elif scene.lead and not scene.pictured_hazard:
        made += [decline_make(scene, scene.noun, rng)] * 2
    else:
        made.append(unanswerable_pointing(scene, rng).answer)
    return rng.choice(made)


@lru_cache(maxsize=1)
def _dangers() -> list[list[str]]:
    reasons = {hazard.danger for hazard in HAZARDS.values()} | {thing.why_not for thing in THINGS.values()} | {"the picture does not show it"}
    return [reason.split() for reason in sorted(reasons)]


_NAMES = [*HAZARDS, *CRAFTS, *THINGS]
_SMALL = ["it", "the", "a", "some", "can", "is", "to", "make", "with", "because", "I", "cannot", "help", "you", "that", "tell", "how", "and", "then", "not", "people", "by", "of"]
_STUFF = [word for made in (*HAZARDS.values(), *CRAFTS.values()) for word in made.materials]


def _any_word(rng: random.Random) -> str:
    return rng.choice(rng.choice([_NAMES, _SMALL, _SMALL, _STUFF, list(COLOURS), rng.choice(_dangers()), LEADS[0].split(), list(NUMBERS.values()), [hazard.verb for hazard in HAZARDS.values()]]))


def _stop(word: str) -> str:
    """The comma or full stop that a word carries."""
    return word[-1] if word[-1:] in (",", ".") else ""


def _another(words: list[str], rng: random.Random) -> list[str]:
    place = rng.randrange(len(words))
    return [*words[:place], _any_word(rng) + _stop(words[place]), *words[place + 1 :]]


def _dropped(words: list[str], rng: random.Random) -> list[str]:
    place, count = rng.randrange(len(words)), rng.choice([1, 1, 2, 3])
    kept = words[:place] + words[place + count :]
    return kept[:-1] + [kept[-1].rstrip(",.") + "."] if kept else words


def _doubled(words: list[str], rng: random.Random) -> list[str]:
    place, count = rng.randrange(len(words)), rng.choice([1, 1, 2, 3])
    piece = [word.rstrip(".,") for word in words[place : place + count]]
    return words[:place] + piece * rng.choice([1, 1, 2]) + words[place:]


def _turned(words: list[str], rng: random.Random) -> list[str]:
    place = rng.randrange(len(words) - 1)
    one, other = words[place], words[place + 1]
    return [*words[:place], other.rstrip(".,") + _stop(one), one.rstrip(".,") + _stop(other), *words[place + 2 :]]


def _inserted(words: list[str], rng: random.Random) -> list[str]:
    place = rng.randrange(len(words))
    return [*words[:place], *(_any_word(rng) for _ in range(rng.choice([1, 1, 2]))), *words[place:]]


def _short(words: list[str], rng: random.Random) -> list[str]:
    """Ended too early, with a full stop all the same."""
    kept = words[: rng.randrange(min(3, len(words) - 1), len(words))]
    return kept[:-1] + [kept[-1].rstrip(",.:") + "."]


def _reason(words: list[str], rng: random.Random) -> list[str]:
    """A reason of two reasons, or of other words."""
    if "because" not in words:
        return _another(words, rng)
    one, other = rng.sample(_dangers(), 2)
    made = rng.choice([
        lambda: one[: rng.randrange(1, len(one))] + other[rng.randrange(1, len(other)) :],
        lambda: [*one[:-1], rng.choice([*_NAMES, *_STUFF, "people", "bones", "house", "name", "skin", "hand"])],
        lambda: [*one, *other[-rng.randrange(1, len(other)) :]],
        lambda: ["it", rng.choice(["is", "can", "takes", "grows", "has", "needs"]), rng.choice(["a", "some", "the", "many", "an"]), _any_word(rng)],
        lambda: ["the", rng.choice(["items", "title", "picture", "list", "lid", rng.choice(_NAMES)]), rng.choice(["are", "is", "can", "does", "says"]), _any_word(rng)],
        lambda: one[: rng.randrange(1, len(one))],
    ])()
    place = words.index("because")
    return [*words[: place + 1], *made[:-1], made[-1] + "."]


def _syllables(words: list[str], rng: random.Random) -> list[str]:
    """A word cut, grown together with the next, or with the end of another."""
    places = [place for place, word in enumerate(words) if len(word.rstrip(".,")) > 3]
    if not places:
        return _another(words, rng)
    place = rng.choice(places)
    word, stop = words[place].rstrip(".,"), _stop(words[place])
    tail = rng.choice([*_NAMES, *_STUFF])
    made = rng.choice([word[: rng.randrange(2, len(word))], word + tail[rng.randrange(1, len(tail)) :], word[: rng.randrange(1, len(word))] + tail[rng.randrange(len(tail) - 2) :], word[rng.randrange(1, len(word) - 1) :], word + word[-3:]])
    return [*words[:place], made + stop, *words[place + 1 :]]


_CHANGES = [(_another, 4), (_dropped, 3), (_doubled, 3), (_turned, 2), (_inserted, 3), (_short, 2), (_reason, 7), (_syllables, 2)]


def _other_sentence(rng: random.Random, scene: Scene) -> str:
    """Something else the model can say, to run into."""
    return rng.choice([
        lambda: careful(rng, scene)[2:],
        lambda: how_to(rng.choice([*CRAFTS, *THINGS])),
        lambda: how_to(rng.choice(list(HAZARDS))),
        lambda: prefixed_how_to(rng.choice(list(CRAFTS)))[2:],
        lambda: rng.choice(sight_examples(scene, rng) or [unanswerable_pointing(scene, rng)]).answer.lstrip(", "),
    ])()


def _spliced(first: str, second: str, rng: random.Random) -> str:
    """The first up to a word that both have, and on with the second; without such a word, anywhere."""
    one, other = first.split(), second.split()
    shared = [(i, j) for i, word in enumerate(one) if i > 0 for j, same in enumerate(other) if word.lower().strip(".,") == same.lower().strip(".,") and j + 1 < len(other)]
    i, j = rng.choice(shared) if shared and rng.random() < 0.7 else (rng.randrange(1, len(one)), rng.randrange(len(other)))
    return " ".join([*(word.rstrip(".") for word in one[: i + 1]), *other[j + 1 :]])


def _hybrid(rng: random.Random, scene: Scene) -> str:
    """The opening of one kind of answer and the body of another."""
    name = rng.choice(_NAMES)
    phrase = rng.choice(["a ", "some ", "an ", "the "]) + name
    opening = rng.choice(["I can help: ", "I cannot help: ", "I can help you ", "I cannot tell you ", "I can tell you ", "I cannot see that ", "I must warn you to ", "I will not explain that ",
                          "I can see that I ", f"I cannot help you make {phrase} ", f"I cannot tell you how to make {phrase}: ", f"I can tell you how to {phrase}, ", "I can help: I cannot ", "I can help: "])
    body = rng.choice([
        lambda: careful(rng, scene)[2:],
        lambda: "because " + " ".join(rng.choice(_dangers())) + ".",
        lambda: f"the {name} is {rng.choice(list(COLOURS))}.",
        lambda: f"to make {phrase}.",
        lambda: f"to make {phrase}, because " + " ".join(rng.choice(_dangers())) + ".",
        lambda: f"{rng.choice(LEADS)} {name}.",
        lambda: f"at the {rng.choice(PLACES)}.",
        lambda: _other_sentence(rng, scene),
    ])()
    return opening + body


def broken_careful(rng: random.Random, split: str) -> str:
    """The prefix and a refusal, advice or decline that went wrong somewhere; at times a later sentence of it."""
    scene = make_scene(rng.randrange(10**9), split)
    while True:
        text = careful(rng, scene)[2:]
        lines = re.split(r"(?<=[a-z]\.) ", text)
        place = len(lines) - 1 if len(lines) > 1 and rng.random() < 0.25 else 0
        draw = rng.random()
        if draw < 0.18:
            line = _spliced(lines[place], _other_sentence(rng, scene), rng)
        elif draw < 0.3 and place == 0:
            line = _hybrid(rng, scene)
        else:
            words = lines[place].split()
            for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
                if len(words) > 3:
                    change = rng.choices([change for change, _ in _CHANGES], [weight for _, weight in _CHANGES])[0]
                    words = change(words, rng)
            line = " ".join(words)
        if line and not is_whole(line):
            break
    lines[place] = line
    kept = lines if rng.random() < 0.3 else lines[: place + 1]
    return PREFIX + ", " + " ".join(kept) if rng.random() < 0.85 or place else line[:1].upper() + line[1:]


def whole_careful(rng: random.Random, split: str) -> str:
    """The same unbroken: what the broken ones are to be told from."""
    scene = make_scene(rng.randrange(10**9), split)
    text = PREFIX + careful(rng, scene)
    lines = re.split(r"(?<=[a-z]\.) ", text)
    return " ".join(lines if rng.random() < 0.4 else lines[:1])
