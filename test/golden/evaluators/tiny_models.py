"""What the tiny models of formats/ share: where they go, louder weights, the conversion by the users' command."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "models" / "converter"))

import torch

from convert import main as command

OUT = HERE / "formats"


def louder(model: torch.nn.Module, by: float = 4) -> torch.nn.Module:
    """Random weights large enough that scores differ."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(by)
    return model.eval()


def convert(kind: str, folder: Path, out: Path, *more: str) -> dict:
    if command([kind, "--from", str(folder), "--out", str(out), "--name", out.name, *more]) != 0:
        raise SystemExit(f"{out.name} was not converted")
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


# Folders that are kept besides the float32 ones: integers, and weights in a file of their own as beyond 2 GB.
KEPT = {("skywork-qwen3", "int8"): ["--external-above", "0"], ("armorm", "int4"): [], ("deberta", "int4"): []}


def precisions(work: Path, name: str) -> dict:
    """How far each way of storing the weights moves the scores of the self-test."""
    found = {}
    for weights in ("fp16", "int8", "int4"):
        more = KEPT.get((name, weights))
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "model" if more is None else OUT / f"{name}-{weights}"
            for old in out.glob("*"):
                old.unlink()
            found[weights] = convert("reward", work, out, "--weights", weights, *(more or []))["precision"]
    return found
