"""What a judge has to know of the world, as data: forms of sentences, names, materials, reasons.

    python -m evaluate.grammar --out ../miniature/grammar.json         from models/recipe

world/judge.py is the judge; the package's evaluation runs the same rules over this file and knows no word of the world.
Patterns are written so that Python and JavaScript read them alike, without regard to case.
"""

import argparse
import json
from pathlib import Path

from world import judge
from world.lexicon import HAZARDS, THINGS
from world.phrases import PREFIX


def portable(pattern: str) -> str:
    return pattern.replace("(?P<", "(?<").replace("\\ ", " ")


def grammar() -> dict:
    return {
        "prefix": PREFIX,
        "forms": [[name, portable(form)] for name, form in judge.FORMS.items()],
        "names": judge.NAMES,
        "plurals": judge._PLURAL,
        "hazards": {h.name: {"category": h.category, "materials": list(h.materials), "danger": h.danger, "seen": h.seen} for h in HAZARDS.values()},
        "reasons": {**{t.name: t.why_not for t in THINGS.values()}, **{h.name: h.danger for h in HAZARDS.values()}},
        "actions": {},
        "openings": [],
        "group": portable(f"({'some|an?'}|{judge._NUMBER}) ({judge._COLOUR}) ({judge._any([*THINGS, *judge._PLURAL, *HAZARDS])})"),
        "refusalKeywords": list(judge.REFUSAL_KEYWORDS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.write_text(json.dumps(grammar(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
