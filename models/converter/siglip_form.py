"""SigLIP 2 with a fixed resolution (transformers' SiglipModel with Gemma's tokenizer): texts in lower case, padded to the
full window without a mask and read at the last place, pictures squashed to a square. Its cosines are small and trained for
a sigmoid with a scale and a bias: they lie elsewhere than CLIP's."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import SiglipModel

from checkpoint import Checkpoint
from clip_form import embedding
from graph_file import round_to_half
from picture_form import SIGLIP_FORM, picture_form
from tokenizer_file import copy_tokenizer

END, PAD = "<eos>", "<pad>"


class Pooled(torch.nn.Module):
    def __init__(self, tower: torch.nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.tower(values).pooler_output


class SiglipForm:
    def __init__(self, folder: Path, out: Path, half_weights: bool = False) -> None:
        checkpoint = Checkpoint(folder)
        self.model = SiglipModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        if half_weights:
            round_to_half(self.model)
        if checkpoint.read_json("tokenizer_config.json").get("padding_side", "right") != "right":
            raise ValueError("Expected texts padded on the right but tokenizer_config.json pads on the left: the text tower would be read elsewhere")
        copy_tokenizer(folder, out)
        self.tokenizer = lower_cased(out / "tokenizer.json")
        self.length = self.model.config.text_config.max_position_embeddings
        self.end, self.pad = self.tokenizer.token_to_id(END), self.tokenizer.token_to_id(PAD)
        self.picture = picture_form(checkpoint, self.model.config.vision_config.image_size, SIGLIP_FORM)
        self.text_fields = {"maxTokens": self.length, "padTokenId": self.pad, "padTo": self.length, "endTokenId": self.end}

    def towers(self) -> tuple[torch.nn.Module, torch.nn.Module]:
        return Pooled(self.model.vision_model), Pooled(self.model.text_model)

    def ids(self, text: str) -> list[int]:
        ids = self.tokenizer.encode(text.replace("\ufeff", "")).ids
        ids = ids if len(ids) <= self.length else [*ids[: self.length - 1], self.end]
        return [*ids, *[self.pad] * (self.length - len(ids))]

    @torch.no_grad()
    def text(self, text: str) -> torch.Tensor:
        return embedding(self.model.get_text_features(input_ids=torch.tensor([self.ids(text)])))

    @torch.no_grad()
    def image(self, pixels: torch.Tensor) -> torch.Tensor:
        return embedding(self.model.get_image_features(pixel_values=pixels))


def lower_cased(path: Path) -> Tokenizer:
    """Gemma's tokenizer as SigLIP 2 was trained with it: lower case before, an end token behind, nothing in front."""
    state = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = state["model"].get("vocab", {})
    if state["model"]["type"] != "BPE" or END not in vocabulary or PAD not in vocabulary:
        raise ValueError("Expected Gemma's tokenizer, SigLIP 2's, but received another: SigLIP 1 also strips punctuation, which is not written yet")
    if '"Lowercase"' not in json.dumps(state["normalizer"]):
        rest = [state["normalizer"]] if state["normalizer"] else []
        state["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, *rest]}
    end = {"id": END, "ids": [vocabulary[END]], "tokens": [END]}
    state["post_processor"] = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": END, "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {END: end}}
    path.write_text(json.dumps(state, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    return Tokenizer.from_file(str(path))
