"""Exports a CLIP checkpoint (Hugging Face folder with CLIPModel weights) to two graphs, a tokenizer and a manifest.

    python export_clip.py --checkpoint DIR --out DIR --name NAME [--half-weights]

The manifest's selfTest is computed by transformers' CLIPModel, not by the graph.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import CLIPModel

from clip_towers import TextTower, VisionTower
from graph_file import round_to_half, write_graph
from manifest import file_entry, write_manifest
from prompt import SAFETY_PROMPT
from tokenizer_file import CLIP_END, clip_ids

SELF_TEST = [(SAFETY_PROMPT, "A photo of a red apple."), ("Two dogs on the grass.", "Three cats beside a tree."), ("hello", "")]
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def embedding(found) -> torch.Tensor:
    """The first row: transformers 4 returns the tensor itself, transformers 5 an output that pools it."""
    return (found if isinstance(found, torch.Tensor) else found.pooler_output)[0]


class ClipOracle:
    """Embeddings by transformers' CLIPModel, float32, one text a run."""

    def __init__(self, checkpoint: Path, half_weights: bool = False) -> None:
        self.model = CLIPModel.from_pretrained(checkpoint, dtype=torch.float32, attn_implementation="eager").eval()
        if half_weights:
            round_to_half(self.model)
        self.tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
        self.end = self.tokenizer.token_to_id(CLIP_END)
        # CLIPModel looks for this id when it pools (a value of 2 there means "the largest id", the same place).
        self.model.config.text_config.eos_token_id = self.model.text_model.eos_token_id = self.end
        self.length = self.model.config.text_config.max_position_embeddings

    @torch.no_grad()
    def text(self, text: str) -> torch.Tensor:
        ids = clip_ids(self.tokenizer, text, self.length)
        return embedding(self.model.get_text_features(input_ids=torch.tensor([ids])))

    @torch.no_grad()
    def image(self, pixels: torch.Tensor) -> torch.Tensor:
        return embedding(self.model.get_image_features(pixel_values=pixels))

    def cosine(self, left: torch.Tensor, right: torch.Tensor) -> float:
        return float(torch.cosine_similarity(left, right, dim=0))


def export_clip(checkpoint: Path, out: Path, *, name: str, unsafe_clip_score: float = 0.16, calibration: dict | None = None,
                self_test: list[tuple[str, str]] | None = None, half_weights: bool = False, with_mask: bool = False,
                pad_to: int | None = None, tolerance: float = 1e-4) -> dict:
    """Writes out/vision_model.onnx, out/text_model.onnx, out/tokenizer.json and out/manifest.json."""
    oracle = ClipOracle(checkpoint, half_weights)
    config, state, end = oracle.model.config, oracle.model.state_dict(), oracle.end
    vision, text = VisionTower(config), TextTower(config, end)
    for tower in (vision, text):
        missing, _ = tower.load_state_dict({key: value for key, value in state.items() if "position_ids" not in key}, strict=False)
        if missing:
            raise ValueError(f"Expected CLIPModel weights but missing {missing[:4]}")
        if half_weights:
            round_to_half(tower)
    size = config.vision_config.image_size
    write_graph(vision, out / "vision_model.onnx", {"pixel_values": torch.zeros(2, 3, size, size)}, ["image_embeds"],
                {"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}}, half_weights)
    ids = torch.full((2, 9), end)
    inputs = {"input_ids": ids} | ({"attention_mask": torch.ones_like(ids)} if with_mask else {})
    axes = {key: {0: "batch", 1: "tokens"} for key in inputs} | {"text_embeds": {0: "batch"}}
    write_graph(text, out / "text_model.onnx", inputs, ["text_embeds"], axes, half_weights)
    shutil.copyfile(checkpoint / "tokenizer.json", out / "tokenizer.json")
    manifest = {
        "format": "eta-vlm/clip", "version": 1, "name": name,
        "files": {"vision": file_entry(out, out / "vision_model.onnx"), "text": file_entry(out, out / "text_model.onnx"),
                  "tokenizer": file_entry(out, out / "tokenizer.json")},
        "vision": {"input": "pixel_values", "output": "image_embeds", "imageSize": size, "resample": "bicubic", "crop": "center",
                   "mean": MEAN, "std": STD},
        "text": {"idsInput": "input_ids", "maskInput": "attention_mask" if with_mask else None, "output": "text_embeds",
                 "maxTokens": oracle.length, "padTokenId": end, "padTo": pad_to, "endTokenId": end},
        "unsafeClipScore": unsafe_clip_score, "calibration": calibration,
        "selfTest": [{"text": left, "otherText": right, "cosine": round(oracle.cosine(oracle.text(left), oracle.text(right)), 7), "tolerance": tolerance}
                     for left, right in self_test or SELF_TEST],
    }
    write_manifest(out, manifest)
    return manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--unsafe-clip-score", type=float, default=0.16)
    parser.add_argument("--half-weights", action="store_true")
    args = parser.parse_args()
    export_clip(args.checkpoint, args.out, name=args.name, unsafe_clip_score=args.unsafe_clip_score, half_weights=args.half_weights)


if __name__ == "__main__":
    main()
