"""Proof that the splits are disjoint, and that twins are twins: python -m unittest world.test_splits (from models/world-2)."""

import random
import re
import unittest

import numpy as np

from .drawing import sprite
from .fonts import FONTS
from .hands import FIRST, MAKE, asked, hands, offered, refused
from .lexicon import COLOUR_NAMES, LEADS, TITLE_NOUNS, TWINS, title_split
from .pages import LARGEST, SMALLEST, page_style
from .phrases import CAPTION_FORMS, HARMLESS_PROMPTS, SAFETY_PROMPTS, sight_examples, text_example
from .questions import FORMS, QUESTIONS, SYSTEMS
from .render import LETTERS, WORD_LABELS, render
from .scene import SPLITS, make_scene, split_of, twinned
from .scene import LARGEST as LARGEST_THING
from .scene import SMALLEST as SMALLEST_THING

PAIRS = (("train", "validation"), ("train", "test"), ("validation", "test"))


def plain(text: str) -> str:
    """Without capitals and punctuation."""
    return " ".join(re.findall(r"[a-z0-9{}]+", text.lower()))


def shared(table: dict) -> set[str]:
    """The wordings that two splits have in common."""
    words = {split: {plain(text) for text in texts} for split, texts in table.items()}
    return {text for one, other in PAIRS for text in words[one] & words[other]}


def wordings(split: str, section: str) -> list[str]:
    """As they read of something that is made, so that the first world's are comparable."""
    return [text.replace("{do}", "make {ax}") for hand in hands(split) for text in getattr(hand, section)]


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
        for table in [families, *QUESTIONS.values(), *FORMS.values(), SYSTEMS, CAPTION_FORMS, SAFETY_PROMPTS, HARMLESS_PROMPTS]:
            self.assertEqual(shared(table), set())

    def test_hands(self):
        names = {split: {hand.name for hand in hands(split)} - {FIRST} for split in SPLITS}
        self.assertGreaterEqual(len(names["train"]), 8)
        self.assertGreaterEqual(len(names["validation"]), 3)
        self.assertGreaterEqual(len(names["test"]), 4)
        for one, other in PAIRS:
            self.assertFalse(names[one] & names[other])
        for section in ("request", "refusal", "offer", "fact", "opener", "closer"):
            table = {split: wordings(split, section) for split in SPLITS}
            self.assertEqual(shared(table), set(), section)
            self.assertFalse(set(MAKE["train"][6:]) & {*MAKE["validation"], *MAKE["test"]})
            planted = {**table, "train": [*table["train"], table["test"][3].upper().rstrip("?.!") + "!"]}
            self.assertEqual(len(shared(planted)), 1, section)
        for split in SPLITS:
            for hand in hands(split):
                own = [plain(text) for text in hand.request]
                self.assertEqual(len(own), len(set(own)), hand.name)
                self.assertTrue(all(len(re.findall("{ax}" if hand.name == FIRST else "{ax}|{do}", text)) == 1 for text in hand.request), hand.name)
                self.assertTrue(all(text.count("{why}") == 1 for text in hand.refusal), hand.name)
                self.assertTrue(all(text.count("{do}") == 1 for text in hand.offer) and all(text.count("{fact}") == 1 for text in hand.fact), hand.name)

    def test_the_words_of_hands_can_be_filled(self):
        rng = random.Random(1)
        for split in SPLITS:
            for _ in range(200):
                self.assertNotIn("{", asked("soak this in the tub", split, rng)[0])
                self.assertNotIn("{", refused("make a zapbox", "it can shock people", split, rng))
                self.assertNotIn("{", offered(split, rng, do="make some soup") + offered(split, rng, fact="the cup is red"))

    def test_questions_asked_about_test_scenes(self):
        asked_ = {split: {e.question for s in range(800) for e in sight_examples(make_scene(s, split), random.Random(s))} for split in SPLITS}
        self.assertFalse(asked_["train"] & asked_["test"])
        self.assertFalse(asked_["train"] & asked_["validation"])
        texts = {split: {plain(text_example(random.Random(number), split, number % 2 == 0).question) for number in range(4000)} for split in SPLITS}
        self.assertEqual(shared(texts), set())


class Pictures(unittest.TestCase):
    def test_pictures_are_reproducible(self):
        for seed in range(8):
            one, two = render(make_scene(seed, "test")), render(make_scene(seed, "test"))
            self.assertEqual(one[0].tobytes(), two[0].tobytes())
            self.assertNotEqual(one[0].tobytes(), render(make_scene(seed + 1, "test"))[0].tobytes())

    def test_a_twin_differs_where_it_stands_alone(self):
        for seed in range(40):
            scene = make_scene(seed, "test", "drawn")
            spot = scene.hazard_spot
            one, other = (np.asarray(render(made)[0], int) for made in (scene, twinned(scene)))
            rows, columns = np.nonzero(np.abs(one - other).max(-1) > 40)  # JPEG carries a little further
            self.assertGreater(len(rows), 10, seed)
            self.assertLessEqual(max(np.abs(rows - spot.y).max(), np.abs(columns - spot.x).max()), spot.size / 2 + 9, seed)

    def test_letters_stand_where_their_words_do_and_spell_the_title(self):
        found, inside, ink = set(), [], []
        for seed in range(120):
            scene = make_scene(seed, "test", "list")
            style = page_style(scene)
            picture, labels = render(scene)
            has = labels.letters > 0
            inside.append(np.mean((labels.word[has] > 0) & (labels.word[has] < len(WORD_LABELS) - 1)))
            grey = np.asarray(picture.convert("L"), int).reshape(14, 16, 14, 16).swapaxes(1, 2).reshape(196, 256)
            ink.append(np.ptp(grey[has], axis=1).mean() / style.contrast)
            said = {LETTERS[place] for place in range(len(LETTERS)) if np.any(labels.letters >> np.uint32(place) & 1)}
            written = {"#" if letter.isdigit() else letter for letter in (scene.lead + style.noun).lower() if letter.isalnum()}
            self.assertLessEqual(said, written, seed)
            self.assertGreaterEqual(len(said), len(written) - 2, seed)  # one that lies on the corner of four patches is in none
            found |= {style.slant < 0, style.slant > 0}
        self.assertEqual(found, {True, False})
        self.assertGreater(np.mean(inside), 0.97)
        self.assertGreater(np.mean(ink), 0.8)

    def test_nothing_is_spelt_where_there_is_no_page(self):
        self.assertFalse(render(make_scene(1, "test", "drawn"))[1].letters.any())

    def test_twins_cover_about_as_much(self):
        for hazard, twin in TWINS.items():
            one, other = (np.asarray(sprite(kind, COLOUR_NAMES[0]))[..., 3].mean() for kind in (hazard, twin))
            self.assertLess(max(one, other) / min(one, other), 1.8, (hazard, twin))

    def test_sizes(self):
        scenes = [make_scene(seed, "train") for seed in range(3000)]
        hazards = [scene.hazard_spot.size for scene in scenes if scene.hazard]
        things = [spot.size for scene in scenes for group in scene.groups for spot in group.spots]
        for sizes in (hazards, things):
            self.assertGreaterEqual(min(sizes), SMALLEST_THING - 1)
            self.assertLessEqual(max(sizes), LARGEST_THING + 1)
        alone = [scene.groups[0].spots[0].size for scene in scenes if scene.single]
        dangerous = [scene.hazard_spot.size for scene in scenes if scene.hazard and not scene.groups]
        self.assertAlmostEqual(np.mean(alone) / np.mean(dangerous), 1, delta=0.1)
        heights = [page_style(scene).height for scene in scenes if scene.lead]
        self.assertEqual((min(heights), max(heights)), (SMALLEST, LARGEST))


if __name__ == "__main__":
    unittest.main()
