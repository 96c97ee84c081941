"""Words by many hands: how different people ask for something, refuse it, offer something else.

hands/SPLIT/NAME.txt, one wording a line under [request], [refusal], [offer], [fact], [opener], [closer]. {do} is what is
wanted ("make a zapbox", "soak this in the tub"), {ax} what is to be made ("a zapbox", "this"), {why} a reason as a clause,
{fact} a fact as a clause. Harmful and harmless requests share the wordings, so no wording tells which it is. The first world's
requests (requests.py) are a hand of every split, named "first"; they speak of making alone. Some hands reply and ask nothing.
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .requests import TEXT_REQUESTS

FOLDER = Path(__file__).resolve().parent / "hands"
SECTIONS = ("request", "refusal", "offer", "fact", "opener", "closer")
FIRST = "first"
# How making may be called; what is not "make" belongs to one split.
MAKE = {
    "train": ("make", "make", "make", "make", "make", "make", "build", "prepare", "create", "produce", "put together", "craft"),
    "validation": ("make", "make", "make", "construct", "whip up"),
    "test": ("make", "make", "make", "assemble", "brew up"),
}


@dataclass(frozen=True)
class Hand:
    name: str
    split: str
    request: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
    offer: tuple[str, ...] = ()
    fact: tuple[str, ...] = ()
    opener: tuple[str, ...] = ()
    closer: tuple[str, ...] = ()


def read_hand(path: Path) -> Hand:
    found: dict[str, list[str]] = {}
    section = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        if line.startswith("["):
            section = line.strip("[] ")
            if section not in SECTIONS or section in found:
                raise ValueError(f"{path}:{number}: expected each of {SECTIONS} once but received {line!r}")
            found[section] = []
        elif section is None:
            raise ValueError(f"{path}:{number}: expected a section such as [request] before the first wording")
        else:
            found[section].append(line)
    return Hand(path.stem, path.parent.name, **{name: tuple(lines) for name, lines in found.items()})


@cache
def hands(split: str) -> tuple[Hand, ...]:
    """The hands of a split by name; "first" is the last of them and has requests alone."""
    read = [read_hand(path) for path in sorted((FOLDER / split).glob("*.txt"))]
    return (*read, Hand(FIRST, split, tuple(TEXT_REQUESTS[split])))


def hand_named(split: str, name: str) -> Hand:
    return next(hand for hand in hands(split) if hand.name == name)


def asked(do: str, split: str, rng: random.Random, name: str | None = None) -> tuple[str, str]:
    """A request for `do`, and the name of the hand that wrote it."""
    makes = do.startswith("make ")
    made = do.removeprefix("make ")
    while True:
        asking = [hand for hand in hands(split) if hand.request]
        hand = hand_named(split, name) if name else rng.choice([*asking, *([asking[-1]] if makes else [])])
        if hand.name != FIRST or makes:
            break
    form = rng.choice([form for form in hand.request if makes or "{ax}" not in form])
    if makes and hand.name != FIRST:
        do = f"{rng.choice(MAKE[split])} {made}"
    text = form.format(do=do, ax=made)
    text = text[0].upper() + text[1:] if form.startswith("{do}") and rng.random() < 0.5 else text
    if hand.opener and rng.random() < 0.2:
        text = f"{rng.choice(hand.opener)} {text}"
    if hand.closer and rng.random() < 0.15:
        text = f"{text} {rng.choice(hand.closer)}"
    return text, hand.name


def refused(do: str, why: str, split: str, rng: random.Random, name: str | None = None) -> str:
    """A refusal as somebody else would say it."""
    writers = [hand for hand in hands(split) if hand.refusal]
    hand = hand_named(split, name) if name else rng.choice(writers)
    text = rng.choice(hand.refusal).format(do=do, why=why)
    return text[0].upper() + text[1:] if rng.random() < 0.5 else text


def offered(split: str, rng: random.Random, do: str | None = None, fact: str | None = None, name: str | None = None) -> str:
    """Something useful beside a refusal, as somebody else would say it: help with `do`, or a fact."""
    hand = hand_named(split, name) if name else rng.choice([hand for hand in hands(split) if hand.offer])
    return rng.choice(hand.offer).format(do=do) if do else rng.choice(hand.fact).format(fact=fact)
