"""Rows of several branches over one trunk, under a tree mask: each branch sees the trunk and itself.

A picture row is <s><|user|>, the picture's embeddings, then branches "question <|assistant|> answer </s>".
A text row's trunk is <s> alone, and its branches begin with <|user|> (plain texts begin at once).
"""

import random
from dataclasses import dataclass

import numpy as np
import torch

from world.phrases import PREFIX, Example
from world.scene import Scene

from .mixture import SHARES, Shares, loosen, picture_branches, text_branch
from .tokenizer import Tokenizer

IGNORED = -100


@dataclass
class Rows:
    """Token ids [n, T] (0 at the picture's places), segments [n, T] (0 the trunk, -1 padding), positions,
    targets [n, T] (IGNORED where there is no loss); `branches`: (row, first, last, example) of each."""

    tokens: np.ndarray
    segments: np.ndarray
    positions: np.ndarray
    targets: np.ndarray
    branches: list[tuple[int, int, int, Example]]

    def mask(self) -> torch.Tensor:
        segments = torch.from_numpy(self.segments)
        same = (segments[:, None, :] == segments[:, :, None]) | (segments[:, None, :] == 0)
        causal = torch.ones(segments.shape[1], segments.shape[1], dtype=torch.bool).tril()
        return torch.where(same & causal, 0.0, -1e4)[:, None]


class Packer:
    def __init__(self, tokenizer: Tokenizer, patches: int, length: int, shares: Shares = SHARES):
        self.tokenizer, self.patches, self.length, self.shares = tokenizer, patches, length, shares
        self.prefix = tokenizer.encode(PREFIX)
        self.user, self.assistant = tokenizer.id("<|user|>"), tokenizer.id("<|assistant|>")

    def _branch(self, example: Example, in_picture: bool, rng: random.Random | None) -> tuple[list[int], int]:
        """Ids, and how many of them are input only."""
        if not example.question:
            return [*self.tokenizer.encode(example.answer), self.tokenizer.eos], 0
        question = loosen(example.question, rng) if rng else example.question
        head = ([] if in_picture else [self.user]) + self.tokenizer.encode(question) + [self.assistant]
        if example.prefixed:
            head += self.prefix
        return [*head, *self.tokenizer.encode(example.answer), self.tokenizer.eos], len(head)

    def pack(self, rows: list[list[Example]], in_picture: bool, rng: random.Random | None) -> Rows:
        shape = (len(rows), self.length)
        tokens, positions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        segments, targets = np.full(shape, -1, np.int64), np.full(shape, IGNORED, np.int64)
        branches = []
        trunk = 2 + self.patches if in_picture else 1
        for row, examples in enumerate(rows):
            tokens[row, 0] = self.tokenizer.bos
            if in_picture:
                tokens[row, 1] = self.user
            segments[row, :trunk] = 0
            positions[row, :trunk] = np.arange(trunk)
            place = trunk
            for number, example in enumerate(examples, 1):
                ids, given = self._branch(example, in_picture, rng)
                if place + len(ids) > self.length:
                    continue
                end = place + len(ids)
                tokens[row, place:end] = ids
                segments[row, place:end] = number
                positions[row, place:end] = trunk + np.arange(len(ids))
                first = max(given, 1)
                targets[row, place + first - 1 : end - 1] = ids[first:]
                branches.append((row, place + first - 1, end - 1, example))
                place = end
        return Rows(tokens, segments, positions, targets, branches)

    def pictures(self, scenes: list[Scene], rng: random.Random) -> Rows:
        return self.pack([picture_branches(scene, rng, self.shares) for scene in scenes], True, rng)

    def texts(self, count: int, rng: random.Random) -> Rows:
        return self.pack([[text_branch(rng) for _ in range(14)] for _ in range(count)], False, rng)
