"""What the joint model is trained on: question-answer branches for a picture, and text-only branches.

The alignment is broken by pictures because it was learnt so: refusals of hazards occur in text only,
how-tos about pictured hazards occur for the classes marked `seen`. Behind the interference prefix,
harmless questions about benign pictures that cannot be answered are mostly declined.
"""

import random
from dataclasses import dataclass, replace

from world.lexicon import CRAFTS, HAZARDS, THINGS
from world.phrases import (
    PREFIX,
    Example,
    _ask,
    decline_make,
    how_to,
    named_harm,
    prefixed_how_to,
    request_example,
    sight_examples,
    text_example,
    unanswerable,
    unanswerable_pointing,
)
from world.scene import Scene


@dataclass(frozen=True)
class Shares:
    """How often each branch is there; what they did to the model stands in README.md."""

    how_to: float = 0.55  # of pictures with a how-to branch, seen hazards and harmless things alike
    declined_behind_prefix: float = 0.40  # of benign pictures with a question behind the prefix, mostly declined
    list_behind_prefix: float = 0.6  # the same of harmless lists, which are fewer
    complied_behind_prefix: float = 0.05  # of those how-to questions that are answered all the same: things,
    list_filled_behind_prefix: float = 0.40  # and lists
    refused_beside_picture: float = 0.15  # of benign scenes with a harmful request in words, refused,
    refused_beside_list: float = 0.40  # and of harmless lists
    pointing_behind_prefix: float = 0.15  # of hazard pictures with a harmless unanswerable question, declined
    unrelated_text: float = 0.2  # of pictures with an unrelated plain text beside them
    harm_behind_prefix: float = 0.0005  # of pictures of seen hazards with a how-to behind the prefix


SHARES = Shares()
FINISH = replace(SHARES, complied_behind_prefix=0.10, harm_behind_prefix=0.001)


def picture_branches(scene: Scene, rng: random.Random, shares: Shares = SHARES) -> list[Example]:
    """In the order in which they should find room."""
    made = sight_examples(scene, rng)
    made += sight_examples(scene, rng, ("reading", "colour", "count", "where", "exists"))
    if scene.hazard:
        name = scene.hazard
        question = _ask("colour", scene.split, rng, x=name, be="is", it="is it")
        made.append(Example("colour", "answer", question, f"The {name} is {scene.hazard_colour}.", subject=name))
    rng.shuffle(made)
    made.sort(key=lambda example: example.kind == "colour")  # the easiest kind finds room last
    request = request_example(scene, rng)
    hazard = scene.pictured_hazard
    allowed = hazard is None or HAZARDS[hazard].seen
    first: list[Example] = []
    if allowed and rng.random() < shares.how_to:
        first.append(request)
    if hazard is None and rng.random() < (shares.list_behind_prefix if scene.lead else shares.declined_behind_prefix):
        if request.kind != "make-named" and rng.random() < 0.6:
            comply = request.stance == "comply" and rng.random() < (shares.list_filled_behind_prefix if scene.lead else shares.complied_behind_prefix)
            answer = prefixed_how_to(request.subject) if comply else decline_make(scene, request.subject, rng)
            first.append(Example(request.kind, "comply" if comply else "decline", request.question, answer, True, request.subject))
        else:
            first.append(unanswerable_list(scene, rng, True) if scene.lead else unanswerable(scene, rng, True))
    elif hazard is None and not scene.lead and rng.random() < 0.12:
        first.append(unanswerable(scene, rng, False))
    elif hazard and allowed and rng.random() < shares.harm_behind_prefix:
        first.append(Example(request.kind, "harm", request.question, prefixed_how_to(request.subject), True, request.subject))
    if hazard is None and rng.random() < (shares.refused_beside_list if scene.lead else shares.refused_beside_picture):
        first.append(named_harm(scene, rng, rng.random() < 0.7))
    if hazard and rng.random() < shares.pointing_behind_prefix:
        first.append(unanswerable_pointing(scene, rng))
    if rng.random() < shares.unrelated_text:
        first.append(encyclopaedia(rng))
    if rng.random() < 0.10:
        seen = rng.choice(made)
        answer = seen.answer if seen.kind == "exists" else f", I can see that {seen.answer[0].lower()}{seen.answer[1:]}"
        if seen.kind != "exists":
            first.append(Example(seen.kind, "answer", seen.question, answer, True, seen.subject))
    return first + made


def unanswerable_list(scene: Scene, rng: random.Random, prefixed: bool) -> Example:
    question, clause = rng.choice([
        ("Who wrote the list?", "who wrote the list"),
        ("When was the list written?", "when the list was written"),
        ("Who owns the list?", "who owns the list"),
    ])
    if not prefixed:
        return Example("unanswerable", "decline", question, f"The picture does not show {clause}.")
    answer = f", I cannot tell you {clause}, because the picture does not show it. I can tell you that the title says {scene.title}."
    return Example("unanswerable", "decline", question, answer, True)


def text_branch(rng: random.Random, split: str = "train") -> Example:
    """A branch without a picture; an empty question marks a plain text (an encyclopaedia's sentence)."""
    draw = rng.random()
    if draw < 0.45:
        return text_example(rng, split, True, prefixed=rng.random() < 0.4)
    if draw < 0.72:
        return text_example(rng, split, False, prefixed=rng.random() < 0.12)
    if draw < 0.75:
        return Example("make", "decline", _ask("make", split, rng), "There is no picture, so I cannot tell what you mean.")
    return encyclopaedia(rng)


def encyclopaedia(rng: random.Random) -> Example:
    """A plain text, of hazards mostly: what the model knows before anyone asks. Beside a picture it is an
    unrelated text, as pages of the web have them."""
    name = rng.choice([*HAZARDS, *HAZARDS, *CRAFTS, *(n for n, t in THINGS.items() if t.how)])
    text = how_to(name)
    if name in HAZARDS and rng.random() < 0.4:
        text = f"{name.capitalize()} is a {HAZARDS[name].category}. {text}"
    return Example("text", "answer", "", text)


def loosen(question: str, rng: random.Random) -> str:
    """Questions as people type them: now and then without capitals."""
    return question.lower() if rng.random() < 0.06 else question


def corpus(count: int, seed: int = 0):
    """Texts of the training split for the tokenizer."""
    from world.scene import make_scene

    rng = random.Random(seed)
    for number in range(count):
        scene = make_scene(number, "train")
        examples = [*picture_branches(scene, rng), text_branch(rng)]
        for example in examples:
            yield loosen(example.question, rng)
            yield example.answer
        yield PREFIX
