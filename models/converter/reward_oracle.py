"""Scores conversations with the Hugging Face classes: no graph, no cache, no mask of ours. A decoder's layers are read
when they are needed and forgotten, so that 8 billion weights take the memory of one layer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from checkpoint import Checkpoint
from graph_file import round_to_half
from label import raw_score
from prompt import render
from weights import as_stored

Messages = list[dict[str, str]]


class RewardOracle:
    def __init__(self, checkpoint: Checkpoint, manifest: dict, weights: str = "fp32", progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """`weights`: the rounding of the large matrices."""
        self.checkpoint, self.manifest, self.weights, self.progress = checkpoint, manifest, weights, progress
        self.tokenizer = Tokenizer.from_file(str(checkpoint.folder / manifest["files"]["tokenizer"]["path"]))

    def scores(self, conversations: list[Messages]) -> list[float]:
        raw = self.pairs(conversations) if self.manifest["kind"] == "encoder" else self.decoded(conversations)
        return [self.finish(value) for value in raw]

    def finish(self, raw: float) -> float:
        value = raw * self.manifest["scale"] + self.manifest["offset"]
        return 1 / (1 + math.exp(-value)) if self.manifest["activation"] == "sigmoid" else value

    def ids(self, messages: Messages) -> list[int]:
        return self.tokenizer.encode(render(self.manifest["prompt"]["template"], messages), add_special_tokens=False).ids

    @torch.no_grad()
    def pairs(self, conversations: list[Messages]) -> list[float]:
        model = AutoModelForSequenceClassification.from_pretrained(self.checkpoint.folder, dtype=torch.float32).eval()
        if self.weights != "fp32":
            blocks = {part: as_stored(part.weight.numpy(), self.weights) for name, part in model.named_modules() if isinstance(part, torch.nn.Linear) and ".encoder." in name}
            round_to_half(model)
            for part, stored in blocks.items():
                part.weight.copy_(torch.from_numpy(stored))
        found = []
        for messages in conversations:
            pair = self.tokenizer.encode(messages[0]["content"], messages[1]["content"])
            more = {"token_type_ids": torch.tensor([pair.type_ids])} if self.manifest["inputs"]["tokenTypes"] else {}
            logits = model(input_ids=torch.tensor([pair.ids]), attention_mask=torch.ones(1, len(pair.ids), dtype=torch.int64), **more).logits
            found.append(raw_score(logits[0], self.manifest["score"]))
        return found

    @torch.no_grad()
    def decoded(self, conversations: list[Messages]) -> list[float]:
        sequences = [self.ids(messages) for messages in conversations]
        hidden = self.hidden(sequences)
        return [self.head(ids, states[: len(ids)]) for ids, states in zip(sequences, hidden)]

    def hidden(self, sequences: list[list[int]]) -> torch.Tensor:
        """All sequences in one batch, padded behind their ends, where a causal model does not look."""
        config = AutoConfig.from_pretrained(self.checkpoint.folder)
        with torch.device("meta"):
            model = AutoModel.from_config(config, dtype=torch.float32).eval()
        model.rotary_emb = type(model.rotary_emb)(config)
        for name, part in (("embed_tokens", model.embed_tokens), ("norm", model.norm)):
            self.load(part, f"model.{name}.")
        for index, layer in enumerate(model.layers):
            layer.register_forward_pre_hook(lambda part, _, index=index: self.load(part, f"model.layers.{index}."))
            layer.register_forward_hook(lambda part, *_, index=index: self.unload(part, index + 1, len(model.layers)))
        longest = max(map(len, sequences))
        ids = torch.tensor([[*sequence, *[0] * (longest - len(sequence))] for sequence in sequences])
        mask = torch.tensor([[1] * len(sequence) + [0] * (longest - len(sequence)) for sequence in sequences])
        return model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state

    def load(self, part: torch.nn.Module, prefix: str) -> None:
        state = {}
        for name in part.state_dict():
            tensor = self.checkpoint.tensor(prefix + name)
            kind = "fp16" if prefix == "model.embed_tokens." and self.weights != "fp32" else self.weights
            state[name] = torch.from_numpy(as_stored(tensor.numpy(), kind)) if tensor.ndim == 2 else tensor
        part.load_state_dict(state, assign=True)

    def unload(self, part: torch.nn.Module, done: int, total: int) -> None:
        part.to("meta")
        self.progress(done, total)

    def head(self, ids: list[int], hidden: torch.Tensor) -> float:
        """Read at the last token, which `refuse_padding` has made sure the original reads too."""
        take = self.checkpoint.tensor
        if self.manifest["score"]["type"] == "scalar":
            return raw_score(take("score.weight") @ hidden[-1], self.manifest["score"])
        pattern = self.manifest["score"]["gatePattern"]
        gate = hidden[max(at for at in range(len(ids)) if ids[at : at + len(pattern)] == pattern)]
        depth = sum(name.startswith("gating.layers.") and name.endswith(".weight") for name in self.checkpoint.files)
        for layer in range(depth):
            gate = take(f"gating.layers.{layer}.weight") @ gate
            if f"gating.layers.{layer}.bias" in self.checkpoint.files:
                gate = gate + take(f"gating.layers.{layer}.bias")
            if layer < depth - 1:
                gate = torch.relu(gate)
        gate = (gate / self.checkpoint.config["gating_temperature"]).softmax(0) * take("gating.logit_scale")
        return float((take("regression_layer.weight") @ hidden[-1] @ take("reward_transform_matrix") * gate).sum())
