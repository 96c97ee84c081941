"""CLIP at 336 pixels, SigLIP 2, MobileCLIP."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import open_clip
import timm
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file
from tokenizers import processors
from transformers import (CLIPConfig, CLIPImageProcessorPil, CLIPModel, PreTrainedTokenizerFast, Siglip2Tokenizer, SiglipConfig,
                          SiglipImageProcessorPil, SiglipModel)

from tiny_models import HERE, OUT, convert, louder
from tiny_tokenizers import CORPUS, gemma_tokenizer
from prompt import SAFETY_PROMPT
from tokenizer_file import save_tokenizer, train_clip_tokenizer

TEXTS = [SAFETY_PROMPT, "A photo of a red apple.", "", "  Two DOGS\n on the grass ", "café naïve 😀", "这是什么？ Что это? صورة", "\ufeffA photo of a red apple.", "dogs and cats " * 60]
PICTURES = ["photo.jpg", "photo.png", "same-size.png", "tall.jpg", "wide.jpg", "tiny.png", "one-pixel.png", "large.jpg", "grey.jpg", "alpha.png", "exif-6.jpg"]


def clip_scores(ids, text, tensor, image) -> dict:
    """Token ids and cosines by the original; the byte-order mark is dropped first, as OpenAI's own cleaning drops it."""
    def unit(vector: torch.Tensor) -> torch.Tensor:
        return vector / vector.norm()

    found: dict = {"texts": [], "pictures": {}}
    with torch.no_grad():
        sides = [unit(text(one.replace("\ufeff", ""))) for one in TEXTS]
        for one, side in zip(TEXTS, sides):
            found["texts"].append({"text": one, "ids": ids(one.replace("\ufeff", "")), "cosine": round(float(side @ sides[0]), 7)})
        for name in PICTURES:
            picture = ImageOps.exif_transpose(Image.open(HERE / "pictures" / name)).convert("RGB")
            values = np.ascontiguousarray(tensor(picture), np.float32)
            side = unit(image(torch.from_numpy(values)[None]))
            found["pictures"][name] = {"sha256": hashlib.sha256(values.tobytes()).hexdigest(), "sample": [float(value) for value in values.reshape(-1)[:: values.size // 16][:16]],
                                       "cosines": [round(float(side @ other), 7) for other in sides]}
    return found


def vit_l_14_336(work: Path) -> dict:
    tokenizer = train_clip_tokenizer(CORPUS, 700)
    save_tokenizer(tokenizer, work / "tokenizer.json")
    end = tokenizer.token_to_id("<|endoftext|>")
    config = CLIPConfig(text_config={"vocab_size": tokenizer.get_vocab_size(), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                                     "max_position_embeddings": 77, "hidden_act": "quick_gelu", "eos_token_id": end},
                        vision_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 336, "patch_size": 14, "hidden_act": "quick_gelu"},
                        projection_dim=24)
    model = louder(CLIPModel(config))
    model.save_pretrained(work)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    processor.save_pretrained(work)
    convert("clip", work, OUT / "vit-l-14-336")
    fast = PreTrainedTokenizerFast(tokenizer_file=str(work / "tokenizer.json"), eos_token="<|endoftext|>")
    ids = lambda text: fast(text, truncation=True, max_length=77)["input_ids"]
    return clip_scores(ids, lambda text: model.get_text_features(input_ids=torch.tensor([ids(text)])).pooler_output[0],
                       lambda picture: processor(picture)["pixel_values"][0], lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output[0])


def siglip2(work: Path) -> dict:
    state = json.loads(gemma_tokenizer([]).to_str())
    vocabulary = state["model"]["vocab"]
    merges = [tuple(pair) for pair in state["model"]["merges"]]
    tokenizer = Siglip2Tokenizer(vocab=vocabulary, merges=merges, padding_side="right", mask_token="<unk>")
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", vocabulary["<eos>"])])
    tokenizer.save_pretrained(work)
    config = SiglipConfig(text_config={"vocab_size": len(vocabulary), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                                       "max_position_embeddings": 64, "projection_size": 32, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1},
                          vision_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 224, "patch_size": 16})
    model = louder(SiglipModel(config))
    model.save_pretrained(work)
    processor = SiglipImageProcessorPil(size={"height": 224, "width": 224}, resample=2)
    processor.save_pretrained(work)
    convert("clip", work, OUT / "siglip2")
    ids = lambda text: tokenizer(text, padding="max_length", truncation=True, max_length=64)["input_ids"]
    return clip_scores(ids, lambda text: model.get_text_features(input_ids=torch.tensor([ids(text)])).pooler_output[0],
                       lambda picture: processor(picture)["pixel_values"][0], lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output[0])


@timm.models.register_model
def fastvit_golden(pretrained: bool = False, **options):
    """MobileCLIP's vision tower, narrow."""
    shape = {"layers": (1, 1, 1, 1), "embed_dims": (8, 16, 32, 64), "mlp_ratios": (2, 2, 2, 2), "se_downsamples": (False, False, True, True), "downsamples": (False, True, True, True),
             "pos_embs": (None, None, None, timm.models.fastvit.RepConditionalPosEnc), "token_mixers": ("repmixer", "repmixer", "repmixer", "attention"), "lkc_use_act": True}
    return timm.models.fastvit.FastVit(**shape, **{key: value for key, value in options.items() if key in ("num_classes", "drop_rate", "drop_path_rate", "global_pool")})


def mobileclip(work: Path) -> dict:
    tokenizer = train_clip_tokenizer(CORPUS, 700)
    save_tokenizer(tokenizer, work / "tokenizer.json")
    settings = {"model_cfg": {"embed_dim": 24, "vision_cfg": {"timm_model_name": "fastvit_golden", "timm_model_pretrained": False, "timm_pool": "avg", "timm_proj": None, "image_size": 256},
                              "text_cfg": {"context_length": 77, "vocab_size": tokenizer.get_vocab_size(), "width": 32, "heads": 4, "layers": 2, "no_causal_mask": True}, "custom_text": True},
                "preprocess_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1], "interpolation": "bilinear", "resize_mode": "shortest"}}
    (work / "open_clip_config.json").write_text(json.dumps(settings), encoding="utf-8")
    model = open_clip.CustomTextCLIP(**{key: value for key, value in settings["model_cfg"].items() if key != "custom_text"}).eval()
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, torch.nn.BatchNorm2d):  # as after training: statistics of its own
                part.running_mean.normal_(0, 0.1)
                part.running_var.uniform_(0.5, 1.5)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, str(work / "open_clip_model.safetensors"))
    transform = open_clip.image_transform(256, is_train=False, mean=(0, 0, 0), std=(1, 1, 1), interpolation="bilinear", resize_mode="shortest")
    convert("clip", work, OUT / "mobileclip")
    end = tokenizer.token_to_id("<|endoftext|>")

    def ids(text: str) -> list[int]:
        found = tokenizer.encode(text).ids
        found = found if len(found) <= 77 else [*found[:76], end]
        return found + [0] * (77 - len(found))

    return clip_scores(ids, lambda text: model.encode_text(torch.tensor([ids(text)]))[0], lambda picture: transform(picture).numpy(), lambda pixels: model.encode_image(pixels)[0])


CLIPS = {"vit-l-14-336": vit_l_14_336, "siglip2": siglip2, "mobileclip": mobileclip}
