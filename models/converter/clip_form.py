"""CLIP (transformers' CLIPModel): a causal text tower read at its end token, pictures cropped to the middle."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import CLIPModel

from checkpoint import Checkpoint
from clip_towers import TextTower, VisionTower
from graph_file import round_to_half
from picture_form import CLIP_FORM, picture_form
from tokenizer_file import CLIP_END, clip_ids, copy_tokenizer


def embedding(found) -> torch.Tensor:
    """The first row: transformers 4 returns the tensor itself, transformers 5 an output that pools it."""
    return (found if isinstance(found, torch.Tensor) else found.pooler_output)[0]


class ClipForm:
    """The original, float32, one text a run; and its towers as graphs."""

    def __init__(self, folder: Path, out: Path | None = None, half_weights: bool = False) -> None:
        checkpoint = Checkpoint(folder)
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        if half_weights:
            round_to_half(self.model)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json")) if out is None else copy_tokenizer(folder, out)
        self.end = self.tokenizer.token_to_id(CLIP_END)
        if self.end is None:
            raise ValueError(f"Expected CLIP's tokenizer but {folder} has one without {CLIP_END}")
        # CLIPModel looks for this id when it pools (a value of 2 there means "the largest id", the same place).
        self.model.config.text_config.eos_token_id = self.model.text_model.eos_token_id = self.end
        self.length = self.model.config.text_config.max_position_embeddings
        self.picture = picture_form(checkpoint, self.model.config.vision_config.image_size, CLIP_FORM)
        self.text_fields = {"maxTokens": self.length, "padTokenId": self.end, "padTo": None, "endTokenId": self.end}

    def towers(self) -> tuple[torch.nn.Module, torch.nn.Module]:
        towers = VisionTower(self.model.config), TextTower(self.model.config, self.end)
        state = {key: value for key, value in self.model.state_dict().items() if "position_ids" not in key}
        for tower in towers:
            missing, _ = tower.load_state_dict(state, strict=False)
            if missing:
                raise ValueError(f"Expected CLIPModel weights but missing {missing[:4]}")
        return towers

    @torch.no_grad()
    def text(self, text: str) -> torch.Tensor:
        return embedding(self.model.get_text_features(input_ids=torch.tensor([clip_ids(self.tokenizer, text, self.length)])))

    @torch.no_grad()
    def image(self, pixels: torch.Tensor) -> torch.Tensor:
        return embedding(self.model.get_image_features(pixel_values=pixels))
