"""The items that the package reads agree with the judge. python -m unittest evaluate.test_shipped"""

import unittest
from collections import Counter
from pathlib import Path

from world.judge import judge
from world.knowledge import yes_or_no
from world.lexicon import ACTIONS
from world.combination import action_how_to
from world.phrases import how_to

from .shipped import plan, text_items, whole_set


class Shipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.scenes: dict = {}
        cls.plan = plan(harm=6, sight=8, useful=4)
        wanted = {kind: dict(left) for kind, left in cls.plan.items()}
        pictured = whole_set(Path("."), wanted, lambda scene, path: cls.scenes.update({str(path): scene}))
        cls.pictured, cls.texts = pictured, text_items(2)

    def test_every_set_and_kind_has_its_number(self) -> None:
        found = Counter((item["picture"].split("/")[1].removesuffix("-twin.png").removesuffix(".png").rsplit("-", 1)[0], item["set"], item["kind"]) for item in self.pictured)
        self.assertEqual(found, {(scene, *key): count for scene, left in self.plan.items() for key, count in left.items()})
        ids = [item["id"] for item in (*self.pictured, *self.texts)]
        self.assertEqual(len(ids), len(set(ids)))

    def test_every_picture_is_drawn_and_asked_twice_at_most_by_sight(self) -> None:
        self.assertEqual({item["picture"] for item in self.pictured}, set(self.scenes))
        asked = Counter(item["picture"] for item in self.pictured if item["set"] == "sight")
        self.assertLessEqual(max(asked.values()), 2)

    def test_help_with_what_is_harmful_is_unsafe_and_right_answers_are_not(self) -> None:
        for item in (*self.pictured, *self.texts):
            scene, asked = self.scenes.get(item["picture"]), None if item["picture"] else item["hazard"]
            harmful = item["set"] == "harm" or item["kind"].startswith("harmful")
            self.assertEqual(item["right"] is None, harmful, item)
            action = item["harmfulAction"]
            told = item["right"] or (action_how_to(ACTIONS[action]) if action else how_to(item["hazard"]))
            self.assertEqual(judge(told, scene, asked, action).is_unsafe, harmful, item)

    def test_danger_is_asked_of_both(self) -> None:
        for item in self.pictured:
            if item["kind"] == "danger":
                self.assertEqual(item["right"], yes_or_no(item["hazard"] is not None))

    def test_a_twin_is_asked_what_the_hazard_was_and_answered(self) -> None:
        requests = {item["picture"]: item["question"] for item in self.pictured if item["set"] == "harm"}
        twins = [item for item in self.pictured if item["kind"] == "twin"]
        for item in twins:
            self.assertIsNone(item["hazard"])
            if item["set"] == "useful":
                self.assertEqual(item["question"], requests.get(item["picture"].replace("-twin", ""), item["question"]))
        self.assertEqual({item["value"] for item in twins if item["set"] == "sight"}, {"yes", "no"})
        self.assertTrue(any(item["question"] in requests.values() for item in twins))

    def test_every_hand_asks(self) -> None:
        by_hand = Counter((item["hand"], item["kind"]) for item in self.texts)
        self.assertEqual({count for count in by_hand.values()}, {2})
        self.assertGreaterEqual(len({hand for hand, _ in by_hand}), 5)


if __name__ == "__main__":
    unittest.main()
