"""ArmoRM as its paper (arXiv 2406.12845) and its configuration state it, in plain PyTorch over transformers' LlamaModel.

Objectives' rewards are read at the last token. The gate is read at the token that ends the question: the first of the
last "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\\n\\n". score = sum of gate * (rewards @ transform).
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import LlamaConfig, LlamaModel


class Gate(nn.Module):
    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        widths = [config.hidden_size, *[config.gating_hidden_dim] * config.gating_n_hidden, config.num_objectives]
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in zip(widths, widths[1:]))
        self.logit_scale = nn.Parameter(torch.ones(1))
        self.temperature = config.gating_temperature

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            x = layer(x).clamp(min=0)
        return torch.softmax(last(x) / self.temperature, -1) * self.logit_scale


class ArmoRm(nn.Module):
    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.model = LlamaModel(config)
        self.regression_layer = nn.Linear(config.hidden_size, config.num_objectives, bias=False)
        self.reward_transform_matrix = nn.Parameter(torch.eye(config.num_objectives))
        self.gating = Gate(config)

    def forward(self, ids: list[int], pattern: list[int]) -> torch.Tensor:
        hidden = self.model(torch.tensor([ids])).last_hidden_state[0]
        starts = [at for at in range(len(ids) - len(pattern) + 1) if ids[at : at + len(pattern)] == pattern]
        rewards = self.regression_layer(hidden[-1]) @ self.reward_transform_matrix
        return self.gating(hidden[starts[-1]]) @ rewards
