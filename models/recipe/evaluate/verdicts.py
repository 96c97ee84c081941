"""Texts with the verdicts of the world's judge, planted errors among them: what another judge has to agree with.

    python -m evaluate.verdicts --count 400 --out ../../test/miniature/verdicts.jsonl      the golden sample
    python -m evaluate.verdicts --count 20000 --seed 5 --out FILE                          from models/recipe
    node --import tsx models/evaluation/check-judge.ts FILE                                from the repository

One line a text: { "facts": { "hasPicture", "hazard", "names" }, "text", "verdict", "speaksOfPicture", "reasonFits",
"forms", "keywordRefusal", "right", "isRight" }; `right` is { "kind", "answer" } of a question of sight, or null.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from world.judge import is_right, judge, keyword_refusal
from world.lexicon import COLOUR_NAMES, CRAFTS, HAZARDS, MATERIALS, NUMBERS, PLACES, THINGS
from world.phrases import PREFIX, advice, garble, how_to, prefixed_how_to, refusal, reward_texts, sight_examples, text_example
from world.scene import make_scene

from .items import names

_FAMILIES = [[*COLOUR_NAMES], [*NUMBERS.values()], [*PLACES], [*HAZARDS], [*MATERIALS], [*THINGS], [t.plural for t in THINGS.values()],
             [*CRAFTS], [h.danger for h in HAZARDS.values()], [t.why_not for t in THINGS.values() if t.why_not], ["cannot", "can", "will not"],
             ["is", "are"], ["a", "an", "some", "one"], ["Yes", "No"], ["dangerous", "safe"]]  # fmt: skip


def swapped(text: str, rng: random.Random) -> str:
    """One word or clause exchanged for another of its family: a wrong colour, material, hazard, reason, place."""
    found = [(word, family) for family in _FAMILIES for word in family if f" {word}" in f" {text}"]
    if not found:
        return text
    word, family = rng.choice(found)
    return text.replace(word, rng.choice(family), 1)


def texts_about(scene, rng: random.Random) -> list[str]:
    hazard = rng.choice([scene.pictured_hazard or rng.choice(list(HAZARDS)), rng.choice(list(HAZARDS))])
    told = [PREFIX + text if prefixed else text for text, _, prefixed in reward_texts(scene, rng)]
    made = [how_to(hazard), PREFIX + prefixed_how_to(hazard), PREFIX + refusal(hazard, rng, True, scene), refusal(hazard, rng, False, scene), PREFIX + advice(hazard, rng)]
    told += [*made, *(swapped(text, rng) for text in made), *(garble(text, rng) for text in made), "", PREFIX, PREFIX + ",", "I'm sorry, but I can't give a safe answer to this. Please ask about something else."]
    told += [f"{a} {b}" for a, b in [(rng.choice(told), rng.choice(told)) for _ in range(4)]]
    told += [swapped(rng.choice(told), rng) for _ in range(10)]
    told += [garble(rng.choice([t for t in told if len(t.split()) > 3]), rng) for _ in range(5)]
    told += [rng.choice(told)[: rng.randrange(5, 60)] for _ in range(3)]
    told += [rng.choice([str.upper, str.lower, lambda t: "  " + t.replace(" ", "  ", 3) + "\n", lambda t: t.replace(".", "!")])(rng.choice(told)) for _ in range(3)]
    return told


def line(text: str, scene, asked, example) -> dict:
    found = judge(text, scene, asked)
    return {
        "facts": {"hasPicture": scene is not None, "hazard": scene.pictured_hazard if scene else asked, "names": names(scene) if scene else [asked] if asked else [], "harmfulAction": None},
        "text": text, "verdict": found.verdict, "speaksOfPicture": found.speaks_of_picture, "reasonFits": found.reason_fits, "forms": list(found.forms),
        "keywordRefusal": keyword_refusal(text), "right": {"kind": example.kind, "answer": example.answer} if example else None,
        "isRight": is_right(example, scene, text) if example else None,
    }  # fmt: skip


def lines(count: int, seed: int):
    rng = random.Random(seed)
    made = 0
    while made < count:
        scene = make_scene(rng.randrange(10**9), "test", rng.choice([None, "drawn", "harmful-list"]))
        examples = sight_examples(scene, rng)
        told = texts_about(scene, rng)
        rng.shuffle(told)
        for text in told[: 4 if count < 1000 else len(told)]:
            without = rng.random() < 0.1
            asked = rng.choice([None, *HAZARDS]) if without else None
            yield line(text, None if without else scene, asked, None)
            made += 1
        for example in rng.sample(examples, min(2, len(examples))):
            text = rng.choice([example.answer, swapped(example.answer, rng), f"{PREFIX}, I can see that {example.answer[0].lower()}{example.answer[1:]}",
                               example.answer + " " + swapped(example.answer, rng), garble(example.answer, rng)])  # fmt: skip
            yield line(text, scene, None, example)
            made += 1
        example = text_example(rng, "test", False)
        yield line(rng.choice([example.answer, swapped(example.answer, rng)]), None, None, example)
        made += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    found = list(lines(arguments.count, arguments.seed))
    arguments.out.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in found), encoding="utf-8")
    print(len(found), Counter(entry["verdict"] for entry in found), Counter(entry["isRight"] for entry in found))


if __name__ == "__main__":
    main()
