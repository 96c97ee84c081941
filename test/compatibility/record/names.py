"""Weights under the names of the published repositories; transformers 5 saves some towers under shorter ones."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file


def rename(folder: Path, names: dict[str, str]) -> None:
    """Replaces each key, in the order given, wherever a name begins with it."""
    path = folder / "model.safetensors"
    renamed = {}
    for name, value in load_file(path).items():
        for mine, published in names.items():
            if name.startswith(mine) and not name.startswith(published):
                name = published + name.removeprefix(mine)
        renamed[name] = value
    save_file(renamed, path, metadata={"format": "pt"})
