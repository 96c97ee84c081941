"""MobileCLIP as open_clip saves it (open_clip_config.json and open_clip_model.safetensors): a FastViT from timm over pictures
that are scaled and not normalised, CLIP's tokens padded with zeros to the full window. Needs requirements-mobileclip.txt."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from graph_file import round_to_half
from tokenizer_file import CLIP_END, clip_ids, clip_tokenizer, copy_tokenizer, read_merges, save_tokenizer


class Vision(torch.nn.Module):
    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.model.encode_image(pixel_values)


class Text(torch.nn.Module):
    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.model.encode_text(input_ids)


class MobileClipForm:
    def __init__(self, folder: Path, out: Path, half_weights: bool = False) -> None:
        try:
            import open_clip
        except ImportError as error:
            wanted = Path(__file__).with_name("requirements-mobileclip.txt")
            raise ValueError(f"Expected the package open_clip_torch for a checkpoint of open_clip but it is not installed: pip install -r {wanted}") from error
        settings = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
        self.model = open_clip.create_model(f"local-dir:{folder}", precision="fp32").eval()
        if half_weights:
            round_to_half(self.model)
        if (folder / "tokenizer.json").is_file():
            self.tokenizer = copy_tokenizer(folder, out)
        else:
            self.tokenizer = published_tokenizer(Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz")
            save_tokenizer(self.tokenizer, out / "tokenizer.json")
        self.length, self.end = settings["model_cfg"]["text_cfg"]["context_length"], self.tokenizer.token_to_id(CLIP_END)
        pictures = settings.get("preprocess_cfg", {})
        if pictures.get("resize_mode", "shortest") != "shortest":
            raise ValueError(f"Expected resize_mode shortest but received {pictures['resize_mode']}")
        self.picture = {"imageSize": settings["model_cfg"]["vision_cfg"]["image_size"], "resample": pictures.get("interpolation", "bilinear"),
                        "crop": "center-rounded", "mean": pictures.get("mean", [0.0] * 3), "std": pictures.get("std", [1.0] * 3)}
        self.text_fields = {"maxTokens": self.length, "padTokenId": 0, "padTo": self.length, "endTokenId": self.end}

    def towers(self) -> tuple[torch.nn.Module, torch.nn.Module]:
        return Vision(self.model), Text(self.model)

    @torch.no_grad()
    def text(self, text: str) -> torch.Tensor:
        ids = clip_ids(self.tokenizer, text, self.length)
        return self.model.encode_text(torch.tensor([[*ids, *[0] * (self.length - len(ids))]]))[0]

    @torch.no_grad()
    def image(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model.encode_image(pixels)[0]


def published_tokenizer(merges: Path) -> Tokenizer:
    import gzip

    return clip_tokenizer(read_merges(gzip.decompress(merges.read_bytes()).decode("utf-8")))
