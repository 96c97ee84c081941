"""Storage of weights: python -m unittest test_weights (from models/converter)."""

import unittest

import numpy as np

from rotary import frequencies
from weights import BLOCK, as_stored, from_blocks, pack_zeros, to_blocks


class Weights(unittest.TestCase):
    def setUp(self) -> None:
        self.matrix = np.random.default_rng(3).normal(0, 0.02, (5, 3 * BLOCK + 7)).astype(np.float32)

    def test_a_rounded_value_is_within_half_a_step(self) -> None:
        for kind, steps in (("int8", 254), ("int4", 15)):
            error = np.abs(as_stored(self.matrix, kind) - self.matrix)
            span = np.abs(self.matrix).max() * 2
            self.assertLess(error.max(), span / steps, kind)  # a zero that is rounded costs the second half
            self.assertGreater(error.max(), 0, kind)
        self.assertLess(np.abs(as_stored(self.matrix, "fp16") - self.matrix).max(), 1e-4)
        np.testing.assert_array_equal(as_stored(self.matrix, "fp32"), self.matrix)

    def test_zeros_stay_zero_and_blocks_without_values_too(self) -> None:
        self.matrix[2] = 0
        self.matrix[:, 5] = 0
        for kind in ("int8", "int4"):
            stored = as_stored(self.matrix, kind)
            self.assertFalse(stored[2].any(), kind)
            self.assertFalse(stored[:, 5].any(), kind)

    def test_a_width_that_is_no_multiple_of_a_block(self) -> None:
        blocks = to_blocks(self.matrix, 4)
        self.assertEqual(blocks.packed.shape, (5, 4, BLOCK // 2))
        self.assertEqual(from_blocks(blocks, self.matrix.shape[1]).shape, self.matrix.shape)

    def test_zeros_are_packed_two_a_byte_the_lower_first(self) -> None:
        self.assertEqual(pack_zeros(np.array([[1, 2, 3]], np.uint8)).tolist(), [[0x21, 0x03]])


class Rotary(unittest.TestCase):
    def test_plain_and_slowed_waves(self) -> None:
        plain = frequencies({"rope_theta": 500000.0}, 64)
        self.assertEqual(plain[0], 1)
        scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
        slowed = frequencies({"rope_theta": 500000.0, "rope_scaling": scaling}, 64)
        np.testing.assert_array_equal(slowed[:8], plain[:8])
        np.testing.assert_allclose(slowed[-4:], plain[-4:] / 8, rtol=1e-6)

    def test_another_scaling_is_refused_by_name(self) -> None:
        with self.assertRaisesRegex(ValueError, "yarn"):
            frequencies({"rope_scaling": {"rope_type": "yarn"}}, 64)


if __name__ == "__main__":
    unittest.main()
