"""A Llama or Qwen3 reward model as the graph that the package reads: positions, an additive mask and the key/value
cache come in as plain tensors, so that a prefix can be kept and candidates packed in one sequence behind it.

Shapes: B batch, T new tokens, P tokens in the cache, H hidden width, A attention heads, G key/value heads, D head size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from checkpoint import Checkpoint
from graph_builder import GraphBuilder
from rotary import frequencies

ARCHITECTURES = ("llama", "qwen2", "qwen3")


@dataclass(frozen=True)
class DecoderShape:
    layers: int
    heads: int
    groups: int
    size: int
    epsilon: float

    @staticmethod
    def of(config: dict) -> DecoderShape:
        kind, types = config.get("model_type"), config.get("layer_types") or []
        if kind not in ARCHITECTURES:
            raise ValueError(f"Expected a model_type of {', '.join(ARCHITECTURES)} but received {kind}: its graph is not written yet")
        if config.get("hidden_act", "silu") != "silu" or any(one != "full_attention" for one in types) or config.get("use_sliding_window"):
            raise ValueError("Expected silu and full attention in every layer but this config.json has another activation or a sliding window")
        heads = config["num_attention_heads"]
        return DecoderShape(config["num_hidden_layers"], heads, config.get("num_key_value_heads") or heads,
                            config.get("head_dim") or config["hidden_size"] // heads, config["rms_norm_eps"])


class DecoderGraph:
    def __init__(self, checkpoint: Checkpoint, weights: str) -> None:
        self.checkpoint, self.kind = checkpoint, weights
        self.shape = DecoderShape.of(checkpoint.config)
        self.gated = "regression_layer.weight" in checkpoint.files
        self.used: set[str] = set()
        self.graph = GraphBuilder()
        self.build()
        # A language model's head, and angles that old checkpoints hold, are not read.
        unknown = [name for name in checkpoint.files if name not in self.used and not name.startswith("lm_head.") and not name.endswith("rotary_emb.inv_freq")]
        if unknown:
            raise ValueError(f"Expected only the weights of a {checkpoint.config['model_type']} reward model but there are also {', '.join(unknown[:4])}")

    @property
    def past_names(self) -> list[str]:
        return [f"past_key_values.{layer}.{kv}" for layer in range(self.shape.layers) for kv in ("key", "value")]

    def read(self, name: str) -> np.ndarray:
        return self.checkpoint.tensor(name).numpy()

    def take(self, name: str) -> list[int]:
        if name not in self.checkpoint.files:
            raise ValueError(f"Expected the tensor {name} in {self.checkpoint.folder} but there is none: the checkpoint is incomplete, or of another architecture")
        self.used.add(name)
        return self.checkpoint.shape(name)

    def vector(self, name: str) -> str:
        return self.graph.weight(name, np.float32, self.take(name), lambda: self.read(name))

    def linear(self, value: str, name: str, kind: str | None = None) -> str:
        out = self.graph.linear(value, f"{name}.weight", self.take(f"{name}.weight"), lambda: self.read(f"{name}.weight"), kind or self.kind)
        return self.graph.op("Add", out, self.vector(f"{name}.bias")) if f"{name}.bias" in self.checkpoint.files else out

    def norm(self, value: str, name: str) -> str:
        graph = self.graph
        mean = graph.op("ReduceMean", graph.op("Mul", value, value), axes=[-1], keepdims=1)
        root = graph.op("Sqrt", graph.op("Add", mean, graph.constant(self.shape.epsilon)))
        return graph.op("Mul", graph.op("Div", value, root), self.vector(f"{name}.weight"))

    def build(self) -> None:
        graph, shape = self.graph, self.shape
        ids = graph.input("input_ids", TensorProto.INT64, ["batch", "tokens"])
        positions = graph.input("position_ids", TensorProto.INT64, ["batch", "tokens"])
        self.mask = graph.input("attention_mask", TensorProto.FLOAT, ["batch", 1, "tokens", "all"])
        cache = ["batch", shape.groups, "past", shape.size]
        past = [graph.input(name, TensorProto.FLOAT, cache) for name in self.past_names]
        angles = graph.op("Mul", graph.reshape(graph.op("Cast", positions, to=TensorProto.FLOAT), 0, 1, -1, 1),
                          graph.constant(frequencies(self.checkpoint.config, shape.size)))  # [B, 1, T, D/2]
        angles = graph.op("Concat", angles, angles, axis=-1)
        self.cos, self.sin = graph.op("Cos", angles), graph.op("Sin", angles)
        value, present = self.embed(ids), []
        for layer in range(shape.layers):
            value, *kept = self.layer(value, f"model.layers.{layer}", past[2 * layer : 2 * layer + 2])
            present += kept
        self.heads(self.norm(value, "model.norm"))
        for name, kept in zip(self.past_names, present):
            graph.output(kept, name.replace("past_key_values", "present"), ["batch", shape.groups, "all", shape.size])

    def embed(self, ids: str) -> str:
        name, dtype = "model.embed_tokens.weight", np.float32 if self.kind == "fp32" else np.float16
        table = self.graph.weight(name, dtype, self.take(name), lambda: self.read(name).astype(dtype))
        rows = self.graph.op("Gather", table, ids)
        return rows if self.kind == "fp32" else self.graph.op("Cast", rows, to=TensorProto.FLOAT)

    def layer(self, value: str, name: str, past: list[str]) -> tuple[str, str, str]:
        graph = self.graph
        attended, key, kept = self.attention(self.norm(value, f"{name}.input_layernorm"), f"{name}.self_attn", past)
        value = graph.op("Add", value, attended)
        x = self.norm(value, f"{name}.post_attention_layernorm")
        gate, up = self.linear(x, f"{name}.mlp.gate_proj"), self.linear(x, f"{name}.mlp.up_proj")
        silu = graph.op("Mul", gate, graph.op("Sigmoid", gate))
        return graph.op("Add", value, self.linear(graph.op("Mul", silu, up), f"{name}.mlp.down_proj")), key, kept

    def attention(self, x: str, name: str, past: list[str]) -> tuple[str, str, str]:
        graph, (heads, groups, size) = self.graph, (self.shape.heads, self.shape.groups, self.shape.size)
        q, k = self.rotated(x, f"{name}.q", heads), self.rotated(x, f"{name}.k", groups)
        v = graph.op("Transpose", graph.reshape(self.linear(x, f"{name}.v_proj"), 0, 0, groups, size), perm=[0, 2, 1, 3])
        k, v = graph.op("Concat", past[0], k, axis=2), graph.op("Concat", past[1], v, axis=2)  # [B, G, P+T, D]
        q = graph.op("Mul", q, graph.constant(size**-0.5))
        # The A/G query heads of a key head are rows of one product; as heads of their own they meet the mask.
        logits = graph.op("MatMul", graph.reshape(q, 0, groups, -1, size), graph.op("Transpose", k, perm=[0, 1, 3, 2]))
        logits = graph.op("Add", graph.reshape(logits, 0, heads, -1, 0), self.mask)
        weights = graph.op("Softmax", logits, axis=-1)
        out = graph.op("MatMul", graph.reshape(weights, 0, groups, -1, 0), v)
        out = graph.op("Transpose", graph.reshape(out, 0, heads, -1, size), perm=[0, 2, 1, 3])
        return self.linear(graph.reshape(out, 0, 0, heads * size), f"{name}.o_proj"), k, v

    def rotated(self, x: str, name: str, count: int) -> str:
        """Projected, normed per head where the architecture does, turned by its position: [B, count, T, D]."""
        graph, size = self.graph, self.shape.size
        value = graph.reshape(self.linear(x, f"{name}_proj"), 0, 0, count, size)
        if f"{name}_norm.weight" in self.checkpoint.files:
            value = self.norm(value, f"{name}_norm")
        value = graph.op("Transpose", value, perm=[0, 2, 1, 3])
        axis, half, end = (graph.constant([at], np.int64) for at in (3, size // 2, size))
        first = graph.op("Slice", value, graph.constant([0], np.int64), half, axis)
        second = graph.op("Slice", value, half, end, axis)
        turned = graph.op("Concat", graph.op("Neg", second), first, axis=-1)
        return graph.op("Add", graph.op("Mul", value, self.cos), graph.op("Mul", turned, self.sin))

    def heads(self, x: str) -> None:
        """Small and decisive: float32 whatever the rest is stored as."""
        graph = self.graph
        if not self.gated:
            return graph.output(self.linear(x, "score", "fp32"), "scores", ["batch", "tokens", self.take("score.weight")[0]])
        objectives = self.take("regression_layer.weight")[0]
        rewards = graph.op("MatMul", self.linear(x, "regression_layer", "fp32"), self.vector("reward_transform_matrix"))
        depth = sum(name.startswith("gating.layers.") and name.endswith(".weight") for name in self.checkpoint.files)
        gate = x
        for layer in range(depth):
            gate = self.linear(gate, f"gating.layers.{layer}", "fp32")
            if layer < depth - 1:
                gate = graph.op("Relu", gate)
        gate = graph.op("Softmax", graph.op("Div", gate, graph.constant(self.checkpoint.config["gating_temperature"])), axis=-1)
        graph.output(rewards, "rewards", ["batch", "tokens", objectives])
        graph.output(graph.op("Mul", gate, self.vector("gating.logit_scale")), "gate", ["batch", "tokens", objectives])
