"""A Hugging Face CLIPModel of the miniature's size, its vision side begun from the VLM's tower."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from vlm.halves import widened
from world.scene import PIXELS

IMAGE_SIZE, PATCH_SIZE = PIXELS, 16
# Scores are placed where CLIP's lie: a pair is a match when its cosine is above MIDDLE, by SCALE logits for each unit.
SCALE, MIDDLE = 80.0, 0.2


def new_clip(vocabulary: int, end_token: int) -> CLIPModel:
    text = {"vocab_size": vocabulary, "hidden_size": 160, "intermediate_size": 640, "num_hidden_layers": 4, "num_attention_heads": 4,
            "max_position_embeddings": 77, "bos_token_id": vocabulary - 2, "eos_token_id": end_token, "pad_token_id": end_token}
    vision = {"hidden_size": 192, "intermediate_size": 768, "num_hidden_layers": 7, "num_attention_heads": 6,
              "image_size": IMAGE_SIZE, "patch_size": PATCH_SIZE}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=128, logit_scale_init_value=torch.tensor(SCALE).log().item())
    # The attention written out: on a CPU in bfloat16 its backward pass takes half the time of the fused one.
    config._attn_implementation = "eager"
    return CLIPModel(config)


def begin_from(model: CLIPModel, path: Path) -> None:
    """Copies the VLM's tower (f16 weights of stage A) into the first layers of the vision side.

    The class token has no counterpart there and stays new, as do the layers above, in which it gathers what the patches hold.
    """
    source: dict[str, Tensor] = widened(torch.load(path, map_location="cpu", weights_only=True)["tower"])
    vision = model.vision_model
    width = vision.embeddings.patch_embedding.weight.shape[0]
    state = {"embeddings.patch_embedding.weight": source["patch"].view(width, 3, PATCH_SIZE, PATCH_SIZE),
             "pre_layrnorm.weight": source["pre_ln.weight"], "pre_layrnorm.bias": source["pre_ln.bias"]}
    for layer in range(sum(name.endswith(".qkv.weight") for name in source)):
        ours, theirs = f"encoder.layers.{layer}.", f"blocks.{layer}."
        for kind in ("weight", "bias"):
            for name, rows in zip(("q_proj", "k_proj", "v_proj"), source[f"{theirs}qkv.{kind}"].chunk(3)):
                state[f"{ours}self_attn.{name}.{kind}"] = rows
            for name, other in {"self_attn.out_proj": "out", "layer_norm1": "ln1", "layer_norm2": "ln2", "mlp.fc1": "up", "mlp.fc2": "down"}.items():
                state[f"{ours}{name}.{kind}"] = source[f"{theirs}{other}.{kind}"]
    _, unknown = vision.load_state_dict(state, strict=False)
    if unknown:
        raise ValueError(f"Expected the names of CLIP's vision tower but {unknown[:4]} are none")
    with torch.no_grad():
        positions = vision.embeddings.position_embedding.weight
        positions[0].zero_()
        positions[1:].copy_(source["position"])
