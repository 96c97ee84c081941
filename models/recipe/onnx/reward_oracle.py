"""Scores a conversation with the Hugging Face classes: one full run a sequence, float32, no graph, no cache, no mask of ours."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, LlamaModel

from graph_file import round_to_half
from prompt import render


class RewardOracle:
    def __init__(self, checkpoint: Path, manifest: dict, half_weights: bool = False) -> None:
        self.manifest = manifest
        self.tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
        self.gated = manifest["score"]["type"] == "gated"
        if self.gated:
            state = {name: value.float() for path in sorted(checkpoint.glob("*.safetensors")) for name, value in load_file(str(path)).items()}
            self.model = LlamaModel(AutoConfig.from_pretrained(checkpoint)).float().eval()
            self.model.load_state_dict({name[6:]: value for name, value in state.items() if name.startswith("model.")})
            self.head = {name: value for name, value in state.items() if not name.startswith("model.")}
        else:
            self.model = AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=torch.float32).eval()
            self.model.config.pad_token_id = None  # one sequence a run: the score is read at its last token
        if half_weights:
            round_to_half(self.model)

    def ids(self, messages: list[dict[str, str]]) -> list[int]:
        return self.tokenizer.encode(render(self.manifest["prompt"]["template"], messages), add_special_tokens=False).ids

    @torch.no_grad()
    def raw(self, messages: list[dict[str, str]]) -> float:
        if self.manifest["kind"] == "encoder":
            pair = self.tokenizer.encode(messages[0]["content"], messages[1]["content"])
            more = {"token_type_ids": torch.tensor([pair.type_ids])} if self.manifest["inputs"]["tokenTypes"] else {}
            return float(self.model(input_ids=torch.tensor([pair.ids]), attention_mask=torch.ones(1, len(pair.ids), dtype=torch.int64), **more).logits)
        ids = self.ids(messages)
        if not self.gated:
            return float(self.model(input_ids=torch.tensor([ids])).logits)
        hidden = self.model(input_ids=torch.tensor([ids])).last_hidden_state[0]
        pattern = self.manifest["score"]["gatePattern"]
        start = max(at for at in range(len(ids)) if ids[at : at + len(pattern)] == pattern)
        gate, depth = hidden[start], sum(name.startswith("gating.layers.") and name.endswith("weight") for name in self.head)
        for layer in range(depth):
            gate = self.head[f"gating.layers.{layer}.weight"] @ gate
            if layer < depth - 1:
                gate = torch.relu(gate + self.head[f"gating.layers.{layer}.bias"])
        gate = (gate / self.model.config.gating_temperature).softmax(0) * self.head["gating.logit_scale"]
        rewards = self.head["regression_layer.weight"] @ hidden[-1]
        return float((rewards @ self.head["reward_transform_matrix"] * gate).sum())

    def score(self, messages: list[dict[str, str]]) -> float:
        value = self.raw(messages) * self.manifest["scale"] + self.manifest["offset"]
        return 1 / (1 + math.exp(-value)) if self.manifest["activation"] == "sigmoid" else value
