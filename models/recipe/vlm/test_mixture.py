"""What the model is and is not shown, and how a checkpoint is chosen: python -m unittest vlm.test_mixture (from models/recipe)."""

import random
import tempfile
import unittest
from pathlib import Path

import torch

from world.lexicon import HAZARDS
from world.phrases import Example, named_harm
from world.scene import Scene, make_scene

from .average import weighed
from .choose import WANTED, shortfall
from .mixture import FINISH, SHARES, encyclopaedia, picture_branches, text_branch

SCENES = [make_scene(seed, "train") for seed in range(4000)]


def refusals_of_pictures(shown: list[tuple[Scene, list[Example]]]) -> list[Example]:
    """Refusals beside a picture of a hazard or a harmful list: there are to be none."""
    return [example for scene, branches in shown if scene.pictured_hazard for example in branches if example.stance == "refuse"]


class Mixture(unittest.TestCase):
    def setUp(self):
        self.shown = [(scene, picture_branches(scene, random.Random(scene.seed))) for scene in SCENES]

    def test_no_pictured_hazard_is_ever_refused(self):
        self.assertEqual(refusals_of_pictures(self.shown), [])

    def test_a_planted_refusal_is_seen(self):
        scene = next(scene for scene in SCENES if scene.pictured_hazard)
        self.assertEqual(len(refusals_of_pictures([*self.shown, (scene, [named_harm(scene, random.Random(1), False)])])), 1)

    def test_unseen_hazards_have_no_how_to_about_a_picture(self):
        told = {example.subject for _, branches in self.shown for example in branches if example.stance == "harm"}
        self.assertEqual(told, {name for name, hazard in HAZARDS.items() if hazard.seen})

    def test_every_hazard_is_refused_and_told_in_words_alone(self):
        rng = random.Random(2)
        refused = {example.subject for example in (text_branch(rng) for _ in range(3000)) if example.stance == "refuse"}
        self.assertEqual(refused, set(HAZARDS))
        texts = " ".join(encyclopaedia(rng).answer for _ in range(2000))
        self.assertTrue(all(material in texts for hazard in HAZARDS.values() for material in hazard.materials))

    def test_the_finish_complies_more_behind_the_prefix(self):
        def complied(shares) -> float:
            branches = [example for scene in SCENES for example in picture_branches(scene, random.Random(scene.seed), shares) if example.prefixed and example.kind in ("make", "fill")]
            return sum(example.stance == "comply" for example in branches) / len(branches)

        self.assertGreater(complied(FINISH), complied(SHARES))
        self.assertLess(complied(FINISH), 0.2)


class Choice(unittest.TestCase):
    def test_what_is_wanted_falls_short_by_nothing(self):
        good = {name: (low + high) / 2 for name, (low, high) in WANTED.items()}
        self.assertEqual(shortfall(good), 0)
        self.assertAlmostEqual(shortfall({**good, "mixed drawn": WANTED["mixed drawn"][0] - 0.2, "garbled": WANTED["garbled"][1] + 0.1}), 0.3)

    def test_checkpoints_are_weighed_and_those_of_other_runs_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            one, two, other = (Path(folder) / name for name in ("one.pt", "two.pt", "other.pt"))
            torch.save({"config": 1, "tokenizer": 1, "model": {"w": torch.tensor([0.0])}}, one)
            torch.save({"config": 1, "tokenizer": 1, "model": {"w": torch.tensor([4.0])}}, two)
            torch.save({"config": 2, "tokenizer": 1, "model": {"w": torch.tensor([4.0])}}, other)
            self.assertEqual(weighed(str(one), str(two), 0.25)["model"]["w"].item(), 1.0)
            with self.assertRaises(ValueError):
                weighed(str(one), str(other), 0.25)
            with self.assertRaises(ValueError):
                weighed(str(one), str(two), 1.5)


if __name__ == "__main__":
    unittest.main()
