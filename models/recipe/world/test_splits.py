"""Proof that the splits are disjoint: python -m unittest world.test_splits (from models/recipe)."""

import random
import unittest

from .fonts import FONTS
from .lexicon import LEADS, TITLE_NOUNS, title_split
from .phrases import CAPTION_FORMS, HARMLESS_PROMPTS, QUESTIONS, SAFETY_PROMPTS, sight_examples
from .render import render
from .scene import SPLITS, make_scene, split_of


class Splits(unittest.TestCase):
    def test_scenes(self):
        seen = {split: {make_scene(seed, split).identity for seed in range(3000)} for split in SPLITS}
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
            self.assertFalse(seen[one] & seen[other])
        self.assertTrue(all(split_of(make_scene(seed, "test")) == "test" for seed in range(200)))

    def test_titles(self):
        titles = {split: {(lead, noun) for lead in range(len(LEADS)) for noun in range(len(TITLE_NOUNS)) if title_split(lead, noun) == split} for split in SPLITS}
        self.assertEqual(sum(map(len, titles.values())), len(LEADS) * len(TITLE_NOUNS))
        for split, pairs in titles.items():
            self.assertEqual({noun for _, noun in pairs}, set(range(len(TITLE_NOUNS))), split)

    def test_fonts_phrasings_and_prompts(self):
        families = {split: {name.split("/")[0] for name in names} for split, names in FONTS.items()}
        tables = [families, *QUESTIONS.values(), CAPTION_FORMS, SAFETY_PROMPTS, HARMLESS_PROMPTS]
        for table in tables:
            for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
                self.assertFalse(set(table[one]) & set(table[other]), (set(table[one]) & set(table[other])))

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
