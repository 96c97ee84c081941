"""A Hugging Face folder whose tensors are read one at a time, so that a model need not fit in memory to be converted."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open


class Checkpoint:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "config.json").is_file():
            raise FileNotFoundError(f"Expected a Hugging Face model folder with a config.json but {folder} has none")
        self.config: dict = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._handles: dict[Path, object] = {}
        # Some folders hold the same weights once more under their first names: the index says which files count.
        index = self.read_json("model.safetensors.index.json").get("weight_map")
        whole = folder / "model.safetensors"
        paths = {folder / file for file in index.values()} if index else [whole] if whole.is_file() else folder.glob("*.safetensors")
        self.files = {name: path for path in sorted(paths) for name in self._open(path).keys()}  # noqa: SIM118 (a safetensors file, which cannot be iterated)

    def _open(self, path: Path):
        try:
            return safe_open(str(path), framework="pt")
        except Exception as error:  # the class is the Rust library's own
            raise ValueError(f"Expected safetensors in {path} but it does not open: {error}. Fetch the file again") from error

    def _handle(self, name: str):
        path = self.files[name]
        if path not in self._handles:
            self._handles[path] = self._open(path)
        return self._handles[path]

    def shape(self, name: str) -> list[int]:
        return list(self._handle(name).get_slice(name).get_shape())

    def tensor(self, name: str) -> torch.Tensor:
        return self._handle(name).get_tensor(name).float()

    def read_json(self, name: str) -> dict:
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
