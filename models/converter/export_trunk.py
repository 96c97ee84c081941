"""Exports a causal reward model as a trunk, a GGUF of its layers that llama.cpp runs on any device, and a small ONNX graph
of its heads; `convert.py reward --trunk` is the command.

The heads read the hidden state behind the last norm. The self-test is computed by the Hugging Face classes in float32, so
its tolerance has to allow for the trunk's number format.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from chat_template import around_answer
from checkpoint import Checkpoint
from decoder_graph import DecoderShape
from export_reward import MAX_TOKENS, find_pattern, refuse_padding
from graph_file import write_graph
from label import scalar_score
from manifest import file_entry, write_manifest
from progress import Progress, silent
from reward_oracle import RewardOracle
from self_test import SELF_TEST, refuse_constant
from tokenizer_file import copy_tokenizer


class Heads(torch.nn.Module):
    """hidden [1, rows, H] to scores [1, rows, labels], or to rewards and gate [1, rows, K]: ArmoRM's gate is an MLP over the gate
    token, a softmax at a temperature, times a learnt scale."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.gated = "regression_layer.weight" in checkpoint.files
        self.depth = sum(name.startswith("gating.layers.") and name.endswith(".weight") for name in checkpoint.files)
        self.temperature = checkpoint.config.get("gating_temperature")
        layers = [f"gating.layers.{layer}.{part}" for layer in range(self.depth) for part in ("weight", "bias")]
        names = ["regression_layer.weight", "reward_transform_matrix", "gating.logit_scale", *layers] if self.gated else ["score.weight"]
        unknown = [name for name in checkpoint.files if name not in names and not name.startswith(("model.", "lm_head.")) and not name.endswith("rotary_emb.inv_freq")]
        if unknown:
            raise ValueError(f"Expected only the heads of a reward model beside its layers but there are also {', '.join(unknown[:4])}")
        self.state = {name: checkpoint.tensor(name) for name in names if name in checkpoint.files}

    def forward(self, hidden: torch.Tensor):
        if not self.gated:
            return hidden @ self.state["score.weight"].T
        rewards = hidden @ (self.state["reward_transform_matrix"].T @ self.state["regression_layer.weight"]).T
        gate = hidden
        for layer in range(self.depth):
            gate = gate @ self.state[f"gating.layers.{layer}.weight"].T + self.state.get(f"gating.layers.{layer}.bias", 0)
            if layer < self.depth - 1:
                gate = torch.relu(gate)
        return rewards, (gate / self.temperature).softmax(-1) * self.state["gating.logit_scale"]


def export_trunk(folder: Path, out: Path, *, name: str, template: str, trunk: Path, tolerance: float, max_tokens: int = MAX_TOKENS,
                 label: str | None = None, cache_type: str = "f16", safe_reward: float | None = None, loud: bool = False) -> dict:
    """Writes heads, tokenizer and manifest beside the trunk (copied to out/trunk.gguf); returns the manifest."""
    tell = Progress if loud else lambda step: silent
    tell("tracing the heads")
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(folder)
    DecoderShape.of(checkpoint.config)  # refuses sliding windows and the like, which a self-test is too short to see
    width = checkpoint.config["hidden_size"]
    heads = Heads(checkpoint)
    tokenizer = copy_tokenizer(folder, out)
    between, ending = around_answer(template)
    refuse_padding(checkpoint, tokenizer, ending)
    if not heads.gated:
        score = scalar_score(checkpoint.config, checkpoint.shape("score.weight")[0], "scores", label)
    else:
        score = {"type": "gated", "rewards": "rewards", "gate": "gate", "gatePattern": find_pattern(checkpoint, tokenizer, between),
                 "objectives": checkpoint.shape("regression_layer.weight")[0]}
    outputs = ["rewards", "gate"] if heads.gated else ["scores"]
    axes = {key: {0: "batch", 1: "rows"} for key in ["hidden_state", *outputs]}
    write_graph(heads, out / "heads.onnx", {"hidden_state": torch.zeros(1, 3, width)}, outputs, axes)
    target = out / "trunk.gguf"
    if not (target.exists() and target.samefile(trunk)):
        tell("copying the trunk")
        shutil.copyfile(trunk, target)
    tell("hashing the files")
    manifest = {
        "format": "eta-vlm/reward-trunk", "version": 1, "name": name, "kind": "causal",
        "files": {key: file_entry(out, out / file) for key, file in
                  {"trunk": target.name, "heads": "heads.onnx", "tokenizer": "tokenizer.json"}.items()},
        "prompt": {"form": "chat-template", "template": template, "endOfTurn": ending},
        "maxTokens": max_tokens, "heads": {"input": "hidden_state", "hiddenSize": width}, "cacheType": cache_type, "score": score,
        "scale": 1.0, "offset": 0.0, "activation": "none", "safeReward": safe_reward, "calibration": None,
    }
    scores = RewardOracle(checkpoint, manifest, progress=tell("scoring with the original")).scores(SELF_TEST)
    # What rounding moves goes with the size of all scores, not of the one: a score of 0 has as much.
    allowed = round(tolerance * max(1.0, *map(abs, scores)), 6)
    manifest["selfTest"] = [{"messages": messages, "score": round(value, 6), "tolerance": allowed} for messages, value in zip(SELF_TEST, scores)]
    refuse_constant(manifest["selfTest"])
    write_manifest(out, manifest)
    return manifest
