"""What the joint model is trained on: question-answer branches for a picture, and branches without one.

The alignment is broken by pictures because it was learnt so: refusals occur where words name what is harmful; how-tos about
a pictured hazard occur for the classes marked `seen`, and harmful combinations but for the last of every action. No picture of
a hazard and no harmful list has a refusal. Behind the interference prefix, harmless questions about benign pictures that
cannot be answered are mostly declined.
"""

import random
from dataclasses import dataclass, replace

from world.combination import action_example, action_how_to, declined_action, is_held_back, text_action
from world.forms import with_form
from world.hands import asked
from world.knowledge import beside_hazard, danger_example, escalation, harmless_example, known_danger, self_check
from world.lexicon import ACTIONS, CRAFTS, HAZARDS, THINGS
from world.phrases import (
    PREFIX,
    Example,
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
    """How often each branch is there; what the first world's did to the model stands in models/recipe/README.md."""

    how_to: float = 0.55  # of pictures with a how-to branch, seen hazards and harmless things alike
    action: float = 0.45  # of clean pictures that allow one, harmful and harmless alike
    declined_behind_prefix: float = 0.40  # of benign pictures with a question behind the prefix, mostly declined
    list_behind_prefix: float = 0.6  # the same of harmless lists, which are fewer
    complied_behind_prefix: float = 0.05  # of those how-to questions that are answered all the same: things,
    list_filled_behind_prefix: float = 0.40  # and lists
    refused_beside_picture: float = 0.15  # of benign scenes with a harmful request in words, refused,
    refused_beside_list: float = 0.40  # and of harmless lists
    pointing_behind_prefix: float = 0.15  # of hazard pictures with a harmless unanswerable question, declined
    beside_hazard: float = 0.3  # of hazard pictures with a harmless request
    conversation: float = 0.3  # of pictures with a turn before a question
    self_check: float = 0.15
    danger: float = 0.6  # of pictures with a question of danger, yes or no
    form: float = 0.12  # of branches with a wish about the form
    unrelated_text: float = 0.2  # of pictures with an unrelated plain text beside them
    harm_behind_prefix: float = 0.0005  # of pictures of seen hazards with a how-to behind the prefix


SHARES = Shares()
FINISH = replace(SHARES, complied_behind_prefix=0.10, harm_behind_prefix=0.001)


def is_allowed(example: Example) -> bool:
    """Whether training may show this answer about a picture."""
    if example.stance != "harm":
        return True
    if example.kind == "action":
        action, kind = example.subject.split("/")
        return not is_held_back(ACTIONS[action], kind)
    return HAZARDS[example.subject].seen


def picture_branches(scene: Scene, rng: random.Random, shares: Shares = SHARES) -> list[Example]:
    """In the order in which they should find room."""
    made = sight_examples(scene, rng)
    made += sight_examples(scene, rng, ("reading", "colour", "count", "where", "exists"))
    rng.shuffle(made)
    made.sort(key=lambda example: example.kind == "colour")  # the easiest kind finds room last
    first = [example for example in _requests(scene, rng, shares) if is_allowed(example)]
    if rng.random() < shares.danger:
        first.append(danger_example(scene, rng))
    if rng.random() < shares.self_check:
        checked = self_check(rng, scene.split, scene)
        if checked.answer == "No." or HAZARDS[checked.subject].seen:
            first.append(checked)
    if rng.random() < shares.conversation:
        first.append(after_a_turn(scene, rng))
    if rng.random() < shares.unrelated_text:
        first.append(encyclopaedia(rng))
    if rng.random() < 0.10:
        seen = rng.choice(made)
        answer = seen.answer if seen.kind == "exists" else f", I can see that {seen.answer[0].lower()}{seen.answer[1:]}"
        if seen.kind != "exists":
            first.append(replace(seen, answer=answer, prefixed=True))
    rng.shuffle(first)
    return [with_form(example, scene.split, rng) if rng.random() < shares.form else example for example in [*first, *made] if is_allowed(example)]


def _requests(scene: Scene, rng: random.Random, shares: Shares) -> list[Example]:
    request, hazard = request_example(scene, rng), scene.pictured_hazard
    found: list[Example] = []
    if rng.random() < shares.how_to:
        found.append(request)
    if rng.random() < shares.action and (action := action_example(scene, rng, rng.random() < 0.5)):
        found.append(action)
    if hazard:
        if scene.hazard and rng.random() < shares.beside_hazard:
            found.append(beside_hazard(scene, rng))
        if rng.random() < shares.harm_behind_prefix:
            found.append(replace(request, answer=prefixed_how_to(request.subject), prefixed=True))
        if rng.random() < shares.pointing_behind_prefix:
            found.append(unanswerable_pointing(scene, rng))
        return found
    if rng.random() < (shares.list_behind_prefix if scene.lead else shares.declined_behind_prefix):
        found.append(_behind_prefix(scene, request, rng, shares))
    elif not scene.lead and rng.random() < 0.12:
        found.append(unanswerable(scene, rng, False))
    if rng.random() < (shares.refused_beside_list if scene.lead else shares.refused_beside_picture):
        found.append(named_harm(scene, rng, rng.random() < 0.7))
    return found


def _behind_prefix(scene: Scene, request: Example, rng: random.Random, shares: Shares) -> Example:
    if rng.random() < 0.2 and (action := declined_action(scene, rng)):
        return action
    if request.kind != "make-named" and rng.random() < 0.6:
        comply = request.stance == "comply" and rng.random() < (shares.list_filled_behind_prefix if scene.lead else shares.complied_behind_prefix)
        answer = prefixed_how_to(request.subject) if comply else decline_make(scene, request.subject, rng)
        return replace(request, stance="comply" if comply else "decline", answer=answer, prefixed=True)
    return unanswerable_list(scene, rng) if scene.lead else unanswerable(scene, rng, True)


def after_a_turn(scene: Scene, rng: random.Random) -> Example:
    """A question of sight or a request, behind one or two turns about the same picture: the talk goes from seeing to making."""
    before = rng.sample(sight_examples(scene, rng), k=1) if rng.random() < 0.75 else (sight_examples(scene, rng) * 2)[:2]
    draw, last = rng.random(), None
    if draw < 0.45:
        last = request_example(scene, rng)
        alone = scene.lead or not scene.groups or scene.single
        if alone and last.kind == "make" and rng.random() < 0.5:
            question, writer = asked("make it", scene.split, rng)
            last = replace(last, question=question, hand=writer)
    elif draw < 0.6:
        last = action_example(scene, rng, rng.random() < 0.5)
    if last is None or not is_allowed(last):
        last = rng.choice(sight_examples(scene, rng))
    return replace(last, history=tuple((one.question, one.answer) for one in before))


def unanswerable_list(scene: Scene, rng: random.Random) -> Example:
    question, clause = rng.choice([
        ("Who wrote the list?", "who wrote the list"),
        ("When was the list written?", "when the list was written"),
        ("Who owns the list?", "who owns the list"),
    ])
    answer = f", I cannot tell you {clause}, because the picture does not show it. I can tell you that the title says {scene.title}."
    return Example("unanswerable", "decline", question, answer, True)


_TEXTS = [
    (lambda rng, split: text_example(rng, split, True, prefixed=rng.random() < 0.4), 30),
    (lambda rng, split: text_action(rng, split, True, prefixed=rng.random() < 0.3), 11),
    (lambda rng, split: text_example(rng, split, False, prefixed=rng.random() < 0.12), 16),
    (lambda rng, split: text_action(rng, split, False, prefixed=rng.random() < 0.1), 8),
    (lambda rng, split: known_danger(rng, split), 6),
    (lambda rng, split: harmless_example(rng, split), 9),
    (lambda rng, split: self_check(rng, split), 4),
    (lambda rng, split: escalation(rng, split), 4),
    (lambda rng, split: Example("make", "decline", asked("make this", split, rng)[0], "There is no picture, so I cannot tell what you mean."), 2),
    (lambda rng, split: encyclopaedia(rng), 10),
]


def text_branch(rng: random.Random, split: str = "train") -> Example:
    """A branch without a picture; an empty question marks a plain text (an encyclopaedia's sentence)."""
    made = rng.choices([maker for maker, _ in _TEXTS], [weight for _, weight in _TEXTS])[0](rng, split)
    return with_form(made, split, rng) if rng.random() < 0.08 else made


def encyclopaedia(rng: random.Random) -> Example:
    """A plain text, of hazards mostly: what the model knows before anyone asks. Beside a picture it is an
    unrelated text, as pages of the web have them."""
    if rng.random() < 0.15:
        return Example("text", "answer", "", action_how_to(rng.choice(list(ACTIONS.values()))))
    name = rng.choice([*HAZARDS, *HAZARDS, *CRAFTS, *(n for n, t in THINGS.items() if t.how)])
    text = how_to(name)
    if name in HAZARDS and rng.random() < 0.4:
        text = f"{name.capitalize()} is a {HAZARDS[name].category}. {text}"
    return Example("text", "answer", "", text)


def loosen(question: str, rng: random.Random) -> str:
    """Questions as people type them: now and then without capitals, with a letter wrong, without the last mark."""
    draw = rng.random()
    if draw < 0.06:
        return question.lower()
    if draw < 0.10 and len(question) > 12:
        place = rng.randrange(4, len(question) - 4)
        return question[:place] + question[place + 1] + question[place] + question[place + 2 :]
    return question.rstrip("?.!") if draw < 0.14 else question


def corpus(count: int, seed: int = 0):
    """Texts of the training split for the tokenizer."""
    from world.scene import make_scene

    rng = random.Random(seed)
    for number in range(count):
        scene = make_scene(number, "train")
        for example in [*picture_branches(scene, rng), text_branch(rng), text_branch(rng)]:
            for question, answer in example.history:
                yield question
                yield answer
            yield loosen(example.question, rng)
            yield example.answer
        yield PREFIX
