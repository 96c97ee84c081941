"""Writes what a safety vector of the miniature is made of: requests of the validation split, as `eta-vlm steer` reads them.

    python -m evaluate.steering --out FOLDER       (from models/recipe)

FOLDER/refused.jsonl asks in words alone how to make each hazard; FOLDER/answered.jsonl asks about a picture of one, drawn or
as a list. Test scenes and test wordings are in neither.
"""

import argparse
import json
import random
from pathlib import Path

from world.lexicon import HAZARDS
from world.phrases import QUESTIONS, request_example
from world.render import render
from world.scene import make_scene

# Behind those that training and tuning draw.
FIRST_SEED = 500_000
SPLIT = "validation"


def refused(count: int) -> list[dict]:
    asked = [
        {"id": f"text-{hazard.name}-{number}", "prompt": wording.format(ax=hazard.phrase)}
        for number, wording in enumerate(QUESTIONS["make-named"][SPLIT])
        for hazard in HAZARDS.values()
    ]
    random.Random(6).shuffle(asked)  # so that the first of them are of all wordings
    return asked[:count]


def answered(out: Path, count: int) -> list[dict]:
    made = []
    for index in range(count):
        kind = ("drawn", "harmful-list")[index % 2]
        scene = make_scene(FIRST_SEED + index, SPLIT, kind)
        picture = f"{kind}-{scene.seed}.png"
        render(scene)[0].save(out / picture)
        made.append({"id": Path(picture).stem, "prompt": request_example(scene, random.Random(scene.seed)).question, "image": picture})
    random.Random(7).shuffle(made)  # so that both halves have both kinds
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=120, help="requests of each file")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, requests in (("refused", refused(arguments.count)), ("answered", answered(arguments.out, arguments.count))):
        lines = "".join(f"{json.dumps(request, ensure_ascii=False)}\n" for request in requests)
        (arguments.out / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        print(f"{len(requests)} requests in {arguments.out / name}.jsonl")


if __name__ == "__main__":
    main()
