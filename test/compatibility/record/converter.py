"""llama.cpp's own converters, run on a folder in Hugging Face's form."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
from pathlib import Path

import torch


def convert(llama: Path, folder: Path, target: Path, pre_tokenizer: str | None, options: list[str]) -> None:
    """
    convert_hf_to_gguf.py. It knows a byte-level vocabulary by a hash of what it makes of one text; tiny vocabularies
    have other hashes, so `pre_tokenizer` answers in its place what the original's hash would.
    """
    if str(llama) not in sys.path:
        sys.path[:0] = [str(llama / "gguf-py"), str(llama)]
    from conversion.base import TextModel

    original = TextModel.get_vocab_base_pre
    if pre_tokenizer is not None:
        TextModel.get_vocab_base_pre = lambda self, tokenizer: pre_tokenizer
    arguments = [str(folder), "--outtype", "f32", "--outfile", str(target), *options]
    try:
        run(llama / "convert_hf_to_gguf.py", arguments)
    finally:
        TextModel.get_vocab_base_pre = original


def convert_clip_tower(llama: Path, model: torch.nn.Module, work: Path, target: Path, config: dict) -> None:
    """
    The legacy converter of LLaVA's CLIP tower and projector (convert_hf_to_gguf.py knows no CLIP tower). `config` goes
    into the tower's config.json. The script is older than transformers 5, whose CLIPVisionModel lost its inner
    `vision_model`: a wrapper gives that back.
    """
    import transformers

    class Tower(torch.nn.Module):
        def __init__(self, vision_model: torch.nn.Module) -> None:
            super().__init__()
            self.vision_model = vision_model

        @classmethod
        def from_pretrained(cls, folder: str) -> Tower:
            return cls(original.from_pretrained(folder))

    original = transformers.CLIPVisionModel
    tower = work / "vit"
    shutil.rmtree(tower, ignore_errors=True)
    model.model.vision_tower.save_pretrained(tower)
    path = tower / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
    names = {"image_newline": "model.image_newline"}
    projector = {
        names.get(name, name.removeprefix("model.")): value.clone()
        for name, value in model.model.state_dict().items()
        if name.startswith("multi_modal_projector") or name == "image_newline"
    }
    torch.save(projector, tower / "llava.projector")
    arguments = ["-m", str(tower), "--llava-projector", str(tower / "llava.projector"), "--output-dir", str(tower)]
    transformers.CLIPVisionModel = Tower
    try:
        sys.path[:0] = [str(llama / "gguf-py")]
        run(
            llama / "tools" / "mtmd" / "legacy-models" / "convert_image_encoder_to_gguf.py",
            [*arguments, "--clip-model-is-vision", "--use-f32"],
        )
    finally:
        transformers.CLIPVisionModel = original
    shutil.move(tower / "mmproj-model-f32.gguf", target)


def run(script: Path, arguments: list[str]) -> None:
    """A script as its own program, in this process."""
    before, out = sys.argv, sys.stdout
    with open(os.devnull, "w") as nowhere:
        sys.argv, sys.stdout = [str(script), *arguments], nowhere
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"{script.name}: {end.__context__ or end.code}") from end
        finally:
            sys.argv, sys.stdout = before, out
