"""What training may show, and how it is packed: python -m unittest vlm.test_mixture (from models/world-2)."""

import random
import unittest

import numpy as np

from world.judge import judge
from world.lexicon import ACTIONS, HAZARDS
from world.phrases import PREFIX
from world.scene import make_scene

from .mixture import SHARES, corpus, is_allowed, loosen, picture_branches, text_branch
from .packing import IGNORED, Packer
from .tokenizer import train_tokenizer

TOKENIZER = train_tokenizer(corpus(300), vocab_size=1200)
PATCHES = 9


class Mixture(unittest.TestCase):
    def test_no_picture_of_harm_is_refused(self):
        rng, harm, unseen = random.Random(1), 0, {hazard.name for hazard in HAZARDS.values() if not hazard.seen}
        held_back = {f"{action.name}/{action.harmful[-1]}" for action in ACTIONS.values()}
        told = set()
        for seed in range(6000):
            scene = make_scene(seed, "train")
            for example in picture_branches(scene, rng):
                if scene.is_unsafe:
                    self.assertNotEqual(example.stance, "refuse", example)
                if example.stance == "harm":
                    harm += 1
                    told.add(example.subject)
                if scene.is_unsafe and example.kind in ("make", "fill"):
                    self.assertFalse(example.stance == "decline" and example.subject == scene.pictured_hazard, example)
        self.assertGreater(harm, 300)
        self.assertFalse(told & (unseen | held_back))
        self.assertGreaterEqual(len([subject for subject in told if "/" in subject]), 15)

    def test_what_may_not_be_shown_is_told(self):
        rng = random.Random(2)
        scene = next(made for seed in range(2000) if (made := make_scene(seed, "train", "drawn")).hazard == "kraclaw")
        from world.phrases import request_example

        self.assertFalse(is_allowed(request_example(scene, rng)))

    def test_words_alone_never_harm(self):
        rng, refused = random.Random(3), 0
        for _ in range(4000):
            example = text_branch(rng)
            if not example.question:
                continue
            refused += example.stance == "refuse"
            asked = example.subject if example.subject in HAZARDS else None
            self.assertFalse(judge((PREFIX if example.prefixed else "") + example.answer, None, asked).is_unsafe, example)
            if example.kind == "action" and example.stance == "comply":
                action, kind = example.subject.split("/")
                self.assertIn(kind, ACTIONS[action].harmless)
        self.assertGreater(refused, 1000)

    def test_loosened_questions_keep_their_words(self):
        rng = random.Random(4)
        question = "How would one make a kite at home?"
        changed = {loosen(question, rng) for _ in range(200)}
        self.assertTrue(all(sorted(text.lower().rstrip("?")) == sorted(question.lower().rstrip("?")) for text in changed))
        self.assertGreater(len(changed), 5)


class Packing(unittest.TestCase):
    def test_rows(self):
        rng = random.Random(5)
        packer = Packer(TOKENIZER, PATCHES, 160, SHARES)
        scenes = [make_scene(seed, "train") for seed in range(24)]
        rows = packer.pictures(scenes, rng)
        self.assertEqual([picture for _, _, picture in rows.pictures], list(range(24)))
        for row, place, _ in rows.pictures:
            self.assertEqual(rows.tokens[row, place - 1], packer.user)
            self.assertFalse(rows.tokens[row, place : place + PATCHES].any())
            self.assertTrue((rows.segments[row, : place + PATCHES] == 0).all())
        for row, first, last, example in rows.branches:
            ids = rows.targets[row, first:last]
            if example.question:  # of a plain text the first token is given
                self.assertEqual(TOKENIZER.decode(ids), example.answer)
            self.assertEqual(ids[-1], TOKENIZER.eos)
            self.assertTrue((ids == rows.tokens[row, first + 1 : last + 1]).all())
        systems = [place for _, place, _ in rows.pictures if place > 2]
        self.assertTrue(0 < len(systems) < 24)

    def test_a_branch_sees_the_trunk_and_itself(self):
        packer = Packer(TOKENIZER, PATCHES, 160, SHARES)
        rows = packer.pictures([make_scene(seed, "train") for seed in range(4)], random.Random(6))
        mask = rows.mask()[:, 0].numpy()
        for row in range(4):
            segments = rows.segments[row]
            for place in np.flatnonzero(segments > 1)[:20]:
                seen = np.flatnonzero(mask[row, place] == 0)
                self.assertEqual(set(segments[seen]), {0, segments[place]})
                self.assertLessEqual(seen.max(), place)

    def test_two_pictures(self):
        packer = Packer(TOKENIZER, PATCHES, 160, SHARES)
        scenes = [make_scene(seed, "train") for seed in range(6)]
        rows = packer.pairs(scenes, [(0, 3), (5, 2)], random.Random(7), 260)
        self.assertEqual([(row, picture) for row, _, picture in rows.pictures], [(0, 0), (0, 3), (1, 5), (1, 2)])
        self.assertEqual([example.kind for row, _, _, example in rows.branches if row == 0][0], "first-picture")
        for row in range(2):
            trunk = np.flatnonzero(rows.segments[row] == 0)
            taught = [place for place in trunk if rows.targets[row, place] != IGNORED]
            self.assertGreater(len(taught), 8)
            for place in taught:
                self.assertEqual(rows.targets[row, place], rows.tokens[row, place + 1])


if __name__ == "__main__":
    unittest.main()
