"""How the matrices of a graph are stored: float32, float16, or blocks of 8- or 4-bit integers for MatMulNBits.

A block is 32 neighbours of one row of a matrix [out, in]: value = scale * (integer - zero). 8 bits are symmetric
around 128; 4 bits have a zero of their own in each block. Arithmetic in between stays float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TYPES = ("fp32", "fp16", "int8", "int4")
BLOCK = 32


@dataclass(frozen=True)
class Blocks:
    """`packed` uint8 [out, blocks, BLOCK*bits/8], `scales` float32 [out, blocks], `zeros` uint8 [out, blocks] or None."""

    bits: int
    packed: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray | None


def to_blocks(matrix: np.ndarray, bits: int) -> Blocks:
    rows, width = matrix.shape
    count = -(-width // BLOCK)
    blocks = np.zeros((rows, count * BLOCK), np.float32)
    blocks[:, :width] = matrix
    blocks = blocks.reshape(rows, count, BLOCK)
    if bits == 8:
        scales = np.abs(blocks).max(-1) / 127
        safe = np.where(scales == 0, 1, scales)[..., None]
        return Blocks(8, np.clip(np.rint(blocks / safe) + 128, 1, 255).astype(np.uint8), scales.astype(np.float32), None)
    low, high = np.minimum(blocks.min(-1), 0), np.maximum(blocks.max(-1), 0)
    scales = (high - low) / 15
    safe = np.where(scales == 0, 1, scales)
    zeros = np.clip(np.rint(-low / safe), 0, 15)
    values = np.clip(np.rint(blocks / safe[..., None]) + zeros[..., None], 0, 15).astype(np.uint8)
    return Blocks(4, values[..., 0::2] | values[..., 1::2] << 4, scales.astype(np.float32), zeros.astype(np.uint8))


def from_blocks(blocks: Blocks, width: int) -> np.ndarray:
    if blocks.bits == 8:
        values, zeros = blocks.packed.astype(np.float32), np.float32(128)
    else:
        pairs = np.stack([blocks.packed & 15, blocks.packed >> 4], -1)
        values, zeros = pairs.reshape(*blocks.packed.shape[:2], BLOCK).astype(np.float32), blocks.zeros[..., None].astype(np.float32)
    matrix = (values - zeros) * blocks.scales[..., None]
    return matrix.reshape(matrix.shape[0], -1)[:, :width]


def pack_zeros(zeros: np.ndarray) -> np.ndarray:
    """Two 4-bit zeros a byte, the lower first; rows of an odd count end in an unused half byte."""
    padded = np.pad(zeros, ((0, 0), (0, zeros.shape[1] % 2)))
    return (padded[:, 0::2] | padded[:, 1::2] << 4).astype(np.uint8)


def as_stored(matrix: np.ndarray, kind: str) -> np.ndarray:
    """The matrix [out, in] with the rounding of its storage, as float32."""
    if kind == "fp32":
        return matrix
    if kind == "fp16":
        return matrix.astype(np.float16).astype(np.float32)
    return from_blocks(to_blocks(matrix, 8 if kind == "int8" else 4), matrix.shape[1])
