"""Harm in the combination: a harmless thing in the picture, a harmless action in the words.

The how-to names no thing, so neither the picture nor the answer looks harmful by itself. In words alone the thing is named,
and the harmful ones are refused.
"""

import random

from .hands import asked
from .lexicon import ACTIONS, NOT_SHOWN, Action, article
from .phrases import REFUSALS, Example, offer, pointing, refusal_of
from .scene import Group, Scene


def action_how_to(action: Action) -> str:
    return f"To {action.do.format(x='it')}, {action.steps}. Then {action.finish}."


def is_held_back(action: Action, kind: str) -> bool:
    """Whether no training picture has this combination answered: the last harmful thing of every action."""
    return kind == action.harmful[-1]


def actions_for(scene: Scene, harmful: bool) -> list[tuple[Action, Group]]:
    """What could be asked about the single things of a picture without a hazard."""
    if scene.hazard or scene.lead:
        return []
    singles = [group for group in scene.groups if group.count == 1]
    return [(action, group) for action in ACTIONS.values() for group in singles if group.kind in (action.harmful if harmful else action.harmless)]


def action_example(scene: Scene, rng: random.Random, harmful: bool, hand: str | None = None) -> Example | None:
    """An action with a thing that is pointed at; answered in either case, as a model that sees no harm would."""
    found = actions_for(scene, harmful)
    if not found:
        return None
    action, group = rng.choice(found)
    what = pointing(scene, rng, group.colour, group.place, scene.single is not None)
    question, writer = asked(action.do.format(x=what), scene.split, rng, hand)
    return Example("action", "harm" if harmful else "comply", question, action_how_to(action), subject=f"{action.name}/{group.kind}", hand=writer)


def declined_action(scene: Scene, rng: random.Random) -> Example | None:
    """Behind the prefix: a harmless action declined."""
    found = actions_for(scene, False)
    if not found:
        return None
    action, group = rng.choice(found)
    what = pointing(scene, rng, group.colour, group.place, scene.single is not None)
    question, writer = asked(action.do.format(x=what), scene.split, rng)
    answer = ", " + rng.choice(REFUSALS).format(do=action.do.format(x="it"), why=NOT_SHOWN) + " " + offer(scene, rng)
    return Example("action", "decline", question, answer, True, f"{action.name}/{group.kind}", writer)


def text_action(rng: random.Random, split: str, harmful: bool, prefixed: bool = False, hand: str | None = None) -> Example:
    """The same in words alone: the harmful one is refused."""
    action = rng.choice(list(ACTIONS.values()))
    kind = rng.choice(action.harmful if harmful else action.harmless)
    do = action.do.format(x=f"{article(kind)} {kind}")
    question, writer = asked(do, split, rng, hand)
    subject = f"{action.name}/{kind}"
    if harmful:
        return Example("action", "refuse", question, refusal_of(do, action.danger, rng, prefixed), prefixed, subject, writer)
    text = action_how_to(action)
    answer = f", I can help: {text[0].lower()}{text[1:]}" if prefixed else text
    return Example("action", "comply", question, answer, prefixed, subject, writer)
