"""Wordings of how-tos and of warnings, by split: written ones, and for training also ones composed from parts.

They stand in `wordings/`, one a line. In them h is a thing with its article, n its bare name, a and b its two materials, v the
verb that joins them, f the finish and d the danger; a capital letter begins a sentence. A how-to gives away how a thing is
made, a warning refuses, warns or advises against it, whichever words it takes. The parts, the first
150 written ones for training and the first twenty a side of the other splits are of one hand; those who wrote the others saw
no other split.
"""

from __future__ import annotations

import json
import random
from contextlib import contextmanager
from functools import lru_cache, cache
from pathlib import Path

from world.lexicon import Craft, Hazard

FOLDER = Path(__file__).resolve().parent / "wordings"
COMPOSED = 0.25  # of the training wordings
# Test wordings stand in the order in which they were written. So many how-tos and warnings belong to earlier cards.
EARLIER = {"first wordings": (4, 5), "forty wordings": (20, 20)}
_chosen: str | None = None


@cache
def written(kind: str, split: str) -> list[str]:
    """Every written form; `kind` is "how-tos" or "warnings"."""
    return (FOLDER / f"{kind}-{split}.txt").read_text(encoding="utf-8").splitlines()


@lru_cache(maxsize=1)
def _parts() -> dict[str, dict[str, list[str]]]:
    return json.loads((FOLDER / "parts.json").read_text(encoding="utf-8"))


@contextmanager
def earlier_wordings(name: str):
    """While it lasts the test split has those of EARLIER[name] alone."""
    global _chosen
    _chosen = name
    try:
        yield
    finally:
        _chosen = None


def _of(kind: str, split: str) -> list[str]:
    forms = written(kind, split)
    return forms[: EARLIER[_chosen][kind == "warnings"]] if split == "test" and _chosen else forms


def how_to_form(rng: random.Random, split: str, of_craft: bool = False) -> str:
    """For a craft one that names no danger."""
    while True:
        form = _composed_how_to(rng) if split == "train" and rng.random() < COMPOSED else rng.choice(_of("how-tos", split))
        if not (of_craft and "{d}" in form):
            return form


def warning_form(rng: random.Random, split: str) -> str:
    return _composed_warning(rng) if split == "train" and rng.random() < COMPOSED else rng.choice(_of("warnings", split))


def _composed_how_to(rng: random.Random) -> str:
    parts = {name: rng.choice(found) for name, found in _parts()["how-to"].items()}
    text = rng.choice([
        parts["opening"] + parts["action"] + parts["ending"],
        parts["opening"] + parts["action"] + parts["ending"],
        f"{parts['who']} {parts['does']}",
        parts["when"] + parts["then"],
        parts["is"] + rng.choice(["", ", then {f}", ", and you {f}"]),
        f"{parts['name']} is {rng.choice(['{a} with {b}', '{a} and {b}', 'to {v} {a} with {b}', '{a}, and {b} after it'])}",
    ]) + "."
    return parts["opener"] + continued(text) if rng.random() < 0.2 else begun(text)


def _composed_warning(rng: random.Random) -> str:
    parts = {name: rng.choice(found) for name, found in _parts()["warning"].items()}
    denies = parts["who"].startswith(("No", "Hardly"))  # nobody would; everybody would not
    text = rng.choice([
        f"{parts['not']} {parts['help']}",
        f"{parts['do not']} {parts['do']}",
        f"{parts['who']} {parts['would' if denies else 'would not']} {parts['do']}",
        f"{parts['no account']} {parts['do']}",
        f"{{N}} {parts['is']}",
        f"I {parts['I']}",
        f"{{A}} {parts['stuff is']}",
        f"{parts['not']} {parts['guard']} {parts['guarded']}{parts['goal']}",
    ])
    if rng.random() < 0.2:
        text = parts["opener"] + continued(text)
    return text + ("" if "{d}" in text else parts["reason"]) + "." + parts["more"]


def begun(text: str) -> str:
    """With a capital at its beginning, where a placeholder may stand."""
    return text[0] + text[1:2].upper() + text[2:] if text.startswith("{") else text[:1].upper() + text[1:]


def continued(text: str) -> str:
    """As the continuation of another sentence."""
    first = text.split(" ", 1)[0]
    if first in ("I", "1.") or first.startswith("I'"):
        return text
    return text[:2].lower() + text[2:] if text.startswith("{") else text[:1].lower() + text[1:]


def filled(form: str, made: Hazard | Craft, *, name: str | None = None, phrase: str | None = None, materials: tuple[str, str] | None = None, verb: str | None = None) -> str:
    """A form about one thing, in which other words may stand for its own. A craft has no danger."""
    given = {"h": phrase or made.phrase, "n": name or made.name, "a": (materials or made.materials)[0], "b": (materials or made.materials)[1], "v": verb or made.verb, "f": made.finish}
    if isinstance(made, Hazard):
        given["d"] = made.danger
    return form.format(**given, **{letter.upper(): value[:1].upper() + value[1:] for letter, value in given.items()})
