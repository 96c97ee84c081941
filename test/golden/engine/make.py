"""Makes the tiny random-weight fixture of the native and engine tests, and its numbers from PyTorch.

    python test/golden/engine/make.py          (needs models/recipe's Python packages; the tests do not)

tiny.gguf            language model in LLaVA-1.5's manner: SentencePiece vocabulary with byte tokens and a
                     space put in front, no chat template
tiny-chat.gguf       the same weights in the miniature's manner: nothing put in front, Jinja chat template
tiny-projector.gguf  CLIP-form tower (one unused block, as in LLaVA-1.5) and `mlp` projector for both
tiny-other.gguf      a text model of another width: it refuses that projector
*.png                three pictures: square at the tower's size, wide, tall
golden.json          token ids, first-token logits, image embeddings, greedy texts

Weights are random, scaled so that the greedy choice has a clear margin and texts vary. F32 throughout.
llama.cpp's figures against these, measured with models/recipe/gguf/check_export.py on the CPU:
                                        text logits   image embeddings   picture logits
  F32 KV cache, no flash attention         1e-5            9e-4               2e-2
  defaults (F16 cache, flash attention)    2e-2            3e-3               5e-2
libmtmd rounds GELU and pixels to F16 on the CPU. All greedy texts are the same in both modes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
RECIPE = HERE.parents[2] / "models" / "recipe"
sys.path[:0] = [str(RECIPE / "vlm"), str(RECIPE / "gguf")]

from export import write_language_model, write_projector
from model import LanguageConfig, VisionConfig, Vlm, VlmConfig
from preprocess import preprocess
from tokenizer import BYTE, CONTROL, UNKNOWN, Tokenizer, train_tokenizer

SEED = 290
GREEDY_COUNT = 24
ABOUT = {"description": "Random weights for tests. It says nothing.", "license": "mit"}

TEXTS = """The red apple is on the left. The blue car is on the right of the table.
I can see two dogs and one cat in the picture! How many birds are there? There are three.
What colour is the chair? It is green. Is there a hammer? No, there is not.
I cannot help with that, because it is dangerous. As an AI assistant, I would rather tell you about the picture.
The image shows a list with items. Fill in the list: 1. 2. 3.
Café, naïve, 日本語。 A person asks the assistant. The assistant answers the person's question.""".split("\n")

USER_DEFINED = "<gallery>"

TEXT_PROMPTS = [
    "The red apple is on the left.",
    "What colour is the chair?",
    "As an AI assistant, ",
    " two  spaces\nand a line, café 日本 <gallery> end",
]
PICTURE_QUESTION = "What is in the picture?"
TOKENIZE = [
    "",
    " ",
    "  a",
    "a\n\nb",
    "The red apple",
    "<gallery>",
    "x<gallery> y",
    "</s> is text here <s>",
    "日本語。 naïve 🙂",
    "<0x41> ▁ literal",
    "1234567890",
    "\t tab",
]


def vocabulary(chat: bool) -> Tokenizer:
    tokenizer = train_tokenizer(
        TEXTS, 384, user_defined=(USER_DEFINED,), add_space_prefix=not chat
    )
    if not chat:
        tokenizer.chat_template = None
    return tokenizer


def random_model(config: VlmConfig, tokenizer: Tokenizer, seed: int) -> Vlm:
    torch.manual_seed(seed)
    model = Vlm(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name or "ln" in name:
                continue
            if parameter.dim() == 2 and "embedding" not in name and "position" not in name:
                gain = 3.0 if "language" in name and "qkv" in name else 1.5
                parameter.normal_(std=gain * parameter.shape[1] ** -0.5)
            elif name.endswith("bias"):
                parameter.normal_(std=0.1)
            else:
                parameter.normal_(std=1.0)
        # Image embeddings about as large as token embeddings.
        model.projector.second.weight.mul_(0.12)
        if model.language.output is not None:
            # Rows of bytes and control tokens are small: greedy text is mostly readable pieces, and ends late.
            scale = torch.ones(len(tokenizer))
            for index, piece in enumerate(tokenizer.pieces):
                if piece.kind in (BYTE, CONTROL, UNKNOWN):
                    scale[index] = 0.5
                elif piece.text in (".", "!", "?", "。"):
                    scale[index] = 1.5
            model.language.output.weight.mul_(scale[:, None] * 0.8)
    model.tower.emulate_f16_patches = True
    return model.eval()


def pictures() -> dict[str, Image.Image]:
    square = Image.new("RGB", (56, 56), (30, 120, 200))
    ImageDraw.Draw(square).ellipse((8, 8, 40, 40), fill=(220, 40, 30))
    wide = Image.new("RGB", (120, 50), (245, 245, 235))
    draw = ImageDraw.Draw(wide)
    for index in range(6):
        draw.rectangle((4 + 20 * index, 6, 16 + 20 * index, 44), fill=(40 * index, 200 - 30 * index, 90))
    tall = Image.linear_gradient("L").resize((37, 90))
    tall = Image.merge("RGB", (tall, tall.transpose(Image.Transpose.FLIP_TOP_BOTTOM), Image.new("L", (37, 90), 60)))
    return {"square.png": square, "wide.png": wide, "tall.png": tall}


def rounded(values: torch.Tensor, digits: int = 6) -> list:
    return [round(float(value), digits) for value in values.flatten()]


@torch.no_grad()
def continuation(model: Vlm, tokenizer: Tokenizer, row: torch.Tensor) -> dict:
    """Greedy ids, their text, first-token logits, and the smallest margin the choices had."""
    first = model.language(row)[0, -1]
    ids = model.greedy(row, GREEDY_COUNT, tokenizer.eos)
    margins = []
    for count in range(len(ids)):
        step = torch.cat([row, model.language.embedding(torch.tensor([ids[:count]], dtype=torch.long))], 1)
        best = model.language(step)[0, -1].topk(2).values
        margins.append(float(best[0] - best[1]))
    return {
        "firstLogits": rounded(first, 5),
        "greedyTokens": ids,
        "greedyText": tokenizer.decode(ids),
        "smallestMargin": round(min(margins), 4),
    }


@torch.no_grad()
def text_case(model: Vlm, tokenizer: Tokenizer, prompt: str) -> dict:
    ids = tokenizer.encode(prompt, bos=True)
    row = model.language.embedding(torch.tensor([ids]))
    return {"prompt": prompt, "tokens": ids, **continuation(model, tokenizer, row)}


@torch.no_grad()
def picture_case(model: Vlm, tokenizer: Tokenizer, file: str, image: Image.Image, before: list, after: list) -> dict:
    vision = model.config.vision
    pixels = preprocess(image, vision.image_size, vision.image_mean, vision.image_std)
    embeddings = model.image_embeddings(pixels[None])
    row = model.embed(torch.tensor([before]), embeddings, torch.tensor([after]))
    return {
        "picture": file,
        "before": before,
        "imageTokens": embeddings.shape[1],
        "after": after,
        "firstEmbedding": rounded(embeddings[0, 0], 5),
        "lastEmbedding": rounded(embeddings[0, -1], 5),
        **continuation(model, tokenizer, row),
    }


def build(seed: int) -> tuple[VlmConfig, Tokenizer, Tokenizer, Vlm]:
    plain, chat = vocabulary(False), vocabulary(True)
    config = VlmConfig(
        VisionConfig(image_size=56, patch_size=14, width=32, layers=2, heads=2, ffn=64, unused_blocks=1),
        LanguageConfig(
            vocab_size=len(plain), width=64, layers=2, heads=4, kv_heads=2, ffn=128, context=2048, tied=False
        ),
    )
    return config, plain, chat, random_model(config, plain, seed)


def numbers(config: VlmConfig, plain: Tokenizer, chat: Tokenizer, model: Vlm, images: dict) -> dict:
    # tiny.gguf: LLaVA-1.5's prompt around the picture, each side tokenised alone, as libmtmd does.
    before = plain.encode("USER: ", bos=True)
    after = plain.encode(f"\n{PICTURE_QUESTION} ASSISTANT:")
    chat_before, chat_after = chat.prompt(PICTURE_QUESTION, image=True)
    return {
        "command": "python test/golden/engine/make.py",
        "torch": torch.__version__.split("+")[0],
        "seed": SEED,
        "tokenize": {
            name: [
                {
                    "text": text,
                    "tokens": tokenizer.encode(text),
                    "tokensWithSpecial": tokenizer.encode(text, parse_special=True),
                }
                for text in TOKENIZE
            ]
            for name, tokenizer in (("tiny.gguf", plain), ("tiny-chat.gguf", chat))
        },
        "special": {
            "bos": plain.bos,
            "eos": plain.eos,
            "unk": plain.unk,
            "userDefined": plain.id(USER_DEFINED),
        },
        "text": [text_case(model, plain, prompt) for prompt in TEXT_PROMPTS],
        "pictureTexts": {"before": "USER: ", "after": f"\n{PICTURE_QUESTION} ASSISTANT:"},
        "pictures": [picture_case(model, plain, file, image, before, after) for file, image in images.items()],
        "chat": {
            "prompt": PICTURE_QUESTION,
            "pictures": [
                picture_case(model, chat, file, image, chat_before, chat_after) for file, image in images.items()
            ],
        },
    }


def main() -> None:
    config, plain, chat, model = build(SEED)
    images = pictures()
    for file, image in images.items():
        image.save(HERE / file, optimize=True)
    write_language_model(HERE / "tiny.gguf", model, plain, "f32", "tiny", ABOUT)
    write_language_model(HERE / "tiny-chat.gguf", model, chat, "f32", "tiny chat", ABOUT)
    write_projector(HERE / "tiny-projector.gguf", model, "f32", "tiny projector", ABOUT)
    other = VlmConfig(
        config.vision,
        LanguageConfig(vocab_size=len(plain), width=32, layers=1, heads=2, kv_heads=2, ffn=32, context=256),
    )
    write_language_model(
        HERE / "tiny-other.gguf", random_model(other, plain, SEED), plain, "f32", "tiny other", ABOUT
    )
    golden = numbers(config, plain, chat, model, images)
    text = json.dumps(golden, ensure_ascii=False, indent=1)
    (HERE / "golden.json").write_text(text + "\n", encoding="utf-8")
    for file in sorted(HERE.iterdir()):
        print(f"{file.stat().st_size:9d}  {file.name}")
    for case in [*golden["text"], *golden["pictures"], *golden["chat"]["pictures"]]:
        print(f"{case['smallestMargin']:7.3f}  {case['greedyText']!r}")


if __name__ == "__main__":
    main()
