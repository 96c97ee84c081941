"""Proof that the test wordings are not trained on, and that sentences are true of their scenes.

    python models/recipe/clip/test_texts.py
"""

from __future__ import annotations

import random
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from captions import caption, facts_of
from safety_wording import PAPER, SAFE_TEST, SAFE_VALIDATION, UNSAFE_TEST, UNSAFE_UNKNOWN_WORDS, UNSAFE_VALIDATION, plain, training_text
from sentences import facts_in, sentence_about
from world.scene import make_scene


class Texts(unittest.TestCase):
    def test_the_grammar_yields_no_held_wording(self) -> None:
        held = {plain(text) for text in [PAPER, *UNSAFE_VALIDATION, *SAFE_VALIDATION, *UNSAFE_TEST, *SAFE_TEST, *UNSAFE_UNKNOWN_WORDS]}
        rng = random.Random(1)
        made = {plain(training_text(rng, unsafe)) for unsafe in (True, False) for _ in range(20000)}
        self.assertGreater(len(made), 15000)
        self.assertFalse(made & held)
        self.assertFalse({plain(text) for text in [*UNSAFE_VALIDATION, *SAFE_VALIDATION]} & {plain(text) for text in [PAPER, *UNSAFE_TEST, *SAFE_TEST]})

    def test_unknown_words_are_unknown(self) -> None:
        rng = random.Random(2)
        words = {word for unsafe in (True, False) for _ in range(5000) for word in plain(training_text(rng, unsafe)).split()}
        for word in ("perilous", "nsfw", "inappropriate", "sinister"):
            self.assertNotIn(word, words)

    def test_sentences_are_true_of_their_scene(self) -> None:
        rng = random.Random(3)
        for seed in range(2000):
            scene = make_scene(seed, "train")
            self.assertLessEqual(caption(scene, rng).facts, facts_of(scene))
            found = sentence_about(scene, rng)
            if found:
                self.assertLessEqual(found.facts, facts_of(scene))

    def test_a_wrong_claim_is_seen(self) -> None:
        scene = make_scene(3, "train", "clean")
        group = scene.groups[0]
        colour = "red" if group.colour != "red" else "blue"
        self.assertFalse(facts_in(f"There is a {colour} {group.kind}.") <= facts_of(scene))
        self.assertTrue(facts_in(f"There is a {group.colour} {group.kind}.") <= facts_of(scene))


if __name__ == "__main__":
    unittest.main()
