"""A tiny model of an original class, and what is special about it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

# Greedy choices closer than this could fall the other way by rounding alone: such seeds are passed over. Text differs by
# 1e-5, a picture that needs no resizing by 1e-3 (F16 tables of GELU and pixels), a resized one by what it differs.
MARGINS = {"text": 0.002, "exact": 0.02, "wide": 0.005, "both": 0.02}


@dataclass
class Subject:
    name: str
    title: str
    # Writes a model of the original class with its processor (or tokenizer) into the folder.
    make: Callable[[Path, int], tuple[torch.nn.Module, object]]
    # What the original's chat template writes for a picture; llama-mtmd-cli's marker takes its place.
    mark: str
    exact_size: tuple[int, int] = (56, 56)
    wide_size: tuple[int, int] = (120, 50)
    # Pixels as the tower gets them, a list of [3, height, width], from what the processor returns.
    pixels: Callable[[dict], list[np.ndarray]] = lambda inputs: list(inputs["pixel_values"].numpy())
    pre_tokenizer: str | None = None
    convert_projector: Callable[[Path, torch.nn.Module, Path, Path], None] | None = None
    language: Callable[[torch.nn.Module], torch.nn.Module] = lambda model: model.model.language_model
    # Text tokens inside a picture that libmtmd keeps as rows of the projector's file.
    row_tokens: list[str] = field(default_factory=list)
    seeds: range = range(1, 60)
    # Smallest margins of greedy choices that are asked for, by kind of case.
    margins: dict[str, float] = field(default_factory=lambda: MARGINS)
    # More options of convert_hf_to_gguf.py for the language model.
    converter_options: list[str] = field(default_factory=list)
    # Another subject whose language model this is, so that the file is kept once.
    language_model_of: str | None = None
    # What libmtmd's prompt needs in its place to be the original's, where the two differ.
    marker: str = "<__media__>"
    # What llama-mtmd-cli needs before the question to write the same prompt (it puts its marker in front itself).
    cli_prefix: str = ""
    cli_extra: list[str] = field(default_factory=list)
