"""The test split as the package's own benchmark reads it: one question about one picture, or about none.

    python run.py evaluate/shipped.py --out FOLDER                       the whole set
    python run.py evaluate/shipped.py --gallery --out ../miniature       the sample: the shipped gallery's pictures

FOLDER/items.json: { "split", "safetyPrompts", "items", "hard" }. An item is { "id", "set", "kind", "hand", "picture", "question",
"hazard", "harmfulAction", "seen", "names", "right", "value" }.

`set` and `kind`: "sight" (the kind of question, "danger" and "twin" among them), "useful" (harmless how-tos about pictures: "make",
"fill", "action", "twin"), "harm" ("drawn", "typographic", "combination") or "text" ("harmful", "harmless", "harmful-action", "harmless-action").
`hand` is who wrote the request. `hazard` is pictured, or asked for by the text; `harmfulAction` is an action that does harm with
what is pictured or named; `names` is what an answer may speak of; `right` is the answer of a question that has one, and `value`
what of it the picture alone can tell. A "twin" is about the picture of a drawn hazard with the hazard's harmless twin in its place: is
the one or the other there, and the very request that does harm beside the hazard. Conversations and wishes about an answer's form are in evaluate.items.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from world.combination import action_example, actions_for, text_action
from world.hands import FIRST, hands
from world.knowledge import danger_example
from world.lexicon import ACTIONS, HAZARDS, TWINS
from world.phrases import SAFETY_PROMPTS, Example, exists_example, how_to, request_example, sight_examples, text_example
from world.render import render
from world.scene import Scene, make_scene, twinned

HERE = Path(__file__).resolve().parent
RECIPE = HERE.parents[1] / "recipe"
sys.path[:0] = [str(HERE.parent / "reward"), str(RECIPE / "reward"), str(RECIPE / "clip")]

# Scenes that nothing else has drawn: evaluate.items begins at 400,000.
FIRST_SEED = 600_000
# A picture is asked this many questions of sight at most, so that one that is misread does not count often.
QUESTIONS_EACH = 2


def names(scene: Scene) -> list[str]:
    found = [group.kind for group in scene.groups]
    found += [scene.pictured_hazard] if scene.pictured_hazard else []
    found += [scene.noun, "list"] if scene.noun else []
    return sorted(set(found))


def value(kind: str, right: str) -> str:
    """What the picture alone can tell of an answer: "blue", "two", "bottom left", "yes", the title, the description."""
    said = right.rstrip(".")
    if kind == "colour":
        return said.split()[-1]
    if kind == "count":
        return said.split()[2]
    if kind == "where":
        return said.split(" is ", 1)[1]
    return said.split(",")[0].lower() if kind in ("exists", "twin", "danger") else right


def item(id: str, set_: str, kind: str, example: Example, scene: Scene | None = None, picture: str | None = None, is_harm: bool = False) -> dict:
    """`is_harm`: what is asked for does harm."""
    subject = example.subject.split("/")[0]
    hazard = scene.pictured_hazard if scene else subject if subject in HAZARDS else None
    right = None if is_harm else example.answer
    return {
        "id": id, "set": set_, "kind": kind, "hand": example.hand or None, "picture": picture, "question": example.question, "hazard": hazard,
        "harmfulAction": subject if is_harm and subject in ACTIONS else None, "seen": HAZARDS[hazard].seen if hazard else None,
        "names": names(scene) if scene else [hazard] if hazard else [], "right": right, "value": value(kind, right) if set_ == "sight" else None,
    }


def asked_of(scene: Scene, picture: str, rng: random.Random, hand: Iterator[str]) -> list[dict]:
    """Every question of sight, and every request, that the scene allows."""
    stem = Path(picture).stem
    sights = [*sight_examples(scene, rng), danger_example(scene, rng)]
    made = [item(f"{stem}/{e.kind}", "sight", e.kind, e, scene, picture) for e in sights]
    request = request_example(scene, rng, next(hand))
    if scene.is_unsafe:
        made.append(item(f"{stem}/request", "harm", "typographic" if scene.lead else "drawn", request, scene, picture, True))
    elif request.stance == "comply":
        made.append(item(f"{stem}/request", "useful", "fill" if scene.lead else "make", request, scene, picture))
    for set_, kind, harmful in (("harm", "combination", True), ("useful", "action", False)):
        if actions_for(scene, harmful):
            made.append(item(f"{stem}/{kind}", set_, kind, action_example(scene, rng, harmful, next(hand)), scene, picture, harmful))
    return made + (twin_items(scene, picture, request, rng) if scene.hazard else [])


def twin_picture(picture: str) -> str:
    path = Path(picture)
    return path.with_name(f"{path.stem}-twin{path.suffix}").as_posix()


def twin_items(scene: Scene, picture: str, request: Example, rng: random.Random) -> list[dict]:
    twin, name, drawn = twinned(scene), TWINS[scene.hazard], twin_picture(picture)
    stem = Path(drawn).stem
    asked = exists_example(twin, rng, rng.choice([scene.hazard, name]))
    helped = replace(request, stance="comply", answer=how_to(name), subject=name)
    return [item(f"{stem}/exists", "sight", "twin", asked, twin, drawn), item(f"{stem}/request", "useful", "twin", helped, twin, drawn)]


def text_items(each: int) -> list[dict]:
    """Requests in words alone, `each` of every hand; the first world's hand asks for no actions."""
    rng, made = random.Random(5), []
    for hand in (hand.name for hand in hands("test")):
        for number in range(each):
            for harmful in (True, False):
                kind = "harmful" if harmful else "harmless"
                made.append(item(f"text-{hand}-{number}/{kind}", "text", kind, text_example(rng, "test", harmful, hand=hand), is_harm=harmful))
                if hand != FIRST:
                    made.append(item(f"text-{hand}-{number}/{kind}-action", "text", f"{kind}-action", text_action(rng, "test", harmful, hand=hand), is_harm=harmful))
    rng.shuffle(made)  # so that the first of them are of all hands
    return made


def writers() -> Iterator[str]:
    return cycle(hand.name for hand in hands("test") if hand.name != FIRST)


def plan(harm: int, sight: int, useful: int) -> dict[str, dict[tuple[str, str], int]]:
    """How many questions of each set and kind are asked about each kind of scene."""
    some, danger = sight // 5, ("sight", "danger")
    return {
        "clean": {("sight", kind): sight for kind in ("what", "colour", "count", "where", "exists")}
        | {danger: sight // 4, ("useful", "make"): useful, ("useful", "action"): useful, ("harm", "combination"): harm},
        "list": {("sight", "reading"): sight, ("sight", "what"): some, danger: sight // 4, ("useful", "fill"): useful},
        "drawn": {("sight", "exists"): some, ("sight", "what"): some, danger: sight // 4, ("harm", "drawn"): harm, ("sight", "twin"): useful, ("useful", "twin"): useful},
        "harmful-list": {danger: sight // 4, ("harm", "typographic"): harm},
    }


def whole_set(out: Path, wanted: dict[str, dict[tuple[str, str], int]], draw: Callable[[Scene, Path], None]) -> list[dict]:
    """Scenes in the order of their seeds until each set and kind has its number; `wanted` is counted down."""
    made: list[dict] = []
    hand = writers()
    for kind, left in wanted.items():
        seed = FIRST_SEED
        while any(count > 0 for count in left.values()):
            scene = make_scene(seed, "test", kind)
            seed += 1
            picture = f"pictures/{kind}-{scene.seed}.png"
            open_ = [one for one in asked_of(scene, picture, random.Random(scene.seed), hand) if left.get((one["set"], one["kind"]), 0) > 0]
            sights = sorted((one for one in open_ if one["set"] == "sight"), key=lambda one: -left["sight", one["kind"]])
            asked = [*sights[:QUESTIONS_EACH], *(one for one in open_ if one["set"] != "sight")]
            for one in asked:
                left[one["set"], one["kind"]] -= 1
            if any(one["picture"] == picture for one in asked):
                draw(scene, out / picture)
            if any(one["picture"] == twin_picture(picture) for one in asked):
                draw(twinned(scene), out / twin_picture(picture))
            made += asked
    return made


def gallery(folder: Path) -> list[dict]:
    """The shipped pictures: everything that can be asked about them, and some of the requests in words."""
    hand, made = writers(), []
    for entry in json.loads((folder / "pictures.json").read_text(encoding="utf-8"))["pictures"]:
        scene = make_scene(entry["seed"], entry["split"], entry["kind"])
        asked = asked_of(scene, f"pictures/{entry['file']}", random.Random(entry["seed"]), hand)
        made += [one for one in asked if one["kind"] != "twin"]  # the gallery has no pictures of twins
    return made + text_items(2)


def safety_prompts() -> list[str]:
    """The paper's first, then wordings that CLIP's training never held."""
    from safety_wording import PAPER, UNSAFE_TEST

    return [PAPER, *dict.fromkeys([*(text for text in SAFETY_PROMPTS["test"] if text != PAPER), *UNSAFE_TEST])]


def hard_set(each: int) -> list[dict]:
    from answers import hard_answers, second_answers

    rng = random.Random(77)
    return [{"kind": kind, "text": answer.text, "isSafe": answer.is_safe} for kind, answer in [*hard_answers(rng, "test", each), *second_answers(rng, each)]]


def drawn(scene: Scene, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    render(scene)[0].save(path)


def listed(values: list) -> str:
    return ",\n".join("  " + json.dumps(value, ensure_ascii=False) for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gallery", action="store_true", help="the gallery's pictures, drawn already in OUT/pictures")
    parser.add_argument("--harm", type=int, default=500, help="requests of each kind of harm at pictures")
    parser.add_argument("--sight", type=int, default=500, help="questions of each kind of sight")
    parser.add_argument("--useful", type=int, default=250, help="harmless how-tos of each kind")
    parser.add_argument("--text", type=int, default=30, help="requests in words of each hand and kind")
    parser.add_argument("--hard", type=int, default=100, help="answers of each difficulty for the reward model")
    arguments = parser.parse_args()
    if arguments.gallery:
        items, hard = gallery(arguments.out / "pictures"), hard_set(10)
    else:
        wanted = plan(arguments.harm, arguments.sight, arguments.useful)
        items, hard = whole_set(arguments.out, wanted, drawn) + text_items(arguments.text), hard_set(arguments.hard)
    prompts = json.dumps(safety_prompts(), ensure_ascii=False)
    (arguments.out / "items.json").write_text(
        f'{{\n "split": "test",\n "safetyPrompts": {prompts},\n "items": [\n{listed(items)}\n ],\n "hard": [\n{listed(hard)}\n ]\n}}\n', encoding="utf-8"
    )
    print(f"{len(items)} items, {len(hard)} answers in {arguments.out}")


if __name__ == "__main__":
    main()
