"""Dense labels: for every patch, what is drawn there. Auxiliary heads, dropped at export."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from world.render import COLOUR_LABELS, KIND_LABELS, WORD_LABELS

HEADS = {"kind": len(KIND_LABELS), "colour": len(COLOUR_LABELS), "word": len(WORD_LABELS), "cell": 10, "count": 5}


def with_counts(labels: np.ndarray) -> np.ndarray:
    """Adds the fifth label: how many things of its kind the picture holds, 0 on the background."""
    kind, cell = labels[:, 0], labels[:, 3]
    counts = np.zeros_like(kind)
    for row in range(len(labels)):
        for value in np.unique(kind[row]):
            if value:
                own = kind[row] == value
                counts[row, own] = min(4, len(np.unique(cell[row, own])))
    return np.concatenate([labels, counts[:, None]], 1)


class DenseHeads(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in HEADS.items()})

    def forward(self, features: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Features [B, patches, width], labels [B, 5, patches]: the loss, and the accuracy on patches
        that hold something. Empty patches count a fifth."""
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
        return loss, accuracy
