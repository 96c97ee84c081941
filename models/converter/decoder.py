"""A causal reward model (Llama or Qwen3 architecture) in the form the package reads.

The module takes the same weights as the Hugging Face classes (the names in the
state dict are the same) but another calling convention: positions, an additive
mask and the key/value cache come in as plain tensors, so that a caller can keep
a prefix and score several continuations packed in one sequence.

Shapes: B batch, T new tokens, P tokens in the cache, H hidden width,
A attention heads, G key/value heads, D head size, K objectives.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RmsNorm(nn.Module):
    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


class Attention(nn.Module):
    """Grouped-query attention over [cache ++ new], rotary positions given by the caller."""

    def __init__(self, config) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.groups = config.num_key_value_heads
        self.size = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        width = config.hidden_size
        bias = bool(getattr(config, "attention_bias", False))
        self.q_proj = nn.Linear(width, self.heads * self.size, bias=bias)
        self.k_proj = nn.Linear(width, self.groups * self.size, bias=bias)
        self.v_proj = nn.Linear(width, self.groups * self.size, bias=bias)
        self.o_proj = nn.Linear(self.heads * self.size, width, bias=bias)
        normed = config.model_type == "qwen3"
        self.q_norm = RmsNorm(self.size, config.rms_norm_eps) if normed else nn.Identity()
        self.k_norm = RmsNorm(self.size, config.rms_norm_eps) if normed else nn.Identity()

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past: tuple[Tensor, Tensor]):
        batch, count, _ = x.shape
        q = self.q_norm(self.q_proj(x).view(batch, count, self.heads, self.size)).transpose(1, 2)
        k = self.k_norm(self.k_proj(x).view(batch, count, self.groups, self.size)).transpose(1, 2)
        v = self.v_proj(x).view(batch, count, self.groups, self.size).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k = torch.cat([past[0], k], dim=2)  # [B, G, P+T, D]
        v = torch.cat([past[1], v], dim=2)
        # Each key/value head serves A/G query heads: broadcast over a group axis instead of copying.
        q = q.reshape(batch, self.groups, self.heads // self.groups, count, self.size)
        weights = q @ k.unsqueeze(2).transpose(-1, -2) * self.size**-0.5 + mask.unsqueeze(2)
        out = weights.softmax(-1) @ v.unsqueeze(2)  # [B, G, A/G, T, D]
        out = out.reshape(batch, self.heads, count, self.size).transpose(1, 2)
        return self.o_proj(out.reshape(batch, count, self.heads * self.size)), k, v


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding in the half-split layout of the Hugging Face weights. x [B, A, T, D]."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


class Mlp(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        bias = bool(getattr(config, "mlp_bias", False))
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=bias)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=bias)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.input_layernorm = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = Mlp(config)

    def forward(self, x, cos, sin, mask, past):
        attended, k, v = self.self_attn(self.input_layernorm(x), cos, sin, mask, past)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), k, v


class Trunk(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RmsNorm(config.hidden_size, config.rms_norm_eps)


class Gating(nn.Module):
    """ArmoRM's gate: an MLP over the gate token, softmax at a temperature, times a learnt scale."""

    def __init__(self, width: int, hidden: int, depth: int, objectives: int, temperature: float) -> None:
        super().__init__()
        sizes = [width] + [hidden] * depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.layers.append(nn.Linear(sizes[-1], objectives, bias=False))
        self.logit_scale = nn.Parameter(torch.ones(1))
        self.temperature = temperature

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return (self.layers[-1](x) / self.temperature).softmax(-1) * self.logit_scale[0]


class RewardDecoder(nn.Module):
    """`kind` "scalar" returns scores [B,T,1]; "gated" returns rewards [B,T,K] and gate [B,T,K]."""

    def __init__(self, config, kind: str = "scalar") -> None:
        super().__init__()
        # transformers 5 keeps theta and scaling together in rope_parameters, transformers 4 apart.
        rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
        if rope.get("rope_type", rope.get("type")) not in (None, "default"):
            raise ValueError(f"Expected plain rotary positions but received {rope}: add its formula to decoder.py")
        theta = rope.get("rope_theta") or config.rope_theta
        if config.model_type not in ("llama", "qwen3"):
            raise ValueError(f"Expected model_type llama or qwen3 but received {config.model_type}")
        self.model = Trunk(config)
        self.kind = kind
        size = self.model.layers[0].self_attn.size
        self.register_buffer("frequencies", theta ** (-torch.arange(0, size, 2).float() / size), persistent=False)
        if kind == "scalar":
            self.score = nn.Linear(config.hidden_size, 1, bias=False)
        else:
            objectives = config.num_objectives
            self.regression_layer = nn.Linear(config.hidden_size, objectives, bias=False)
            self.reward_transform_matrix = nn.Parameter(torch.eye(objectives))
            self.gating = Gating(config.hidden_size, config.gating_hidden_dim, config.gating_n_hidden, objectives, config.gating_temperature)

    def forward(self, input_ids: Tensor, position_ids: Tensor, attention_mask: Tensor, *past: Tensor):
        """ids, positions int64 [B,T]; mask float [B,1,T,P+T], added to the logits; past key, value per layer [B,G,P,D]."""
        angles = position_ids.unsqueeze(-1).to(self.frequencies.dtype) * self.frequencies  # [B, T, D/2]
        angles = torch.cat([angles, angles], dim=-1).unsqueeze(1)
        cos, sin = angles.cos(), angles.sin()
        x = self.model.embed_tokens(input_ids)
        present: list[Tensor] = []
        for index, layer in enumerate(self.model.layers):
            x, k, v = layer(x, cos, sin, attention_mask, (past[2 * index], past[2 * index + 1]))
            present += [k, v]
        x = self.model.norm(x)
        if self.kind == "scalar":
            return (self.score(x), *present)
        return (self.regression_layer(x) @ self.reward_transform_matrix, self.gating(x), *present)
