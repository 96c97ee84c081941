"""Exports a reward model checkpoint (Hugging Face folder) to a graph, a tokenizer and a manifest; `convert.py` is the command.

Decoders (decoder_graph.py) with one label (`scalar`), or with ArmoRM's objectives and gate (`gated`), and encoders with
one label that read a question and an answer as a pair; of several labels the one that is named. The manifest's self-test is computed by the Hugging Face classes
on the weights as they are stored, so that it checks the graph; how far that storage moves the scores stands in `precision`.

The score a reader reports is activation(scale * raw + offset).
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from chat_template import around_answer
from checkpoint import Checkpoint
from decoder_graph import DecoderGraph
from graph_builder import EXTERNAL_ABOVE
from graph_file import write_graph
from label import scalar_score
from manifest import file_entry, write_manifest
from progress import Progress, silent
from reward_oracle import RewardOracle
from self_test import SELF_TEST, refuse_constant
from tokenizer_file import copy_tokenizer

ARMORM_PATTERN = [128009, 128006, 78191, 128007, 271]
MAX_TOKENS = 1024
TOLERANCE = 1e-3  # of a score near 1; larger scores get as much more


def export_causal(folder: Path, out: Path, *, name: str, template: str, end_of_turn: str | None = None, gate_pattern: list[int] | None = None,
                  max_tokens: int = MAX_TOKENS, scale: float = 1.0, offset: float = 0.0, activation: str = "none",
                  safe_reward: float | None = None, calibration: dict | None = None, self_test: list | None = None,
                  half_weights: bool = False, label: str | None = None, weights: str = "fp32", external_above: int = EXTERNAL_ABOVE, loud: bool = False) -> dict:
    """Writes out/model.onnx, out/tokenizer.json and out/manifest.json; returns the manifest. `half_weights`: weights="fp16"."""
    weights = "fp16" if half_weights else weights
    tell = Progress if loud else lambda step: silent
    checkpoint = Checkpoint(folder)
    if "score.weight" in checkpoint.files:  # before the long work
        score = scalar_score(checkpoint.config, checkpoint.shape("score.weight")[0], "scores", label)
    decoder = DecoderGraph(checkpoint, weights)
    tokenizer = copy_tokenizer(folder, out)
    between, ending = around_answer(template)
    refuse_padding(checkpoint, tokenizer, ending)
    if end_of_turn not in (None, ending):
        raise ValueError(f"Expected the template to end an answer with {end_of_turn!r} but it ends with {ending!r}")
    if decoder.gated:
        pattern = gate_pattern or find_pattern(checkpoint, tokenizer, between)
        score = {"type": "gated", "rewards": "rewards", "gate": "gate", "gatePattern": pattern, "objectives": checkpoint.shape("regression_layer.weight")[0]}
    data = decoder.graph.save(out / "model.onnx", external_above, tell("writing the weights"))
    shape = decoder.shape
    manifest = {
        "format": "eta-vlm/reward-model", "version": 1, "name": name, "kind": "causal", "files": files(out, data, tell),
        "prompt": {"form": "chat-template", "template": template, "endOfTurn": ending},
        "maxTokens": max_tokens,
        "inputs": {"ids": "input_ids", "positions": "position_ids", "mask": {"name": "attention_mask", "type": "additive-4d"}, "tokenTypes": None},
        "cache": {"past": "past_key_values.{layer}.{kv}", "present": "present.{layer}.{kv}", "layers": shape.layers, "heads": shape.groups,
                  "headSize": shape.size, "dtype": "float32"},
        "score": score, "scale": scale, "offset": offset, "activation": activation, "safeReward": safe_reward, "calibration": calibration,
    }
    return finish(checkpoint, out, manifest, weights, self_test or SELF_TEST, tell)


class PairLogit(torch.nn.Module):
    def __init__(self, model: torch.nn.Module, types: bool) -> None:
        super().__init__()
        self.model, self.types = model, types

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        more = {"token_type_ids": token_type_ids} if self.types else {}
        return self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=True, **more).logits


def export_encoder(folder: Path, out: Path, *, name: str, max_tokens: int = 512, scale: float = 1.0, offset: float = 0.0,
                   activation: str = "none", safe_reward: float | None = None, calibration: dict | None = None,
                   self_test: list | None = None, label: str | None = None, weights: str = "fp32", external_above: int = EXTERNAL_ABOVE, loud: bool = False) -> dict:
    """As `export_causal`, for an encoder that reads (prompt, answer) as a pair."""
    tell = Progress if loud else lambda step: silent
    checkpoint = Checkpoint(folder)
    tell("tracing the graph")
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    score = scalar_score(checkpoint.config, model.config.num_labels, "logits", label)
    types = getattr(model.config, "type_vocab_size", 0) > 1
    names = ["input_ids", "attention_mask"] + (["token_type_ids"] if types else [])
    inputs = {key: torch.ones(1, 9, dtype=torch.int64) for key in names}
    axes = {key: {0: "batch", 1: "tokens"} for key in names} | {"logits": {0: "batch"}}
    data = write_graph(PairLogit(model, types), out / "model.onnx", inputs, ["logits"], axes, weights=weights, external_above=external_above)
    copy_tokenizer(folder, out)
    longest = getattr(model.config, "max_position_embeddings", max_tokens)
    manifest = {
        "format": "eta-vlm/reward-model", "version": 1, "name": name, "kind": "encoder", "files": files(out, data, tell),
        "prompt": {"form": "pair"}, "maxTokens": min(max_tokens, longest),
        "inputs": {"ids": "input_ids", "positions": None, "mask": {"name": "attention_mask", "type": "padding-2d"},
                   "tokenTypes": "token_type_ids" if types else None},
        "cache": None, "score": score,
        "scale": scale, "offset": offset, "activation": activation, "safeReward": safe_reward, "calibration": calibration,
    }
    return finish(checkpoint, out, manifest, weights, self_test or SELF_TEST, tell)


def files(out: Path, data: list[Path], tell) -> dict:
    tell("hashing the files")
    return {"graph": file_entry(out, out / "model.onnx"), "tokenizer": file_entry(out, out / "tokenizer.json"),
            "externalData": [file_entry(out, path) for path in data]}


def finish(checkpoint: Checkpoint, out: Path, manifest: dict, weights: str, conversations: list, tell) -> dict:
    """Adds what the original says: the self-test on the stored weights, and their distance from the unrounded ones."""
    stored = RewardOracle(checkpoint, manifest, weights, tell("scoring with the original")).scores(conversations)
    exact = stored if weights == "fp32" else RewardOracle(checkpoint, manifest, "fp32", tell("scoring with the original, unrounded")).scores(conversations)
    moved = [abs(one - other) for one, other in zip(stored, exact)]
    manifest["precision"] = {"weights": weights, "largestDifference": round(max(moved), 6), "meanDifference": round(sum(moved) / len(moved), 6)}
    manifest["selfTest"] = [{"messages": messages, "score": round(score, 6), "tolerance": round(TOLERANCE * max(1.0, abs(score)), 6)}
                            for messages, score in zip(conversations, stored)]
    refuse_constant(manifest["selfTest"])
    write_manifest(out, manifest)
    return manifest


def find_pattern(checkpoint: Checkpoint, tokenizer: Tokenizer, between: str) -> list[int]:
    """The tokens between question and answer; the gate is read at their first."""
    pattern = tokenizer.encode(between, add_special_tokens=False).ids
    if checkpoint.config["vocab_size"] > 128000 and pattern != ARMORM_PATTERN:
        raise ValueError(f"Expected {ARMORM_PATTERN} between question and answer but the template and tokenizer give {pattern}: pass ArmoRM's own template")
    return pattern


def refuse_padding(checkpoint: Checkpoint, tokenizer: Tokenizer, ending: str) -> None:
    """The original reads the score at the last token that is no padding; we read it at the last token."""
    last = tokenizer.encode(ending, add_special_tokens=False).ids[-1:]
    if last == [checkpoint.config.get("pad_token_id")]:
        raise ValueError(f"Expected an answer to end with a token of its own but it ends with the padding token {last[0]}, which the original skips: "
                         "give the tokenizer another padding token in config.json")
