"""Dense labels: for every patch, what is drawn there. Auxiliary heads, dropped at export.

Letters are what reading is built of: told the words of the titles alone, a tower of this size reads two of three after 3,500
steps, and one in two in a font that it was not trained on.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from world.render import COLOUR_LABELS, KIND_LABELS, LETTERS, WORD_LABELS

HEADS = {"kind": len(KIND_LABELS), "colour": len(COLOUR_LABELS), "word": len(WORD_LABELS), "cell": 10, "count": 5}
LETTER_WEIGHT = 0.3


def with_counts(labels: np.ndarray) -> np.ndarray:
    """Puts the fifth label before the letters' bytes: how many things of its kind the picture holds, 0 on the background."""
    kind, cell = labels[:, 0], labels[:, 3]
    counts = np.zeros_like(kind)
    for row in range(len(labels)):
        for value in np.unique(kind[row]):
            if value:
                own = kind[row] == value
                counts[row, own] = min(4, len(np.unique(cell[row, own])))
    return np.concatenate([labels[:, :4], counts[:, None], labels[:, 4:]], 1)


def letters_of(bytes_: Tensor) -> Tensor:
    """[B, 4, patches] bytes as [B, patches, LETTERS] zeros and ones."""
    bits = bytes_[:, :, :, None] >> torch.arange(8)
    return (bits & 1).permute(0, 2, 1, 3).flatten(2)[:, :, : len(LETTERS)].float()


class DenseHeads(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in HEADS.items()})
        self.letters = nn.Linear(width, len(LETTERS))
        nn.init.constant_(self.letters.bias, -4.0)

    def forward(self, features: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Features [B, patches, width], labels [B, 9, patches]: the loss, and the accuracy on patches
        that hold something; of letters, the share of them that is found. Empty patches count a fifth."""
        x = self.norm(features.float())
        loss = features.new_zeros((), dtype=torch.float32)
        accuracy = {}
        for row, (name, head) in enumerate(self.heads.items()):
            target = labels[:, row].reshape(-1)
            logits = head(x).reshape(-1, HEADS[name]).float()
            busy = target > 0
            each = F.cross_entropy(logits, target, reduction="none")
            loss = loss + (each * torch.where(busy, 1.0, 0.2)).sum() / (busy.sum() + 0.2 * (~busy).sum())
            with torch.no_grad():
                accuracy[name] = (logits.argmax(-1)[busy] == target[busy]).float().mean().item()
        wanted = letters_of(labels[:, len(HEADS) :])
        logits = self.letters(x).float()
        weight = torch.where(wanted.sum(-1) > 0, 1.0, 0.2)
        each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(-1)
        loss = loss + LETTER_WEIGHT * (each * weight).sum() / weight.sum()
        with torch.no_grad():
            accuracy["letters"] = ((logits > 0).float() * wanted).sum().item() / max(1.0, wanted.sum().item())
        return loss, accuracy
