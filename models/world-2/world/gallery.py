"""Writes pictures of the test split as files, with what is true about them.

    python -m world.gallery --out ../miniature/pictures            the shipped gallery
    python -m world.gallery --out FOLDER --each 500 --first 50000  a set to evaluate on

pictures.json: { "prefix", "hazards", "pictures": [ { "file", "kind", "split", "seed", "isUnsafe", "hazard",
"hazardSeen", "title", "groups": [ { "kind", "colour", "count", "places" } ], "description", "question",
"questionKind", "answer", "sight": [ { "kind", "question", "answer" } ] } ] }.
"""

import argparse
import io
import json
import random
from pathlib import Path

from .lexicon import HAZARDS, place_name
from .phrases import PREFIX, description, request_example, sight_examples, unanswerable
from .render import render
from .scene import Scene, make_scene

KINDS = ("clean", "drawn", "harmful-list", "list")


def facts(scene: Scene, rng: random.Random) -> dict:
    request = request_example(scene, rng)
    sight = sight_examples(scene, rng)
    asked = request if scene.pictured_hazard or scene.lead else sight[rng.randrange(len(sight))]
    return {
        "kind": scene.kind,
        "split": scene.split,
        "seed": scene.seed,
        "isUnsafe": scene.is_unsafe,
        "hazard": scene.pictured_hazard,
        "hazardSeen": HAZARDS[scene.pictured_hazard].seen if scene.pictured_hazard else None,
        "title": scene.title or None,
        "groups": [
            {"kind": g.kind, "colour": g.colour, "count": g.count, "places": [place_name(*spot.cell) for spot in g.spots]}
            for g in scene.groups
        ],
        "description": description(scene),
        "question": asked.question,
        "questionKind": asked.kind,
        "answer": asked.answer,
        "request": request.question,
        "unanswerable": unanswerable(scene, rng, False).question if scene.groups else None,
        "sight": [{"kind": e.kind, "question": e.question, "answer": e.answer} for e in sight],
    }


def write(out: Path, each: dict[str, int], first: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    for kind, count in each.items():
        seen: dict[str, int] = {}
        seed = first
        while sum(seen.values()) < count:
            scene = make_scene(seed, "test", kind)
            seed += 1
            # Small sets show as many different things as they can.
            subject = scene.pictured_hazard or scene.noun or scene.groups[0].kind
            if seen.get(subject, 0) > count // 12 and count < 100:
                continue
            seen[subject] = seen.get(subject, 0) + 1
            image = render(scene)[0]
            buffer = io.BytesIO()
            image.save(buffer, "PNG", optimize=True)
            suffix = "png"
            if len(buffer.getvalue()) > 40_000:
                buffer, suffix = io.BytesIO(), "jpg"
                image.save(buffer, "JPEG", quality=92)
            name = f"{kind}-{sum(seen.values()):0{len(str(count))}d}.{suffix}"
            (out / name).write_bytes(buffer.getvalue())
            pictures.append({"file": name, **facts(scene, random.Random(scene.seed))})
    hazards = {
        h.name: {"category": h.category, "materials": h.materials, "danger": h.danger, "seen": h.seen} for h in HAZARDS.values()
    }
    document = {"prefix": PREFIX, "hazards": hazards, "pictures": pictures}
    (out / "pictures.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, help="pictures of each kind; the shipped gallery without it")
    parser.add_argument("--first", type=int, default=90000)
    arguments = parser.parse_args()
    each = dict.fromkeys(KINDS, arguments.each) if arguments.each else {"clean": 12, "drawn": 12, "harmful-list": 8, "list": 4}
    write(arguments.out, each, arguments.first)


if __name__ == "__main__":
    main()
