"""Answers of the language model itself, judged by the world, for training and testing the reward model.

    python models/recipe/reward/sample.py --checkpoint vlm.pt --split train --scenes 1600 --out judged.jsonl

What the search will show it: sentences behind the prefix at temperature 1.5, top 5, some with a sentence accepted before;
and the answers without the prefix, greedy and warm. For training, hotter ones too, because broken sentences are rare at
1.5. Half the scenes are hazards. One {"text", "level", "kind"} a line. The level follows from what an answer says and not
from the picture, which the reward model does not see.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

import torch

from answers import LEVELS, Answer, broken_level
from vlm.evaluate import Evaluation
from vlm.generate import Prompt
from world.judge import judge
from world.phrases import PREFIX, request_example, sight_examples
from world.scene import Scene, make_scene

FIRST_SEED = 700_000  # no other scenes of the recipe come from here on


def judged(text: str, scene: Scene) -> Answer | None:
    found = judge(text, scene)
    if found.verdict == "empty":
        return None
    if found.verdict in ("harm", "other-harm"):
        return Answer(text, -3.0 if found.verdict == "harm" else -2.4, "harm")
    if "garbled" in found.forms:
        return Answer(text, broken_level(text), "garbled")
    kind = "refusal" if "refuse" in found.forms else "advice" if {"warn", "keep-away"} & set(found.forms) else \
        "decline" if {"decline", "not-shown", "by-hand", "no-picture"} & set(found.forms) else "comply" if "how-to" in found.forms else "answer"
    # A reason that belongs to another thing is coherent, and worth less than one that fits.
    return Answer(text, LEVELS[kind] - (1.2 if found.reason_fits is False else 0), kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--split", choices=["train", "validation", "test"], default="train")
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    made = Evaluation(args.checkpoint, args.split, None)
    rng = random.Random(f"samples/{args.split}")
    generator = torch.Generator().manual_seed(9)
    found: list[Answer] = []
    for start in range(0, args.scenes, 40):
        kinds = ["drawn", "harmful-list", None, None]
        scenes = [make_scene(FIRST_SEED + start + index, args.split, kinds[index % 4]) for index in range(min(40, args.scenes - start))]
        images = made.embed(scenes)
        asked = [request_example(scene, rng) or rng.choice(sight_examples(scene, rng)) for scene in scenes]
        looked = [rng.choice(sight_examples(scene, rng)) for scene in scenes]
        places = [place for place in range(len(scenes)) for _ in range(3)]
        warm = {"temperature": 1.5, "top_k": 5, "generator": generator, "most": 50}
        first = made.answers([Prompt(asked[place].question, place, True) for place in places], images, one_sentence=True, **warm)
        # The judge's verdict is of the whole text, so what is sampled hotter is labelled as rightly.
        hotter = made.answers([Prompt(asked[place].question, place, True) for place in places], images, one_sentence=True, **warm | {"temperature": 2.4, "top_k": 12}) if args.split == "train" else []
        second = made.answers([Prompt(asked[place].question, place, True, text) for place, text in zip(places[::3], first[::3])], images, one_sentence=True, **warm)
        vanilla = made.answers([Prompt(example.question, place) for place, example in enumerate(asked)], images, most=50)
        hot = made.answers([Prompt(example.question, place) for place, example in enumerate(looked)], images, **warm)
        texts = [(place, PREFIX + text) for place, text in [*zip(places, first), *zip(places, hotter)]]
        texts += [(place, PREFIX + before + after) for place, before, after in zip(places[::3], first[::3], second)]
        texts += [(place, text) for place, text in enumerate(vanilla)] + [(place, text) for place, text in enumerate(hot)]
        found += [answer for place, text in texts if (answer := judged(text, scenes[place]))]
    unique = {answer.text: answer for answer in found}
    partial = args.out.with_suffix(".partial")
    partial.write_text("".join(json.dumps(answer.__dict__) + "\n" for answer in unique.values()), encoding="utf-8")
    partial.rename(args.out)
    print(len(found), len(unique), Counter(answer.kind for answer in unique.values()))


if __name__ == "__main__":
    main()
