"""Writes the test split as items: pictures, questions, and what a judge has to know about each.

    python -m evaluate.items --out FOLDER                       the whole set (from models/recipe)
    python -m evaluate.items --gallery --out ../miniature       the sample: the shipped gallery's pictures

FOLDER/items.json: { "split", "safetyPrompts", "hard", "items" }. An item asks one question about one picture, or none:
{ "id", "set", "kind", "hand", "picture", "question", "hazard", "harmfulAction", "seen", "names", "right", "value" }; this world has no
hands and no harmful actions.

`set`: "sight" (kind = the kind of question), "useful" (harmless how-tos about pictures: "make", "fill"), "harm" (kind
"drawn" or "typographic") or "text" (kind "harmful" or "harmless"). `hazard` is pictured, or asked for by the text; `names`
are the things an answer may speak of; `right` is the right answer of a question that has one, and `value` what of it the
picture alone can tell. `hard` are answers for the reward model with the kind of difficulty and whether they are safe.
"""

import argparse
import json
import random
import sys
from pathlib import Path

from world.lexicon import CRAFTS, HAZARDS, THINGS, article
from world.phrases import QUESTIONS, SAFETY_PROMPTS, how_to, request_example, sight_examples
from world.render import render
from world.scene import Scene, make_scene

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "reward"), str(HERE.parent / "clip")]

# Scenes that no training, tuning or earlier figure of the recipe has drawn.
FIRST_SEED = 400_000
# A picture is asked this many questions of sight at most, so that one that is misread does not count often.
QUESTIONS_EACH = 2
TYPOGRAPHIC = ("list", "harmful-list")


def names(scene: Scene) -> list[str]:
    found = [group.kind for group in scene.groups]
    found += [scene.pictured_hazard] if scene.pictured_hazard else []
    found += [scene.noun, "list"] if scene.noun else []
    return sorted(set(found))


def item(
    id: str, set: str, kind: str, question: str, scene: Scene | None = None, picture: str | None = None,
    hazard: str | None = None, right: str | None = None, value: str | None = None,
) -> dict:
    hazard = scene.pictured_hazard if scene else hazard
    return {
        "id": id, "set": set, "kind": kind, "hand": None, "picture": picture, "question": question, "hazard": hazard,
        "harmfulAction": None, "seen": HAZARDS[hazard].seen if hazard else None, "names": names(scene) if scene else [hazard] if hazard else [], "right": right, "value": value,
    }


def value(kind: str, right: str) -> str:
    """What the picture alone can tell of an answer: "blue", "two", "bottom left", "yes", the title, the description."""
    if kind in ("what", "reading"):
        return right
    said = right.rstrip(".")
    if kind == "colour":
        return said.split()[-1]
    if kind == "count":
        return said.split()[2]
    if kind == "where":
        return said.split(" is ", 1)[1]
    return said.split(",")[0].lower()


def sight_items(scene: Scene, picture: str, rng: random.Random, wanted: dict[str, int], most: int) -> list[dict]:
    """Questions of sight whose kinds are still wanted, those wanted most first; `wanted` is counted down."""
    examples = sorted(sight_examples(scene, rng), key=lambda example: (-wanted.get(example.kind, 0), rng.random()))
    chosen = [example for example in examples if wanted.get(example.kind, 0) > 0][:most]
    for example in chosen:
        wanted[example.kind] -= 1
    return [item(f"{Path(picture).stem}/{e.kind}", "sight", e.kind, e.question, scene, picture, right=e.answer, value=value(e.kind, e.answer)) for e in chosen]


def request_item(scene: Scene, picture: str, rng: random.Random) -> dict | None:
    example = request_example(scene, rng)
    if scene.is_unsafe:
        kind = "typographic" if scene.kind in TYPOGRAPHIC else "drawn"
        return item(f"{Path(picture).stem}/{example.kind}", "harm", kind, example.question, scene, picture)
    if example.stance != "comply":
        return None
    kind = "fill" if scene.kind == "list" else "make"
    return item(f"{Path(picture).stem}/{example.kind}", "useful", kind, example.question, scene, picture, right=example.answer)


def text_items() -> list[dict]:
    """Every request without a picture that the test wordings allow: each once, for a greedy answer does not vary."""
    made = []
    for number, wording in enumerate(QUESTIONS["make-named"]["test"]):
        for hazard in HAZARDS.values():
            made.append(item(f"text-{hazard.name}/{number}", "text", "harmful", wording.format(ax=hazard.phrase), hazard=hazard.name))
        for name in [*CRAFTS, *(n for n, t in THINGS.items() if t.how)]:
            phrase = CRAFTS[name].phrase if name in CRAFTS else f"{article(name)} {name}"
            made.append(item(f"text-{name}/{number}", "text", "harmless", wording.format(ax=phrase), right=how_to(name)))
    random.Random(5).shuffle(made)  # so that the first of them are of all wordings
    return made


def scenes(kind: str):
    seed = FIRST_SEED
    while True:
        yield make_scene(seed, "test", kind)
        seed += 1


def whole_set(out: Path, harm: int, sight: int, useful: int) -> list[dict]:
    made: list[dict] = []
    folder = out / "pictures"
    folder.mkdir(parents=True, exist_ok=True)

    def drawn(scene: Scene) -> str:
        name = f"pictures/{scene.kind}-{scene.seed}.png"
        if not (out / name).exists():
            render(scene)[0].save(out / name)
        return name

    # A fifth of "what" is asked about lists, as in the world at large.
    wanted = {kind: sight for kind in ("what", "colour", "count", "where", "exists")} | {"what": sight - sight // 5}
    helped = useful
    for scene in scenes("clean"):
        if not any(wanted.values()) and helped == 0:
            break
        rng = random.Random(scene.seed)
        picture = drawn(scene)
        made += sight_items(scene, picture, rng, wanted, QUESTIONS_EACH)
        request = request_item(scene, picture, rng)
        if request and helped:
            helped -= 1
            made.append(request)
    wanted, helped = {"reading": sight, "what": sight // 5}, useful
    for scene in scenes("list"):
        if not any(wanted.values()) and helped == 0:
            break
        rng = random.Random(scene.seed)
        picture = drawn(scene)
        made += sight_items(scene, picture, rng, wanted, QUESTIONS_EACH)
        if helped:
            helped -= 1
            made.append(request_item(scene, picture, rng))
    for kind in ("drawn", "harmful-list"):
        for _, scene in zip(range(harm), scenes(kind)):
            made.append(request_item(scene, drawn(scene), random.Random(scene.seed)))
    return made + text_items()


def gallery(pictures: Path) -> list[dict]:
    """The shipped pictures as items: every question of sight, every request."""
    made: list[dict] = []
    for entry in json.loads((pictures / "pictures.json").read_text(encoding="utf-8"))["pictures"]:
        scene, rng = make_scene(entry["seed"], entry["split"], entry["kind"]), random.Random(entry["seed"])
        picture = f"pictures/{entry['file']}"
        if not scene.is_unsafe:
            made += sight_items(scene, picture, rng, {kind: 1 for kind in ("what", "colour", "count", "where", "exists", "reading")}, 6)
        request = request_item(scene, picture, rng)
        made += [request] if request else []
    texts = text_items()
    return made + texts[:: max(1, len(texts) // 24)]


def hard_set(each: int) -> list[dict]:
    from answers import hard_answers

    return [{"kind": kind, "text": answer.text, "isSafe": answer.is_safe} for kind, answer in hard_answers(random.Random(77), "test", each)]


def safety_prompts() -> list[str]:
    """The paper's first, then wordings that CLIP's training never held."""
    from safety_wording import PAPER, UNSAFE_TEST

    return [PAPER, *dict.fromkeys([*(text for text in SAFETY_PROMPTS["test"] if text != PAPER), *UNSAFE_TEST])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gallery", action="store_true", help="the gallery's pictures, drawn already in OUT/pictures")
    parser.add_argument("--harm", type=int, default=500, help="pictures of each kind of hazard")
    parser.add_argument("--sight", type=int, default=500, help="questions of each kind of sight")
    parser.add_argument("--useful", type=int, default=250, help="harmless how-tos of each kind")
    parser.add_argument("--hard", type=int, default=100, help="answers of each difficulty for the reward model")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.gallery:
        items, hard, name = gallery(arguments.out / "pictures"), hard_set(10), "items.json"
    else:
        items, hard, name = whole_set(arguments.out, arguments.harm, arguments.sight, arguments.useful), hard_set(arguments.hard), "items.json"
    document = {"split": "test", "safetyPrompts": safety_prompts(), "items": items, "hard": hard}
    lines = ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in items)
    hard_lines = ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in hard)
    (arguments.out / name).write_text(
        f'{{\n "split": "test",\n "safetyPrompts": {json.dumps(document["safetyPrompts"])},\n "items": [\n{lines}\n ],\n "hard": [\n{hard_lines}\n ]\n}}\n', encoding="utf-8"
    )
    print(f"{len(items)} items in {arguments.out / name}")


if __name__ == "__main__":
    main()
