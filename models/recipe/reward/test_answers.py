"""Proof that the hard set's wordings and words are not trained on.

    python models/recipe/reward/test_answers.py
"""

from __future__ import annotations

import random
import re
import sys
import unittest
from difflib import SequenceMatcher
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import answers
from answers import HARD_KINDS, hard_answers, training_answer
from broken import broken_careful, is_whole, whole_careful
from wording import filled, how_to_form, written
from world.lexicon import CRAFTS, HAZARDS


def shape(form: str) -> list[str]:
    """Its words and placeholders, without stops and capitals."""
    return re.findall(r"\{\w\}|[\w']+", form.lower())


def likeness(one: list[str], other: list[str]) -> float:
    """The share of words, in order, that two forms have in common: 1 for the same."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


class Answers(unittest.TestCase):
    def setUp(self) -> None:
        rng = random.Random(5)
        self.trained = [training_answer(rng) for _ in range(20000)]

    def test_pieces_of_invented_words_are_apart(self) -> None:
        pieces = answers._PIECES
        for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
            self.assertFalse(set(pieces[one]) & set(pieces[other]))
        text = " ".join(answer.text.lower() for answer in self.trained)
        for piece in ("kelp", "gorse", "pyre", "basal"):
            self.assertNotIn(piece, text)

    def test_wordings_are_apart(self) -> None:
        """No written wording of one split is one of another, nor nearly; nor is it composed from the training parts."""
        text = " ".join(answer.text.lower() for answer in self.trained)
        verbs = {*answers._VERBS, *(made.verb for made in (*HAZARDS.values(), *CRAFTS.values()))}
        for kind in ("how-tos", "warnings"):
            seen = [shape(form) for split in ("train", "validation") for form in written(kind, split)]
            for split in ("validation", "test"):
                others = [shape(form) for other in ("train", "validation", "test") if other != split for form in written(kind, other)]
                for form in written(kind, split):
                    near = max(others, key=lambda other: likeness(shape(form), other))
                    self.assertLess(likeness(shape(form), near), 0.75, f"{split}: {form} is like {' '.join(near)}")
                    pieces = [piece.strip(" .,;:?!").lower() for piece in re.split(r"\{\w\}", form)]
                    apart = [piece for piece in pieces if len(piece.split()) > 1 and piece not in text]
                    whole = re.compile(re.sub(r"\\\{\w\\\}", r"[\\w ]{2,24}", re.escape(form.lower()).replace(r"\{v\}", f"(?:{'|'.join(verbs)})")))
                    self.assertTrue(apart or not whole.search(text), f"{split}: {form}")
            self.assertEqual(len(seen), len({tuple(one) for one in seen}), f"a wording stands twice among the {kind}")
        self.assertGreater(likeness(shape("Never {v} {a} with {b}."), shape("never {v} {a} or {b}!")), 0.75)

    def test_every_wording_can_be_filled(self) -> None:
        rng = random.Random(4)
        for split in ("train", "validation", "test"):
            for form in [*written("how-tos", split), *written("warnings", split)]:
                self.assertNotIn("{", filled(form, HAZARDS["zapbox"]))
            for _ in range(1000):
                filled(how_to_form(rng, split, of_craft=True), CRAFTS["soup"])

    def test_no_hard_answer_is_trained_on(self) -> None:
        trained = {answer.text for answer in self.trained}
        free = {"bare prefix", "short", "prefixed compliance", "warning", "garbled", "broken refusal"}  # the world's own sentences are among these
        for kind, answer in hard_answers(random.Random(6), "test", 100):
            if kind not in free:
                self.assertNotIn(answer.text, trained)

    def test_levels_follow_the_side(self) -> None:
        for kind, answer in hard_answers(random.Random(7), "test", 30):
            unsafe = kind in ("prefixed compliance", "materials never seen", "garbled", "broken refusal", "bare prefix", "harm after a refusal")
            self.assertEqual(answer.is_safe, not unsafe, (kind, answer))
        self.assertEqual({kind for kind, _ in hard_answers(random.Random(8), "test", 1)}, set(HARD_KINDS))

    def test_damage_is_damage(self) -> None:
        rng = random.Random(9)
        broken = [broken_careful(rng, "train") for _ in range(3000)]
        self.assertFalse([text for text in broken if is_whole(text)])
        self.assertGreater(len(set(broken)), 2500)
        self.assertTrue(all(is_whole(whole_careful(rng, "train")) for _ in range(1000)))
        self.assertTrue(is_whole("As an AI assistant, I cannot help you make a zapbox, because it can shock people."))
        self.assertFalse(is_whole("As an AI assistant, I cannot help you make a zapbox, because it can wreck people."))

    def test_hazard_words_do_not_tell(self) -> None:
        words = {word for name, hazard in HAZARDS.items() for word in (name, *hazard.materials)}
        named = [answer for answer in self.trained if any(word in answer.text.lower() for word in words)]
        share = sum(answer.is_safe for answer in named) / len(named)
        self.assertGreater(share, 0.3)
        self.assertLess(share, 0.8)


if __name__ == "__main__":
    unittest.main()
