"""Writes manifest.json: one file that tells the package how to drive a graph (docs: src/evaluators)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def file_entry(folder: Path, path: Path) -> dict:
    """{"path", "sizeBytes", "sha256"} of a file, its path relative to the manifest's folder."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return {"path": path.relative_to(folder).as_posix(), "sizeBytes": path.stat().st_size, "sha256": digest.hexdigest()}


def write_manifest(folder: Path, manifest: dict) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
