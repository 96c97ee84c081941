"""A run that was killed sees what it would have seen: python -m unittest test_steps (from models/recipe)."""

import tempfile
import unittest
from pathlib import Path

import torch

from steps import batch_of, falling, load_state, save_whole, step_random
from vlm.fast import Optimiser


class Steps(unittest.TestCase):
    def test_every_row_comes_once_a_round(self):
        rows = [row for step in range(5) for row in batch_of(3, step, 20, 103)]
        self.assertEqual(len(rows), len(set(rows)))
        self.assertNotEqual(rows, [row for step in range(5, 10) for row in batch_of(3, step, 20, 103)])
        self.assertEqual(batch_of(3, 7, 20, 103), batch_of(3, 7, 20, 103))
        self.assertNotEqual(batch_of(3, 7, 20, 103), batch_of(4, 7, 20, 103))
        with self.assertRaises(ValueError):
            batch_of(3, 0, 20, 19)

    def test_random_numbers_belong_to_the_step(self):
        self.assertEqual(step_random(1, 5).random(), step_random(1, 5).random())
        self.assertNotEqual(step_random(1, 5).random(), step_random(1, 6).random())

    def test_the_rate_rises_stays_and_falls(self):
        shares = [falling(step, 1000) for step in range(1000)]
        self.assertLess(shares[0], 0.05)
        self.assertEqual(shares[300], 1.0)
        self.assertAlmostEqual(shares[800], 0.5)
        self.assertEqual(shares[999], 0.03)

    def test_a_killed_run_goes_on_as_if_it_had_not_been(self):
        def trained(stop: int | None) -> torch.Tensor:
            path = Path(folder) / f"{stop}.pt"
            for last in [stop, 12] if stop else [12]:
                torch.manual_seed(1)
                model = torch.nn.ModuleDict({"blocks": torch.nn.ModuleList([torch.nn.Linear(6, 6)]), "rest": torch.nn.Linear(6, 2)})
                optimiser = Optimiser({"all": model}, {"all": 1e-2})
                state, first = load_state(path), 0
                if state:
                    model.load_state_dict(state["model"])
                    optimiser.load_state_dict(state["optimiser"])
                    first = state["step"]
                for step in range(first, last):
                    x = torch.tensor([[step_random(1, step, str(n)).random() for n in range(6)]])
                    loss = model["rest"](model["blocks"][0](x).tanh()).square().sum()
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step(falling(step, 12, 3))
                save_whole({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": last}, path)
            return torch.cat([value.flatten() for value in model.state_dict().values()])

        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(torch.equal(trained(None), trained(5)))


if __name__ == "__main__":
    unittest.main()
