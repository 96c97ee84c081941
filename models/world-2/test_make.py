"""What is kept between sessions comes back, and nothing is skipped that was not made: python -m unittest test_make"""

import tempfile
import unittest
from pathlib import Path

import make


class Kept(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.before, make.STATE = make.STATE, self.root / "state"
        self.addCleanup(setattr, make, "STATE", self.before)

    def put(self, work: str, name: str, text: str) -> None:
        (self.root / work / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / work / name).write_text(text)

    def test_a_fresh_machine_begins_where_the_last_one_stood(self) -> None:
        self.put("one", "tower.begin.pt", "half")
        make.keep(self.root / "one")
        make.restore(self.root / "two")
        self.assertEqual((self.root / "two" / "tower.begin.pt").read_text(), "half")
        tower = next(command for command in make.commands(self.root / "two") if command.stage == "tower")
        self.assertIn("--begin", tower.words)
        self.assertFalse(tower.made.exists())

    def test_a_finished_stage_takes_the_place_of_its_beginning(self) -> None:
        self.put("one", "tower.begin.pt", "half")
        make.keep(self.root / "one")
        self.put("one", "tower.pt", "whole")
        make.keep(self.root / "one")
        make.restore(self.root / "two")
        self.assertEqual(sorted(path.name for path in (self.root / "two").iterdir()), ["tower.pt"])

    def test_what_is_there_is_not_written_over(self) -> None:
        self.put("one", "tower.pt", "old")
        make.keep(self.root / "one")
        self.put("two", "tower.pt", "new")
        make.restore(self.root / "two")
        self.assertEqual((self.root / "two" / "tower.pt").read_text(), "new")

    def test_folders_are_kept_whole(self) -> None:
        self.put("one", "miniature/clip/manifest.json", "{}")
        self.put("one", "miniature/clip/vision_model.onnx", "weights")
        make.keep(self.root / "one")
        make.restore(self.root / "two")
        done = {command.words[1]: command.is_done for command in make.commands(self.root / "two") if command.stage in ("clip", "reward")}
        self.assertTrue(done["clip/train.py"] and done["clip/export.py"])
        self.assertFalse(done["reward/train.py"])


if __name__ == "__main__":
    unittest.main()
