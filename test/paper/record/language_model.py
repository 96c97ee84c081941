"""A `llama` language model read from its GGUF and computed in numpy at 64 bits, so that what differs from llama.cpp's
F32 is llama.cpp's rounding alone. One prompt, then any number of branches side by side, each with its own cache."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from vocabulary import Vocabulary

Cache = list[tuple[np.ndarray, np.ndarray]]  # a layer: keys and values, [branches, key heads, positions, head width]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class LanguageModel:
    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(path)
        key = lambda name: reader.fields[f"llama.{name}"].contents()
        self.layers, self.heads, self.key_heads = (key(name) for name in ("block_count", "attention.head_count", "attention.head_count_kv"))
        self.eps = key("attention.layer_norm_rms_epsilon")
        # Rows are outputs: y = x @ w.T
        self.weights = {t.name: t.data.astype(np.float64) for t in reader.tensors}
        width = key("rope.dimension_count")
        self.frequency = key("rope.freq_base") ** (-np.arange(0, width, 2) / width)
        self.vocabulary = Vocabulary(reader.fields)

    def embed(self, tokens: list[int]) -> np.ndarray:
        """[count, width]"""
        return self.weights["token_embd.weight"][tokens]

    def prefill(self, rows: np.ndarray) -> tuple[np.ndarray, Cache]:
        """Embeddings [count, width] at positions 0, 1, … to the logits behind the last, [1, vocabulary], and the cache."""
        hidden, cache = self._run(rows[None], [], 0)
        return hidden[:, -1], cache

    def extend(self, tokens: np.ndarray, cache: Cache) -> tuple[np.ndarray, Cache]:
        """Tokens [branches, count] behind a cache of as many branches (or of one, which is spread)."""
        branches = tokens.shape[0]
        spread = [tuple(np.broadcast_to(part, (branches, *part.shape[1:])) for part in layer) for layer in cache]
        hidden, cache = self._run(self.weights["token_embd.weight"][tokens], spread, spread[0][0].shape[2])
        return hidden[:, -1], cache

    def _run(self, x: np.ndarray, past: list, start: int) -> tuple[np.ndarray, Cache]:
        branches, count, _ = x.shape
        angle = np.outer(np.arange(start, start + count), self.frequency)
        cos, sin = np.cos(angle), np.sin(angle)
        hidden_from = np.triu(np.full((count, start + count), -np.inf), start + 1)
        cache: Cache = []
        for layer in range(self.layers):
            w = lambda name, layer=layer: self.weights[f"blk.{layer}.{name}.weight"]
            y = self._norm(x, w("attn_norm"))
            split = lambda name, heads, y=y, w=w: (y @ w(name).T).reshape(branches, count, heads, -1).transpose(0, 2, 1, 3)
            q = turn(split("attn_q", self.heads), cos, sin)
            k, v = turn(split("attn_k", self.key_heads), cos, sin), split("attn_v", self.key_heads)
            if past:
                k, v = np.concatenate([past[layer][0], k], 2), np.concatenate([past[layer][1], v], 2)
            cache.append((k, v))
            group = self.heads // self.key_heads
            scores = q @ np.repeat(k, group, 1).transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]) + hidden_from
            mixed = softmax(scores) @ np.repeat(v, group, 1)
            x = x + mixed.transpose(0, 2, 1, 3).reshape(branches, count, -1) @ w("attn_output").T
            y = self._norm(x, w("ffn_norm"))
            gate = y @ w("ffn_gate").T
            x = x + (gate / (1 + np.exp(-gate)) * (y @ w("ffn_up").T)) @ w("ffn_down").T
        return self._norm(x[:, -1:], self.weights["output_norm.weight"]) @ self.weights["output.weight"].T, cache

    def _norm(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * weight


def turn(x: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    """Rotary embedding of neighbouring dimensions, x [branches, heads, count, width]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return np.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(x.shape)
