"""Letters survive their way from the drawing through a chunk's bytes to the head. python -m unittest vlm.test_dense"""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from world.render import LETTERS, render
from world.scene import make_scene

from .dense import DenseHeads, letters_of
from .pictures import Pictures, render_chunk
from .tower import to_tensors


class Letters(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as folder:
            render_chunk(Path(folder), "validation", 0, 24)
            cls.pixels, cls.labels = Pictures(Path(folder), "validation").batch(range(24))

    def test_the_bytes_are_the_letters(self) -> None:
        _, labels = to_tensors(self.pixels, self.labels)
        read = letters_of(labels[:, 5:])
        pages = 0
        for index in range(24):
            scene = make_scene(index, "validation")
            pages += bool(scene.lead)
            bits = render(scene)[1].letters[:, None] >> np.arange(len(LETTERS), dtype=np.uint32) & 1
            self.assertTrue(np.array_equal(read[index].numpy(), bits), index)
        self.assertGreater(pages, 4)

    def test_the_head_learns_them_and_finds_none_at_first(self) -> None:
        torch.manual_seed(0)
        heads = DenseHeads(128)
        features = torch.randn(24, 196, 128)
        _, labels = to_tensors(self.pixels, self.labels)
        wanted = letters_of(labels[:, 5:])
        features[:, :, : wanted.shape[-1]] += 4 * wanted
        optimiser = torch.optim.Adam(heads.parameters(), lr=0.02)
        self.assertEqual(heads(features, labels)[1]["letters"], 0)
        for _ in range(60):
            loss, found = heads(features, labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        self.assertGreater(found["letters"], 0.8)


if __name__ == "__main__":
    unittest.main()
