"""Exports a CLIP, SigLIP 2 or MobileCLIP checkpoint to two graphs, a tokenizer and a manifest; `convert.py` is the command.

The manifest's self-test is computed by the original classes on the weights as they are stored. Scores of different
checkpoints lie on different scales and thresholds do not transfer, so none is written unless it was calibrated.
"""

from __future__ import annotations

from pathlib import Path

import torch

from checkpoint import Checkpoint
from clip_form import ClipForm
from graph_file import write_graph
from manifest import file_entry, write_manifest
from picture_form import picture_tensor, test_picture
from progress import Progress, silent
from prompt import SAFETY_PROMPT

SELF_TEST = [(SAFETY_PROMPT, "A photo of a red apple."), ("Two dogs on the grass.", "Three cats beside a tree."), ("hello", "")]
TOWER_LIMIT = 1_900_000_000  # a tower is one file, and a protobuf ends at 2 GB
PICTURES = [(SAFETY_PROMPT, (97, 61)), ("A photo of a red apple.", (40, 300))]

ClipOracle = ClipForm


def export_clip(folder: Path, out: Path, *, name: str, unsafe_clip_score: float | None = None, calibration: dict | None = None,
                self_test: list[tuple[str, str]] | None = None, half_weights: bool = False, tolerance: float = 1e-4) -> dict:
    """A CLIPModel; see `export`."""
    return export(ClipForm, folder, out, name=name, unsafe_clip_score=unsafe_clip_score, calibration=calibration, self_test=self_test,
                  weights="fp16" if half_weights else "fp32", tolerance=tolerance)


def export_any(folder: Path, out: Path, *, name: str, weights: str = "fp32", loud: bool = False) -> dict:
    """Whatever of the known forms lies in the folder."""
    return export(form_of(folder), folder, out, name=name, weights=weights, loud=loud)


def form_of(folder: Path):
    if (folder / "open_clip_config.json").is_file():
        from mobileclip_form import MobileClipForm

        return MobileClipForm
    kind = Checkpoint(folder).config.get("model_type")
    if kind == "clip":
        return ClipForm
    if kind == "siglip":
        from siglip_form import SiglipForm

        return SiglipForm
    raise ValueError(f"Expected a model_type of clip or siglip, or an open_clip_config.json, but received {kind}"
                     + (": its pictures keep their shape (NaFlex); take a checkpoint of a fixed resolution" if kind == "siglip2" else ""))


def export(form_class, folder: Path, out: Path, *, name: str, unsafe_clip_score: float | None = None, calibration: dict | None = None,
           self_test: list[tuple[str, str]] | None = None, weights: str = "fp32", tolerance: float = 1e-4,
           loud: bool = False) -> dict:
    """Writes out/vision_model.onnx, out/text_model.onnx, out/tokenizer.json and out/manifest.json."""
    tell, half = (Progress if loud else lambda step: silent), weights == "fp16"
    out.mkdir(parents=True, exist_ok=True)
    tell("reading the checkpoint")
    form = form_class(folder, out, half)
    exact = self_test_of(form_class(folder, out), self_test) if half else None
    tell("tracing the graphs")
    vision, text = form.towers()
    size = form.picture["imageSize"]
    data = write_graph(vision, out / "vision_model.onnx", {"pixel_values": torch.zeros(2, 3, size, size)}, ["image_embeds"],
                       {"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}}, half, external_above=TOWER_LIMIT)
    fixed = form.text_fields["padTo"]
    ids = torch.full((2, fixed or 9), form.text_fields["endTokenId"])
    axes = {"input_ids": {0: "batch"} if fixed else {0: "batch", 1: "tokens"}, "text_embeds": {0: "batch"}}
    data += write_graph(text, out / "text_model.onnx", {"input_ids": ids}, ["text_embeds"], axes, half, external_above=TOWER_LIMIT)
    if data:
        raise ValueError("Expected towers below 1.9 GB but these are larger: pass --weights fp16")
    tell("scoring with the original")
    tests = self_test_of(form, self_test)
    moved = [abs(one["cosine"] - other["cosine"]) for one, other in zip(tests, exact or tests)]
    manifest = {
        "format": "eta-vlm/clip", "version": 1, "name": name,
        "files": {key: file_entry(out, out / file) for key, file in (("vision", "vision_model.onnx"), ("text", "text_model.onnx"), ("tokenizer", "tokenizer.json"))},
        "vision": {"input": "pixel_values", "output": "image_embeds"} | form.picture,
        "text": {"idsInput": "input_ids", "maskInput": None, "output": "text_embeds"} | form.text_fields,
        "unsafeClipScore": unsafe_clip_score, "calibration": calibration,
        "precision": {"weights": weights, "largestDifference": round(max(moved), 7), "meanDifference": round(sum(moved) / len(moved), 7)},
        "selfTest": [test | {"tolerance": tolerance} for test in tests],
    }
    write_manifest(out, manifest)
    return manifest


def self_test_of(form, texts: list[tuple[str, str]] | None) -> list[dict]:
    """Cosines of pairs of texts, and of texts and pictures drawn by formula."""
    def cosine(left: torch.Tensor, right: torch.Tensor) -> float:
        return round(float(torch.cosine_similarity(left, right, dim=0)), 7)

    found = [{"text": left, "otherText": right, "cosine": cosine(form.text(left), form.text(right))} for left, right in texts or SELF_TEST]
    for text, (width, height) in PICTURES:
        pixels = picture_tensor(test_picture(width, height), form.picture)
        found.append({"text": text, "picture": {"width": width, "height": height}, "cosine": cosine(form.text(text), form.image(pixels))})
    return found
