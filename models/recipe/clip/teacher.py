"""An image side without pictures: it embeds the scene's facts.

The text side learns against it first, at a tenth of the cost of a vision tower. Then it shows the vision tower where each
picture belongs, so that the tower learns to see without waiting for the text side to learn to read.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from captions import Fact


class FactsEncoder(nn.Module):
    def __init__(self, vocabulary: list[Fact], width: int = 256, dimensions: int = 128) -> None:
        super().__init__()
        self.rows = {fact: row for row, fact in enumerate(vocabulary)}
        self.embedding = nn.EmbeddingBag(len(vocabulary), width, mode="sum")
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, dimensions))

    def forward(self, facts: list[frozenset[Fact]]) -> Tensor:
        """Embeddings [B, D] of length 1; a fact that is not in the vocabulary is left out."""
        bags = [[self.rows[fact] for fact in sorted(found) if fact in self.rows] for found in facts]
        offsets = torch.tensor([0, *[len(bag) for bag in bags[:-1]]]).cumsum(0)
        found = self.mlp(self.embedding(torch.tensor([row for bag in bags for row in bag]), offsets)).float()
        return found / found.norm(dim=-1, keepdim=True)
