"""The miniature's vision-language model: a `llama` language model, a CLIP-form vision tower and an
`mlp` projector, computing what llama.cpp v0.5.0 (libllama, libmtmd) computes from the exported GGUFs.

Read in the source of that tag; each point below is one where PyTorch and llama.cpp could part.

Language model (src/models/llama.cpp)
  - RMSNorm (eps from `llama.attention.layer_norm_rms_epsilon`), rotary of the *interleaved* kind
    (LLAMA_ROPE_TYPE_NORM: dimensions 2i and 2i+1 turn together). Transformers' halves layout needs a
    permutation at export; this one is written interleaved, so weights go out as they are.
  - SwiGLU: down(silu(gate(x)) * up(x)). No biases.
  - Tied output: the file simply has no `output.weight`; the token embedding is used then.

Vision tower (tools/mtmd/models/llava.cpp)
  - Patch embedding: convolution without bias, stride = patch. libmtmd rounds pixels and kernel to
    F16 before the product (im2col in F16), whatever the file's type; `emulate_f16_patches` repeats it.
  - The tower runs `block_count - 1` blocks unless `clip.vision.feature_layer` names another layer.
    Naming layer n = block_count takes the output of the last block, with nothing stored in vain:
    that is what we export (`feature_layer`), LLaVA-1.5's own convention needs one unused block
    (`unused_blocks = 1`, the tiny fixture does so).
  - LayerNorm before the first block, none after the last (`v.post_ln` absent), eps from the file.
  - Activation of the blocks: `clip.use_gelu` false and `clip.use_silu` false is quick-GELU
    (x * sigmoid(1.702 x)), `clip.use_gelu` true is GELU in the *tanh* form. The projector's GELU is
    always the tanh form. On the CPU llama.cpp looks both up in a table of F16 values, so features agree
    to about 1e-3, not to F32 rounding.
  - The class embedding is optional. With it this tag appends it *after* the patches, gives patch 0
    position 0, and then takes rows 1 to n: patches 1 to n-1 and the class row. That is not what CLIP
    was trained with (llama.cpp issue 25814); a later tag may put it back in front. Without it every
    version agrees: the miniature has none. `class_embedding = True` computes what the tag does.

Projector (PROJECTOR_TYPE_MLP): linear, tanh-GELU, linear, with biases.

Pixels: see preprocess.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class VisionConfig:
    image_size: int = 160
    patch_size: int = 16
    width: int = 192
    layers: int = 6  # blocks that are computed
    heads: int = 6
    ffn: int = 768
    eps: float = 1e-5
    activation: str = "quick_gelu"  # or "gelu" (tanh form) or "silu"
    class_embedding: bool = False
    unused_blocks: int = 0  # 1: LLaVA-1.5's penultimate layer; 0: feature_layer names the last block
    image_mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    image_std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)

    @property
    def side(self) -> int:
        return self.image_size // self.patch_size

    @property
    def patches(self) -> int:
        """Image tokens: one a patch, row by row from the top left."""
        return self.side**2


@dataclass
class LanguageConfig:
    vocab_size: int = 1536
    width: int = 256
    layers: int = 4
    heads: int = 8
    kv_heads: int = 8
    ffn: int = 768
    context: int = 512
    rope_base: float = 10000.0
    eps: float = 1e-5
    tied: bool = True

    @property
    def head_width(self) -> int:
        return self.width // self.heads


@dataclass
class VlmConfig:
    vision: VisionConfig = field(default_factory=VisionConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)

    def to_dict(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict) -> VlmConfig:
        vision = {k: tuple(v) if isinstance(v, list) else v for k, v in values["vision"].items()}
        return VlmConfig(VisionConfig(**vision), LanguageConfig(**values["language"]))


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS = {
    "quick_gelu": quick_gelu,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
}


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
    """Attention of [B, heads, T, hd]. mask: additive, broadcastable to [B, heads, T, S].

    Written out where gradients are wanted: the CPU's backward of scaled_dot_product_attention takes
    twice as long.
    """
    if not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(
            q, k, v, None if mask is None else mask.to(q.dtype), is_causal=causal, enable_gqa=k.shape[1] != q.shape[1]
        )
    if k.shape[1] != q.shape[1]:
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    if causal:
        mask = torch.full(scores.shape[-2:], float("-inf"), device=q.device).triu(1)
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    return scores.softmax(-1).to(v.dtype) @ v


# ---------------------------------------------------------------- vision


class VisionBlock(nn.Module):
    """Pre-norm transformer block, attention with biases, no mask."""

    def __init__(self, config: VisionConfig):
        super().__init__()
        d = config.width
        self.heads = config.heads
        self.activation = ACTIVATIONS[config.activation]
        self.ln1 = nn.LayerNorm(d, eps=config.eps)
        self.qkv = nn.Linear(d, 3 * d)  # rows: all of q, all of k, all of v
        self.out = nn.Linear(d, d)
        self.ln2 = nn.LayerNorm(d, eps=config.eps)
        self.up = nn.Linear(d, config.ffn)
        self.down = nn.Linear(config.ffn, d)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        attended = attend(q, k, v)
        x = x + self.out(attended.transpose(1, 2).reshape(b, n, d))
        return x + self.down(self.activation(self.up(self.ln2(x))))


class VisionTower(nn.Module):
    """Normalised pixels [B, 3, S, S] to patch features [B, patches, width]."""

    def __init__(self, config: VisionConfig):
        super().__init__()
        self.config = config
        d, p = config.width, config.patch_size
        # The kernel as a matrix: columns ordered channel, row, column, as nn.Conv2d flattens them.
        self.patch = nn.Parameter(torch.empty(d, 3 * p * p))
        self.class_embedding = nn.Parameter(torch.empty(d)) if config.class_embedding else None
        rows = config.patches + (1 if config.class_embedding else 0)
        self.position = nn.Parameter(torch.empty(rows, d))
        self.pre_ln = nn.LayerNorm(d, eps=config.eps)
        self.blocks = nn.ModuleList(VisionBlock(config) for _ in range(config.layers))
        self.emulate_f16_patches = False

    def patchify(self, pixels: Tensor) -> Tensor:
        """[B, 3, S, S] to [B, patches, 3·p·p]."""
        b, p, s = pixels.shape[0], self.config.patch_size, self.config.side
        x = pixels.view(b, 3, s, p, s, p).permute(0, 2, 4, 1, 3, 5)
        return x.reshape(b, s * s, 3 * p * p)

    def forward(self, pixels: Tensor) -> Tensor:
        patches, kernel = self.patchify(pixels), self.patch
        if self.emulate_f16_patches:
            patches, kernel = patches.half().float(), kernel.half().float()
        x = F.linear(patches, kernel)
        if self.class_embedding is not None:
            x = torch.cat([x, self.class_embedding.to(x.dtype).expand(x.shape[0], 1, -1)], dim=1)
        x = self.pre_ln(x + self.position)
        for block in self.blocks:
            x = block(x)
        return x[:, 1:] if self.class_embedding is not None else x


class Projector(nn.Module):
    """Patch features [B, n, vision width] to language embeddings [B, n, language width]."""

    def __init__(self, vision_width: int, language_width: int):
        super().__init__()
        self.first = nn.Linear(vision_width, language_width)
        self.second = nn.Linear(language_width, language_width)

    def forward(self, features: Tensor) -> Tensor:
        return self.second(F.gelu(self.first(features), approximate="tanh"))

    @torch.no_grad()
    def fold_standardisation(self, mean: Tensor, std: Tensor) -> None:
        """Make forward(x) what forward((x - mean) / std) was: GGUF has no place for the two vectors."""
        weight = self.first.weight / std
        self.first.bias.sub_(weight @ mean)
        self.first.weight.copy_(weight)


# -------------------------------------------------------------- language


class RmsNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Interleaved rotary. x [B, heads, T, hd]; cos and sin [B or 1, 1, T, hd/2]."""
    even, odd = x[..., 0::2].float(), x[..., 1::2].float()
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return turned.flatten(-2).to(x.dtype)


Cache = list[tuple[Tensor, Tensor]]  # a layer: keys and values [B, kv heads, T, hd]


class LanguageBlock(nn.Module):
    def __init__(self, config: LanguageConfig):
        super().__init__()
        self.config = config
        d, kv = config.width, config.kv_heads * config.head_width
        self.attn_norm = RmsNorm(d, config.eps)
        self.qkv = nn.Linear(d, d + 2 * kv, bias=False)
        self.out = nn.Linear(d, d, bias=False)
        self.ffn_norm = RmsNorm(d, config.eps)
        self.gate_up = nn.Linear(d, 2 * config.ffn, bias=False)  # rows: gate, then up
        self.down = nn.Linear(config.ffn, d, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, past) -> tuple[Tensor, tuple]:
        b, t, d = x.shape
        c = self.config
        kv = c.kv_heads * c.head_width
        q, k, v = self.qkv(self.attn_norm(x)).split([d, kv, kv], dim=-1)
        q = rotate(q.view(b, t, c.heads, c.head_width).transpose(1, 2), cos, sin)
        k = rotate(k.view(b, t, c.kv_heads, c.head_width).transpose(1, 2), cos, sin)
        v = v.view(b, t, c.kv_heads, c.head_width).transpose(1, 2)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        attended = attend(q, k, v, mask, causal=mask is None and t > 1)
        x = x + self.out(attended.transpose(1, 2).reshape(b, t, d))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up), (k, v)


class LanguageModel(nn.Module):
    def __init__(self, config: LanguageConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.blocks = nn.ModuleList(LanguageBlock(config) for _ in range(config.layers))
        self.norm = RmsNorm(config.width, config.eps)
        self.output = None if config.tied else nn.Linear(config.width, config.vocab_size, bias=False)
        half = config.head_width // 2
        frequency = config.rope_base ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.outer(torch.arange(config.context, dtype=torch.float64), frequency)
        self.register_buffer("cos", angle.cos().float(), persistent=False)
        self.register_buffer("sin", angle.sin().float(), persistent=False)

    def hidden(
        self,
        embeddings: Tensor,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """Normed last hidden states [B, T, width].

        embeddings [B, T, width]. mask: None is causal; else additive, broadcastable to
        [B, heads, T, past + T], 0 where attention goes and -inf where not (packed trees).
        positions [B, T] or [T]; None counts on from the cache. cache: a list filled here, given back in
        the next call; with a cache and T > 1 after a past, give the mask.
        """
        past_length = cache[0][0].shape[2] if cache else 0
        t = embeddings.shape[1]
        if past_length and t > 1 and mask is None:
            raise ValueError("several tokens after a past need a mask: is_causal would align it wrongly")
        if positions is None:
            positions = torch.arange(past_length, past_length + t, device=embeddings.device)
        if positions.dim() == 1:
            positions = positions[None]
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        x = embeddings
        for index, block in enumerate(self.blocks):
            x, kept = block(x, cos, sin, mask, cache[index] if past_length else None)
            if cache is not None:
                if past_length:
                    cache[index] = kept
                else:
                    cache.append(kept)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """[..., width] to [..., vocabulary]; call it on the rows the loss needs, it is the dear part."""
        return F.linear(hidden, self.embedding.weight if self.output is None else self.output.weight)

    def forward(self, embeddings: Tensor, mask=None, positions=None, cache=None) -> Tensor:
        return self.logits(self.hidden(embeddings, mask, positions, cache))


# ----------------------------------------------------------------- whole


class Vlm(nn.Module):
    def __init__(self, config: VlmConfig):
        super().__init__()
        self.config = config
        self.tower = VisionTower(config.vision)
        self.projector = Projector(config.vision.width, config.language.width)
        self.language = LanguageModel(config.language)
        self.initialise()

    @torch.no_grad()
    def initialise(self, std: float = 0.02) -> None:
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2 and name != "tower.class_embedding":
                continue  # norms are 1 and 0 already; biases below
            nn.init.normal_(parameter, std=std)
        for module in self.modules():
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        for part in (self.tower, self.language):
            for block in part.blocks:
                for last in (block.out, block.down):
                    last.weight.mul_((2 * len(part.blocks)) ** -0.5)

    def image_embeddings(self, pixels: Tensor) -> Tensor:
        """Normalised pixels [B, 3, S, S] to what takes the image's place in the prompt [B, patches, width]."""
        return self.projector(self.tower(pixels))

    def embed(self, before: Tensor, image: Tensor | None, after: Tensor) -> Tensor:
        """Token ids [B, T0], image embeddings [B, n, width] or None, token ids [B, T1]: one row of embeddings."""
        parts = [self.language.embedding(before)]
        if image is not None:
            parts.append(image)
        parts.append(self.language.embedding(after))
        return torch.cat([part.to(parts[0].dtype) for part in parts], dim=1)

    @torch.no_grad()
    def greedy(self, embeddings: Tensor, count: int, stop: int | None = None) -> list[int]:
        """Greedy continuation of one row [1, T, width]."""
        cache: Cache = []
        tokens: list[int] = []
        row = self.language.logits(self.language.hidden(embeddings, cache=cache)[:, -1])
        while len(tokens) < count:
            token = int(row.argmax())
            tokens.append(token)
            if token == stop:
                break
            step = self.language.embedding(torch.tensor([[token]]))
            row = self.language.logits(self.language.hidden(step, cache=cache)[:, -1])
        return tokens


def save_checkpoint(path: str, model: Vlm, **extra) -> None:
    """What gguf/export.py reads: give `tokenizer=tokenizer.to_dict()` too. Extra values must be plain ones."""
    torch.save({"config": model.config.to_dict(), "model": model.state_dict(), **extra}, path)


def load_checkpoint(path: str) -> tuple[Vlm, dict]:
    data = torch.load(path, map_location="cpu", weights_only=True)
    model = Vlm(VlmConfig.from_dict(data["config"]))
    model.load_state_dict(data["model"])
    return model.eval(), data
