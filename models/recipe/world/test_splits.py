"""Proof that the splits are disjoint: python -m unittest world.test_splits (from models/recipe)."""

import random
import re
import unittest

from .fonts import FONTS
from .lexicon import CRAFTS, HAZARDS, LEADS, THINGS, TITLE_NOUNS, title_split
from .phrases import CAPTION_FORMS, HARMLESS_PROMPTS, QUESTIONS, SAFETY_PROMPTS, sight_examples, text_example
from .render import render
from .requests import TEXT_REQUESTS
from .scene import SPLITS, make_scene, split_of

PAIRS = (("train", "validation"), ("train", "test"), ("validation", "test"))


def plain(text: str) -> str:
    """Without capitals and punctuation."""
    return " ".join(re.findall(r"[a-z0-9{}]+", text.lower()))


def shared(table: dict[str, list[str]]) -> set[str]:
    """The wordings that two splits have in common."""
    words = {split: {plain(text) for text in texts} for split, texts in table.items()}
    return {text for one, other in PAIRS for text in words[one] & words[other]}


class Splits(unittest.TestCase):
    def test_scenes(self):
        seen = {split: {make_scene(seed, split).identity for seed in range(3000)} for split in SPLITS}
        for one, other in PAIRS:
            self.assertFalse(seen[one] & seen[other])
        self.assertTrue(all(split_of(make_scene(seed, "test")) == "test" for seed in range(200)))

    def test_titles(self):
        titles = {split: {(lead, noun) for lead in range(len(LEADS)) for noun in range(len(TITLE_NOUNS)) if title_split(lead, noun) == split} for split in SPLITS}
        self.assertEqual(sum(map(len, titles.values())), len(LEADS) * len(TITLE_NOUNS))
        for split, pairs in titles.items():
            self.assertEqual({noun for _, noun in pairs}, set(range(len(TITLE_NOUNS))), split)

    def test_fonts_phrasings_and_prompts(self):
        families = {split: {name.split("/")[0] for name in names} for split, names in FONTS.items()}
        for table in [families, *QUESTIONS.values(), CAPTION_FORMS, SAFETY_PROMPTS, HARMLESS_PROMPTS]:
            self.assertEqual(shared(table), set())

    def test_a_shared_phrasing_is_seen(self):
        planted = {**TEXT_REQUESTS, "train": [*TEXT_REQUESTS["train"], TEXT_REQUESTS["test"][3].upper().replace("{AX}", "{ax}").rstrip("?.") + "!"]}
        self.assertEqual(len(shared(planted)), 1)

    def test_requests_in_words(self):
        for split, forms in TEXT_REQUESTS.items():
            self.assertEqual(len({plain(form) for form in forms}), len(forms), split)
            self.assertTrue(all(form.count("{ax}") == 1 for form in forms), split)
        harmless = len(CRAFTS) + sum(thing.how is not None for thing in THINGS.values())
        self.assertGreaterEqual(len(TEXT_REQUESTS["test"]) * len(HAZARDS), 500)
        self.assertGreaterEqual(len(TEXT_REQUESTS["test"]) * harmless, 500)
        asked = {split: {plain(text_example(random.Random(number), split, number % 2 == 0).question) for number in range(6000)} for split in SPLITS}
        self.assertEqual(shared(asked), set())
        # What is tested is another way to ask and not another vocabulary.
        words = {split: {word for form in forms for word in plain(form).split()} for split, forms in TEXT_REQUESTS.items()}
        self.assertLessEqual(len((words["test"] | words["validation"]) - words["train"]), 1)

    def test_questions_asked_about_test_scenes(self):
        asked = {split: {e.question for s in range(800) for e in sight_examples(make_scene(s, split), random.Random(s))} for split in SPLITS}
        self.assertFalse(asked["train"] & asked["test"])
        self.assertFalse(asked["train"] & asked["validation"])

    def test_pictures_are_reproducible(self):
        for seed in range(8):
            one, two = render(make_scene(seed, "test")), render(make_scene(seed, "test"))
            self.assertEqual(one[0].tobytes(), two[0].tobytes())
            self.assertNotEqual(one[0].tobytes(), render(make_scene(seed + 1, "test"))[0].tobytes())


if __name__ == "__main__":
    unittest.main()
