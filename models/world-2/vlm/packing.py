"""Rows of several branches over one trunk, under a tree mask: each branch sees the trunk and itself.

A picture row is <s>[<|system|>text]<|user|>, the picture's embeddings, then branches "question <|assistant|> answer </s>"; what
was said before stands in the branch: "question <|assistant|> answer </s><|user|> question <|assistant|> answer </s>". A row of
two pictures is a conversation about one and then the other, with questions about either behind it. A text row's trunk is
<s> alone, and its branches begin with <|user|> or <|system|> (plain texts begin at once).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from world.phrases import PREFIX, Example, description, sight_examples
from world.questions import QUESTIONS, SYSTEMS
from world.scene import Scene

from .mixture import SHARES, Shares, loosen, picture_branches, text_branch
from .tokenizer import Tokenizer

IGNORED = -100


@dataclass
class Rows:
    """Token ids [n, T] (0 at pictures' places), segments [n, T] (0 the trunk, -1 padding), positions, targets [n, T]
    (IGNORED where there is no loss); `branches`: (row, first, last, example) of each; `pictures`: (row, place, picture) of each."""

    tokens: np.ndarray
    segments: np.ndarray
    positions: np.ndarray
    targets: np.ndarray
    branches: list[tuple[int, int, int, Example]] = field(default_factory=list)
    pictures: list[tuple[int, int, int]] = field(default_factory=list)

    @staticmethod
    def empty(count: int, length: int) -> "Rows":
        shape = (count, length)
        return Rows(np.zeros(shape, np.int64), np.full(shape, -1, np.int64), np.zeros(shape, np.int64), np.full(shape, IGNORED, np.int64))

    def mask(self) -> torch.Tensor:
        segments = torch.from_numpy(self.segments)
        same = (segments[:, None, :] == segments[:, :, None]) | (segments[:, None, :] == 0)
        causal = torch.ones(segments.shape[1], segments.shape[1], dtype=torch.bool).tril()
        return torch.where(same & causal, 0.0, -1e4)[:, None]


class Packer:
    def __init__(self, tokenizer: Tokenizer, patches: int, length: int, shares: Shares = SHARES, branches: Callable[..., list[Example]] = picture_branches):
        """`branches`: what is asked about a scene."""
        self.tokenizer, self.patches, self.length, self.shares, self.branches = tokenizer, patches, length, shares, branches
        self.prefix = tokenizer.encode(PREFIX)
        self.system, self.user, self.assistant = (tokenizer.id(f"<|{role}|>") for role in ("system", "user", "assistant"))

    def _turn(self, question: str, answer: str) -> list[int]:
        return [*self.tokenizer.encode(question), self.assistant, *self.tokenizer.encode(answer), self.tokenizer.eos]

    def _branch(self, example: Example, opened: bool, rng: random.Random | None, system: str = "") -> tuple[list[int], int]:
        """Ids, and how many of them are input only. `opened`: the user's turn has begun in the trunk."""
        if not example.question:
            return [*self.tokenizer.encode(example.answer), self.tokenizer.eos], 0
        head = [] if opened else [*([self.system, *self.tokenizer.encode(system)] if system else []), self.user]
        for question, answer in example.history:
            head += [*self._turn(question, answer), self.user]
        question = loosen(example.question, rng) if rng else example.question
        head += [*self.tokenizer.encode(question), self.assistant]
        if example.prefixed:
            head += self.prefix
        return [*head, *self.tokenizer.encode(example.answer), self.tokenizer.eos], len(head)

    def _fill(self, rows: Rows, row: int, trunk: list[int | tuple[int]], branches: list[tuple[list[int], int, Example]], taught: list[tuple[int, list[int]]] = ()) -> None:
        """Writes a row: the trunk, in which (n,) stands for picture n, then the branches that find room. `taught`: places of the trunk
        from which tokens are targets."""
        place = 0
        for item in trunk:
            if isinstance(item, tuple):
                rows.pictures.append((row, place, item[0]))
                place += self.patches
            else:
                rows.tokens[row, place] = item
                place += 1
        rows.segments[row, :place] = 0
        rows.positions[row, :place] = np.arange(place)
        for first, ids in taught:
            rows.targets[row, first - 1 : first - 1 + len(ids)] = ids
        start = place
        for number, (ids, given, example) in enumerate(branches, 1):
            end = place + len(ids)
            if end > rows.tokens.shape[1]:
                continue
            rows.tokens[row, place:end] = ids
            rows.segments[row, place:end] = number
            rows.positions[row, place:end] = start + np.arange(len(ids))
            first = max(given, 1)
            rows.targets[row, place + first - 1 : end - 1] = ids[first:]
            rows.branches.append((row, place + first - 1, end - 1, example))
            place = end

    def pictures(self, scenes: list[Scene], rng: random.Random) -> Rows:
        rows = Rows.empty(len(scenes), self.length)
        for row, scene in enumerate(scenes):
            system = rng.choice(SYSTEMS[scene.split]) if rng.random() < 0.25 else ""
            trunk = [self.tokenizer.bos, *([self.system, *self.tokenizer.encode(system)] if system else []), self.user, (row,)]
            self._fill(rows, row, trunk, [(*self._branch(example, True, rng), example) for example in self.branches(scene, rng, self.shares)])
        return rows

    def pairs(self, scenes: list[Scene], couples: list[tuple[int, int]], rng: random.Random, length: int) -> Rows:
        """Conversations about two pictures of the batch each."""
        rows = Rows.empty(len(couples), length)
        for row, (one, other) in enumerate(couples):
            first, second = scenes[one], scenes[other]
            asked = [rng.choice(sight_examples(scene, rng)) for scene in (first, second)]
            trunk: list = [self.tokenizer.bos]
            taught, places = [], 1
            for picture, example in ((one, asked[0]), (other, asked[1])):
                question, answer = [*self.tokenizer.encode(example.question), self.assistant], [*self.tokenizer.encode(example.answer), self.tokenizer.eos]
                trunk += [self.user, (picture,), *question, *answer]
                places += 1 + self.patches + len(question)
                taught.append((places, answer))
                places += len(answer)
            back = Example("first-picture", "answer", rng.choice(QUESTIONS["first-picture"][first.split]), description(first))
            branches = [back, *(example for example in self.branches(second, rng, self.shares) if example.question)]
            branches = [*branches[:1], *(replace(example, history=()) for example in branches[1:])]
            self._fill(rows, row, trunk, [(*self._branch(example, False, rng), example) for example in branches], taught)
        return rows

    def texts(self, count: int, rng: random.Random, split: str = "train") -> Rows:
        rows = Rows.empty(count, self.length)
        for row in range(count):
            branches = []
            for _ in range(18):
                example = text_branch(rng, split)
                system = rng.choice(SYSTEMS[split]) if rng.random() < 0.2 else ""
                branches.append((*self._branch(example, False, rng, system), example))
            self._fill(rows, row, [self.tokenizer.bos], branches)
        return rows
