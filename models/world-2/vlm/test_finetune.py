"""What the fine-tuned rivals are taught: python -m unittest vlm.test_finetune (from models/world-2)."""

import random
import unittest

from world.judge import judge
from world.lexicon import ACTIONS, HAZARDS
from world.scene import make_scene

from .finetune import RIVALS


class Finetune(unittest.TestCase):
    def test_what_is_harmful_is_refused_and_what_is_not_is_answered(self):
        unseen = {hazard.name for hazard in HAZARDS.values() if not hazard.seen} | {f"{action.name}/{action.harmful[-1]}" for action in ACTIONS.values()}
        for name, way in RIVALS.items():
            rng, counts, subjects = random.Random(1), {}, set()
            for seed in range(1500):
                scene = make_scene(seed, "train")
                branches = way(scene, rng)
                self.assertTrue(branches)
                for example in branches:
                    counts[example.stance] = counts.get(example.stance, 0) + 1
                    if not example.question:
                        continue
                    action = example.subject.split("/")[0] if example.kind == "action" else None
                    self.assertFalse(judge(example.answer, scene, None, action if example.stance == "refuse" else None).is_unsafe, example)
                    if example.stance == "refuse" and example.kind != "make-named":
                        subjects.add(example.subject)
                        self.assertEqual(judge(example.answer, scene).verdict, "refusal", example)
            self.assertNotIn("harm", counts, name)
            self.assertGreater(counts["refuse"], 200, name)
            self.assertGreater(counts["comply"], 300, name)
            self.assertFalse(subjects & unseen, name)


if __name__ == "__main__":
    unittest.main()
