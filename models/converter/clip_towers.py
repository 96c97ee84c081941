"""CLIP's two towers, with the state-dict names of the Hugging Face class, in the form the package reads.

Vision: pixel_values [B,3,S,S] -> image_embeds [B,D]. Text: input_ids [B,T] (and attention_mask [B,T])
-> text_embeds [B,D]. Both projected, neither normalised: the reader normalises.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.size = width // self.heads
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, count, width = x.shape
        q, k, v = (p(x).view(batch, count, self.heads, self.size).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        weights = q @ k.transpose(-1, -2) * self.size**-0.5
        if mask is not None:
            weights = weights + mask
        return self.out_proj((weights.softmax(-1) @ v).transpose(1, 2).reshape(batch, count, width))


class Mlp(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)
        if config.hidden_act not in ("quick_gelu", "gelu"):
            raise ValueError(f"Expected hidden_act quick_gelu or gelu but received {config.hidden_act}")
        self.quick = config.hidden_act == "quick_gelu"

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x) if self.quick else nn.functional.gelu(x))


class Layer(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = Attention(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for layer in self.layers:
            x = layer(x, mask)
        return x


class VisionEmbeddings(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(config.hidden_size))
        self.patch_embedding = nn.Conv2d(3, config.hidden_size, config.patch_size, config.patch_size, bias=False)
        self.position_embedding = nn.Embedding((config.image_size // config.patch_size) ** 2 + 1, config.hidden_size)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)
        cls = self.class_embedding.expand(pixels.shape[0], 1, -1)
        return torch.cat([cls, patches], dim=1) + self.position_embedding.weight


class VisionModel(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.embeddings = VisionEmbeddings(config)
        self.pre_layrnorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)  # the spelling is the checkpoint's
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)


class VisionTower(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.vision_model = VisionModel(config.vision_config)
        self.visual_projection = nn.Linear(config.vision_config.hidden_size, config.projection_dim, bias=False)

    def forward(self, pixel_values: Tensor) -> Tensor:
        model = self.vision_model
        x = model.encoder(model.pre_layrnorm(model.embeddings(pixel_values)))
        return self.visual_projection(model.post_layernorm(x[:, 0]))


class TextEmbeddings(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)


class TextModel(nn.Module):
    def __init__(self, config) -> None:
        super().__init__()
        self.embeddings = TextEmbeddings(config)
        self.encoder = Encoder(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)


class TextTower(nn.Module):
    """The text is read at its first end token; attention is causal, so padding after it has no effect."""

    def __init__(self, config, end_token_id: int) -> None:
        super().__init__()
        self.text_model = TextModel(config.text_config)
        self.text_projection = nn.Linear(config.text_config.hidden_size, config.projection_dim, bias=False)
        self.end_token_id = end_token_id
        length = config.text_config.max_position_embeddings
        causal = torch.full((length, length), -1e9).triu(1)
        self.register_buffer("causal", causal, persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        model, count = self.text_model, input_ids.shape[1]
        x = model.embeddings.token_embedding(input_ids) + model.embeddings.position_embedding.weight[:count]
        mask = self.causal[:count, :count]
        if attention_mask is not None:
            mask = mask + (1 - attention_mask)[:, None, None, :].to(x.dtype) * -1e9
        x = model.final_layer_norm(model.encoder(x, mask))
        at = (input_ids == self.end_token_id).to(torch.int32).argmax(-1)
        rows = torch.arange(input_ids.shape[0], device=input_ids.device)
        return self.text_projection(x[rows, at])
