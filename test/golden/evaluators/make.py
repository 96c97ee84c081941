"""Makes this folder: tiny random models through the recipe's exporters, pictures of every kind, and what PyTorch,
transformers and PIL compute from them. Needs the converter's requirements.

    python test/golden/evaluators/make.py
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "models" / "converter"))

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file
from transformers import (BertConfig, BertForSequenceClassification, CLIPConfig, CLIPImageProcessorPil, CLIPModel, LlamaConfig,
                          LlamaModel, Qwen3Config, Qwen3ForSequenceClassification)

from checkpoint import Checkpoint
from decoder import RewardDecoder
from export_clip import ClipOracle, export_clip
from export_reward import export_causal, export_encoder
from graph_file import write_graph
from manifest import file_entry, write_manifest
from prompt import BEST_OF_N_PROMPT, LLAMA_TEMPLATE, POST_PROMPT, PREFIX, QWEN_TEMPLATE, SAFETY_PROMPT
from reward_oracle import RewardOracle
from tokenizer_file import clip_ids, save_tokenizer, train_chat_tokenizer, train_clip_tokenizer

CORPUS = [SAFETY_PROMPT, PREFIX, POST_PROMPT, BEST_OF_N_PROMPT,
          "As an AI assistant, I cannot help with that. Please ask an expert. Here are the steps. Mix them all. "
          "A photo of a red apple. Two dogs on the grass. Three cats beside a tree. hello world"] * 4
ANSWERS = ["As an AI assistant, I cannot help with that.", "As an AI assistant, here are the steps.", "As an AI assistant, ask an expert!\n\nMix",
           "As an AI assistant, I can", "naïve café 😀 \n\n tail"]
TEXTS = [SAFETY_PROMPT, "hello", "", "  Two DOGS\n on the grass ", "caf\u00e9 na\u00efve \U0001f600", "\ufeffhello", "dogs and cats " * 60]

SAFE_REWARD, UNSAFE_CLIP_SCORE = 0.06, 0.16  # the paper's, which mean nothing here: other tests need some


def louder(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights large enough that scores differ."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    return model.eval()


def scores(checkpoint: Path, manifest: dict) -> list[float]:
    oracle = RewardOracle(Checkpoint(checkpoint), manifest)
    return oracle.scores([[{"role": "user", "content": BEST_OF_N_PROMPT}, {"role": "assistant", "content": answer}] for answer in ANSWERS])


class PlainMask(torch.nn.Module):
    """The forms that other exporters write: a mask [B, P+T] of ones, positions counted inside, a cache or none."""

    def __init__(self, decoder: RewardDecoder, config, cached: bool) -> None:
        super().__init__()
        self.decoder, self.config, self.cached = decoder, config, cached

    def forward(self, input_ids, attention_mask, *past):
        config = self.config
        past = past or [torch.zeros(1, config.num_key_value_heads, 0, config.head_dim)] * (2 * config.num_hidden_layers)
        columns = torch.arange(attention_mask.shape[1])
        rows = columns[-input_ids.shape[1]:]
        mask = (columns[None, :] > rows[:, None]).float() * -1e9
        found = self.decoder(input_ids, rows[None], mask[None, None], *past)
        return found if self.cached else found[0]


def plain_mask(work: Path, cached: bool) -> None:
    """reward-scalar's weights in a graph whose mask cannot hide branches from each other."""
    out = HERE / ("reward-plain-mask" if cached else "reward-no-cache")
    config = Qwen3Config.from_pretrained(work)
    decoder = RewardDecoder(config)
    checkpoint = Checkpoint(work)
    decoder.load_state_dict({name: checkpoint.tensor(name) for name in checkpoint.files}, strict=False)
    inputs = {"input_ids": torch.ones(1, 5, dtype=torch.int64), "attention_mask": torch.ones(1, 8 if cached else 5, dtype=torch.int64)}
    axes = {"input_ids": {1: "tokens"}, "attention_mask": {1: "all"}, "scores": {1: "tokens"}}
    outputs = ["scores"]
    for name in [f"{layer}.{kv}" for layer in range(config.num_hidden_layers) for kv in ("key", "value")] if cached else []:
        inputs["past_key_values." + name] = torch.zeros(1, config.num_key_value_heads, 3, config.head_dim)
        outputs.append("present." + name)
        axes |= {"past_key_values." + name: {2: "past"}, "present." + name: {2: "all"}}
    write_graph(PlainMask(decoder, config, cached), out / "model.onnx", inputs, outputs, axes)
    shutil.copyfile(work / "tokenizer.json", out / "tokenizer.json")
    manifest = json.loads((HERE / "reward-scalar" / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"name": out.name, "files": {"graph": file_entry(out, out / "model.onnx"), "tokenizer": file_entry(out, out / "tokenizer.json"), "externalData": []}}
    manifest["inputs"] |= {"positions": None, "mask": {"name": "attention_mask", "type": "padding-2d"}}
    if not cached:
        manifest["cache"] = None
    write_manifest(out, manifest)


def scalar(work: Path) -> list[float]:
    tokenizer = train_chat_tokenizer(CORPUS, 400, ["<|im_start|>", "<|im_end|>"])
    save_tokenizer(tokenizer, work / "tokenizer.json")
    config = Qwen3Config(vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, head_dim=8, max_position_embeddings=2048, num_labels=1, pad_token_id=None)
    louder(Qwen3ForSequenceClassification(config)).save_pretrained(work)
    return scores(work, export_causal(work, HERE / "reward-scalar", name="tiny-scalar", template=QWEN_TEMPLATE, end_of_turn="<|im_end|>\n", safe_reward=SAFE_REWARD))


def gated(work: Path) -> list[float]:
    tokenizer = train_chat_tokenizer(CORPUS, 400, ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"])
    save_tokenizer(tokenizer, work / "tokenizer.json")
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=2048, pad_token_id=None)
    config.num_objectives, config.gating_hidden_dim, config.gating_n_hidden, config.gating_temperature = 5, 16, 2, 10
    config.save_pretrained(work)
    state = {"model." + key: value.contiguous() for key, value in louder(LlamaModel(config)).state_dict().items()}
    state |= {"regression_layer.weight": torch.randn(5, 32) / 8, "reward_transform_matrix": torch.eye(5) + 0.1 * torch.randn(5, 5),
              "gating.logit_scale": torch.tensor([1.3]), "gating.layers.2.weight": torch.randn(5, 16) * 8}
    for layer, (before, after) in enumerate([(32, 16), (16, 16)]):
        state |= {f"gating.layers.{layer}.weight": torch.randn(after, before), f"gating.layers.{layer}.bias": torch.randn(after)}
    save_file(state, str(work / "model.safetensors"))
    pattern = tokenizer.encode("<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", add_special_tokens=False).ids
    return scores(work, export_causal(work, HERE / "reward-gated", name="tiny-gated", template=LLAMA_TEMPLATE, end_of_turn="<|eot_id|>", gate_pattern=pattern, safe_reward=SAFE_REWARD))


def encoder(work: Path) -> list[float]:
    tokenizer = train_chat_tokenizer(CORPUS, 400, ["[CLS]", "[SEP]"], ("[CLS]", "[SEP]"))
    save_tokenizer(tokenizer, work / "tokenizer.json")
    config = BertConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_labels=1)
    louder(BertForSequenceClassification(config)).save_pretrained(work)
    return scores(work, export_encoder(work, HERE / "reward-encoder", name="tiny-encoder", safe_reward=SAFE_REWARD))


def photo(width: int, height: int, seed: int = 1) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([127 + 100 * np.sin(x / 17 + y / 31), 127 + 90 * np.cos(x / 11 - y / 23), (x * 3 + y * 2) % 256], -1)
    return Image.fromarray((waves + np.random.default_rng(seed).normal(0, 6, waves.shape)).clip(0, 255).astype(np.uint8))


def png16(pixels: np.ndarray) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + pixels[row].astype(">u2").tobytes() for row in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pictures(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    base = photo(96, 72)
    base.save(folder / "photo.jpg", quality=88)
    base.save(folder / "photo.png")
    base.save(folder / "photo.webp", quality=80)
    base.save(folder / "photo.tif", compression="tiff_deflate")
    photo(56, 56).save(folder / "same-size.png")
    photo(24, 300).save(folder / "tall.jpg")
    photo(301, 23).save(folder / "wide.jpg")
    photo(3, 2).save(folder / "tiny.png")
    photo(1, 1).save(folder / "one-pixel.png")
    photo(640, 480).save(folder / "large.jpg", quality=60)
    base.convert("L").save(folder / "grey.jpg")
    base.convert("L").save(folder / "grey.png")
    base.convert("1").save(folder / "bilevel.png")
    base.convert("P").save(folder / "palette.png")
    base.convert("P").save(folder / "palette-transparent.png", transparency=5)
    base.convert("P").save(folder / "palette.gif")
    clear = base.copy()
    clear.putalpha(photo(96, 72, 2).convert("L"))
    clear.save(folder / "alpha.png")
    clear.convert("LA").save(folder / "grey-alpha.png")
    clear.save(folder / "alpha.webp", lossless=True, exact=True)
    base.convert("CMYK").save(folder / "cmyk.jpg", quality=90)
    base.convert("CMYK").save(folder / "cmyk.tif", compression="tiff_deflate")
    (folder / "rgb-16-bit.png").write_bytes(png16(np.asarray(base).astype(np.uint16) * 257 + 5))
    exif = base.getexif()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        base.save(folder / f"exif-{orientation}.jpg", exif=exif, quality=85)


def sha256(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def main() -> None:
    torch.manual_seed(7)
    golden: dict = {"prompt": BEST_OF_N_PROMPT, "answers": ANSWERS, "scores": {}, "texts": [], "pictures": {}}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name, make in {"reward-scalar": scalar, "reward-gated": gated, "reward-encoder": encoder}.items():
            golden["scores"][name] = make(work / name)
        for cached in (True, False):
            plain_mask(work / "reward-scalar", cached)
        clip = work / "clip"
        tokenizer = train_clip_tokenizer(CORPUS, 700)
        save_tokenizer(tokenizer, clip / "tokenizer.json")
        louder(CLIPModel(CLIPConfig(
            text_config={"vocab_size": tokenizer.get_vocab_size(), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
                         "num_attention_heads": 4, "max_position_embeddings": 77},
            vision_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 56, "patch_size": 14},
            projection_dim=16))).save_pretrained(clip)
        export_clip(clip, HERE / "clip", name="tiny-clip", unsafe_clip_score=UNSAFE_CLIP_SCORE)
        oracle = ClipOracle(clip)
        for text in TEXTS:
            golden["texts"].append({"text": text, "ids": clip_ids(tokenizer, text)})
        processor = CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
        safety = oracle.text(SAFETY_PROMPT)
        pictures(HERE / "pictures")
        for path in sorted((HERE / "pictures").iterdir()):
            image = ImageOps.exif_transpose(Image.open(path))
            rgb = np.asarray(image.convert("RGB"))
            values = processor(Image.fromarray(rgb), return_tensors="np")["pixel_values"][0].astype(np.float32)
            golden["pictures"][path.name] = {"width": image.width, "height": image.height, "rgbSha256": sha256(rgb), "tensorSha256": sha256(values),
                                             "safetyCosine": float(torch.cosine_similarity(oracle.image(torch.tensor(values)[None]), safety, dim=0))}
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
