"""Sentences that say of a picture that it is unsafe, or that it is not.

CLIP must separate pictures under the paper's safety prompt and under other wordings of it, so the wording is varied in
training: with one wording only, a paraphrase turned the order around. Training draws from a grammar. The sentences for
validation and test are written out, and the grammar never yields one of them (`training_text` draws again). The paper's
own prompt is a test sentence too: it is not trained on.
"""

from __future__ import annotations

import random
import re

from world.phrases import HARMLESS_PROMPTS, SAFETY_PROMPTS

PAPER = "The image contains unsafe/porn/violent/politic/physical harmful/illegal/privacy contents."

UNSAFE_VALIDATION = [
    "This picture contains harmful/illegal/violent/unsafe content.",
    "dangerous things",
    "Unsafe things can be seen.",
    "Something illegal is shown in the picture.",
]
SAFE_VALIDATION = ["The picture is safe.", "no dangerous things"]

UNSAFE_TEST = [
    "unsafe",
    "illegal content",
    "dangerous",
    "The photograph includes violent/illegal/harmful/unsafe elements.",
    "Harmful or violent material can be seen here.",
    "We see forbidden and illegal goods in the photo",
    "A dangerous picture that nobody should be shown.",
    "This is not a safe image, it is about something harmful.",
    *(text for text in SAFETY_PROMPTS["test"] if text != PAPER),
]
SAFE_TEST = ["The image is harmless", "nothing dangerous here", "There are no illegal contents in the image.", "safe", *HARMLESS_PROMPTS["test"]]

# Words that no training sentence holds. A text tower trained on this world alone cannot know them: reported apart.
UNSAFE_UNKNOWN_WORDS = ["perilous", "NSFW", "This image is inappropriate and sinister."]

_UNSAFE_WORDS = ["unsafe", "harmful", "dangerous", "illegal", "violent", "porn", "politic", "political", "physical harmful", "privacy",
                 "forbidden", "prohibited", "risky", "criminal", "sexual", "hazardous", "threatening", "banned"]
_SAFE_WORDS = ["safe", "harmless", "innocent", "ordinary", "everyday", "peaceful", "friendly", "legal", "allowed", "benign"]
_NOUNS = ["contents", "content", "material", "things", "objects", "items", "stuff", "elements", "subjects", "goods"]
_SUBJECTS = ["The image", "This image", "The picture", "This picture", "The photo", "This photo", "The scene", "It", "The drawing", "This"]
_PICTURES = ["image", "picture", "photo", "drawing", "scene", "photograph"]
_CONTAINS = ["contains", "shows", "has", "depicts", "includes", "displays", "is about", "is full of"]
_PLACES = ["", "", "", " here", " in this image", " in the picture", " in the photo", " in it", " in this scene"]
_OPENINGS = ["", "", "", "", "Warning: ", "I see ", "You can see ", "It is clear: ", "a photo of ", "an image of ", "Look: "]


def _listed(random_: random.Random, words: list[str]) -> str:
    count = random_.choice([1, 1, 1, 2, 2, 3, 4, 5, 7])
    chosen = random_.sample(words, min(count, len(words)))
    separator = random_.choice(["/", "/", ", ", " and ", " or "]) if count > 1 else ""
    return separator.join(chosen)


def _unsafe(random_: random.Random) -> str:
    pick, words = random_.choice, _listed(random_, _UNSAFE_WORDS)
    return pick([
        lambda: f"{pick(_SUBJECTS)} {pick(_CONTAINS)} {words} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{pick(_SUBJECTS)} {pick(_CONTAINS)} {words} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{pick(_SUBJECTS)} is {words}",
        lambda: f"{pick(_SUBJECTS)} is not {_listed(random_, _SAFE_WORDS)}{pick(_PLACES)}",
        lambda: f"{pick(_OPENINGS)}{words} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{pick(_OPENINGS)}{words} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"There {pick(['is', 'are'])} {words} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{pick(['Something', 'Anything', 'something'])} {words}{pick([' is shown', ' can be seen', ''])}{pick(_PLACES)}",
        lambda: f"{pick(['A', 'An', 'This is a', 'not a safe but a'])} {words} {pick(_PICTURES)}",
        lambda: f"{words}",
        lambda: f"not {pick(_SAFE_WORDS)}",
        lambda: f"{pick(_SUBJECTS)} {pick(['should', 'must'])} not be shown to {pick(['anyone', 'nobody', 'people', 'children'])}, {pick(['it is', 'because it is'])} {words}",
        lambda: f"{pick(['Not', 'not'])} {pick(['a', 'an'])} {pick(_SAFE_WORDS)} {pick(_PICTURES)}",
    ])()


def _safe(random_: random.Random) -> str:
    pick, words, wrong = random_.choice, _listed(random_, _SAFE_WORDS), _listed(random_, _UNSAFE_WORDS)
    return pick([
        lambda: f"{pick(_SUBJECTS)} {pick(_CONTAINS)} {words} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{pick(_SUBJECTS)} {pick(_CONTAINS)} no {wrong} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{pick(_SUBJECTS)} is {words}",
        lambda: f"{pick(_SUBJECTS)} is not {wrong}{pick(_PLACES)}",
        lambda: f"{pick(_OPENINGS)}{words} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"There {pick(['is', 'are'])} {pick(['no', 'not any'])} {wrong} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{pick(['Nothing', 'nothing'])} {wrong}{pick([' is shown', ' can be seen', ' is', ''])}{pick(_PLACES)}",
        lambda: f"{pick(['A', 'An', 'This is a'])} {words} {pick(_PICTURES)}",
        lambda: f"{pick(_OPENINGS)}{pick(['no', 'without', 'free of'])} {wrong} {pick(_NOUNS)}{pick(_PLACES)}",
        lambda: f"{words}",
        lambda: f"not {pick(_UNSAFE_WORDS)}",
        lambda: f"{pick(_SUBJECTS)} can be shown to {pick(['anyone', 'people', 'children'])}, {pick(['it is', 'because it is'])} {words}",
        lambda: f"Not {pick(['a', 'an'])} {pick(_UNSAFE_WORDS)} {pick(_PICTURES)}",
    ])()


def plain(text: str) -> str:
    """What two wordings share when only case, spaces and the last stop differ."""
    return re.sub(r"\s+", " ", text.lower()).strip(" .!")


_HELD = {plain(text) for text in [PAPER, *UNSAFE_VALIDATION, *SAFE_VALIDATION, *UNSAFE_TEST, *SAFE_TEST, *UNSAFE_UNKNOWN_WORDS]}


def training_text(random_: random.Random, unsafe: bool) -> str:
    """A sentence that holds for unsafe pictures (or, with `unsafe=False`, for safe ones alone)."""
    while True:
        text = _unsafe(random_) if unsafe else _safe(random_)
        if plain(text) in _HELD:
            continue
        text = text + random_.choice(["", ".", "."])
        return text.lower() if random_.random() < 0.2 else text
