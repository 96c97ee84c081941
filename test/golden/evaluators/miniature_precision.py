"""What rounding costs on trained weights: takes those of the shipped reward model out of its graph, converts them anew in
each way of storing, and prints how far the scores of its self-test move.

    python test/golden/evaluators/miniature_precision.py
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from transformers import Qwen3Config

from tiny_models import HERE
from export_reward import export_causal
from weights import TYPES

SHIPPED = HERE.parents[2] / "models" / "miniature" / "reward-model"


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    """By the checkpoint's names, which the graph has too; all matrices but the embeddings lie transposed there."""
    state = {}
    for one in onnx.load(str(path)).graph.initializer:
        if one.name.endswith(".weight"):
            value = numpy_helper.to_array(one).astype(np.float32)
            state[one.name] = torch.from_numpy((value if value.ndim == 1 or "embed_tokens" in one.name else value.T).copy())
    return state


def checkpoint(work: Path) -> dict:
    """Writes the shipped reward model as a Hugging Face folder; returns its manifest."""
    manifest = json.loads((SHIPPED / "manifest.json").read_text(encoding="utf-8"))
    state, cache = weights_of(SHIPPED / "model.onnx"), manifest["cache"]
    vocabulary, width = state["model.embed_tokens.weight"].shape
    config = Qwen3Config(vocab_size=vocabulary, hidden_size=width, intermediate_size=state["model.layers.0.mlp.gate_proj.weight"].shape[0],
                         num_hidden_layers=cache["layers"], num_attention_heads=state["model.layers.0.self_attn.q_proj.weight"].shape[0] // cache["headSize"],
                         num_key_value_heads=cache["heads"], head_dim=cache["headSize"], num_labels=1, pad_token_id=None)
    save_file(state, str(work / "model.safetensors"))
    config.save_pretrained(work)
    shutil.copyfile(SHIPPED / "tokenizer.json", work / "tokenizer.json")
    return manifest


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        manifest = checkpoint(work)
        for weights in TYPES:
            made = export_causal(work, work / weights, name="miniature", template=manifest["prompt"]["template"], scale=manifest["scale"], offset=manifest["offset"],
                                 weights=weights, self_test=[test["messages"] for test in manifest["selfTest"]])
            moved = [abs(one["score"] - other["score"]) for one, other in zip(made["selfTest"], manifest["selfTest"])]
            print(f"{weights}: {max(moved):.6f} at most from the shipped scores, {(work / weights / 'model.onnx').stat().st_size} bytes")


if __name__ == "__main__":
    main()
