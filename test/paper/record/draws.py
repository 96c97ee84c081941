"""The numbers that candidates are drawn with, from the definitions: each candidate has a generator of its own."""

from __future__ import annotations

import numpy as np

WORD = 0xFFFFFFFF


def candidate_seed(seed: int, round_number: int, index: int) -> int:
    """FNV-1a over the bytes of three 32-bit words, low byte first, then the 32-bit finisher of MurmurHash3."""
    state = 0x811C9DC5
    for byte in b"".join(word.to_bytes(4, "little") for word in (seed, round_number, index)):
        state = ((state ^ byte) * 0x01000193) & WORD
    state = ((state ^ state >> 16) * 0x85EBCA6B) & WORD
    state = ((state ^ state >> 13) * 0xC2B2AE35) & WORD
    return state ^ state >> 16


def generator(seed: int):
    """Numbers in [0, 1) of 53 bits from MT19937 started with one 32-bit word: numpy's RandomState is that generator."""
    return np.random.RandomState(seed).random_sample
