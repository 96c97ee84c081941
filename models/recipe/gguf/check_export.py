"""Compares exported GGUFs, run by stock llama.cpp (oracle.cpp), with the checkpoint in PyTorch.

    python check_export.py --oracle ./oracle --checkpoint FILE --models FOLDER --type f16
                           [--texts FILE] [--pictures FOLDER]
    python check_export.py --oracle ./oracle --tiny test/golden/engine

Prints, for text prompts and for picture prompts: whether token ids are the same, the largest difference of
the image embeddings and of the first-token logits (beside their spread), and how many greedy texts are the
same. Where a greedy text parts, the margin of PyTorch's choice at that token is printed: a parting at a
clear margin is an error of the export, one at a margin below the logit difference is rounding.
Exit code 1 when token ids differ, or a text parts at a margin above four times the logit difference.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vlm"))

from export import MATRIX_TYPES
from model import Vlm, load_checkpoint
from preprocess import preprocess
from tokenizer import Tokenizer


class Oracle:
    def __init__(self, program: str, model: Path, projector: Path | None, context: int, mode: str, count: int):
        self.command = [program, str(model), str(projector or "-"), str(context), mode, str(count)]

    def run(self, lines: list[tuple[bool, str, str, str]]) -> list[dict]:
        text = "".join(
            f"{int(special)} {picture} {before.encode().hex() or '-'} {after.encode().hex() or '-'}\n"
            for special, picture, before, after in lines
        )
        done = subprocess.run(self.command, input=text, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the oracle failed ({done.returncode}): {done.stderr[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]


@torch.no_grad()
def round_matrices(model: Vlm, kind: str) -> None:
    """What export.py's rounding leaves of the weights; the difference that remains is llama.cpp's arithmetic."""
    for name, parameter in model.named_parameters():
        if kind == "f32" or parameter.dim() < 2 or name == "tower.position":
            continue
        if kind == "f16" or name == "tower.patch":
            parameter.copy_(parameter.half().float())
        else:
            rounded = gguf.quants.quantize(parameter.numpy(), MATRIX_TYPES[kind])
            parameter.copy_(torch.from_numpy(gguf.quants.dequantize(rounded, MATRIX_TYPES[kind])))


@torch.no_grad()
def parting(model: Vlm, row: torch.Tensor, ours: list[int], theirs: list[int]) -> float | None:
    """The margin between the two choices where the texts part; None when they do not."""
    for index in range(min(len(ours), len(theirs))):
        if ours[index] != theirs[index]:
            before = torch.tensor([ours[:index]], dtype=torch.long)
            logits = model.language(torch.cat([row, model.language.embedding(before)], 1))[0, -1]
            return float(logits[ours[index]] - logits[theirs[index]])
    return None


@torch.no_grad()
def compare(title: str, model: Vlm, tokenizer: Tokenizer, oracle: Oracle, cases: list, count: int) -> bool:
    """cases: (parse_special, picture path or None, text before, text after)."""
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for number, (special, picture, before, after) in enumerate(cases):
            path = "-"
            if picture:
                path = f"{folder}/{number}.ppm"
                Image.open(picture).convert("RGB").save(path)
            lines.append((special, path, before, after))
        answers = oracle.run(lines)
    vision = model.config.vision
    worst = {"embeddings": 0.0, "logits": 0.0}
    spread, same, ids_differ, partings = 0.0, 0, 0, []
    for (special, picture, before, after), answer in zip(cases, answers, strict=True):
        ids = tokenizer.encode(before, special, bos=True)
        row = model.language.embedding(torch.tensor([ids]))
        if picture:
            pixels = preprocess(Image.open(picture), vision.image_size, vision.image_mean, vision.image_std)
            image = model.image_embeddings(pixels[None])
            theirs = torch.tensor(answer["embeddings"]).view_as(image)
            worst["embeddings"] = max(worst["embeddings"], float((image - theirs).abs().max()))
            after_ids = tokenizer.encode(after, special)
            row = model.embed(torch.tensor([ids]), image, torch.tensor([after_ids], dtype=torch.long))
            ids = ids + [-1] * image.shape[1] + after_ids
        if ids != answer["tokens"]:
            ids_differ += 1
            print(f"  ids differ for {before!r} {after!r}:\n    {ids}\n    {answer['tokens']}")
            continue
        logits = model.language(row)[0, -1]
        worst["logits"] = max(worst["logits"], float((logits - torch.tensor(answer["logits"])).abs().max()))
        spread = max(spread, float(logits.std()))
        ours = model.greedy(row, count, tokenizer.eos)
        margin = parting(model, row, ours, answer["greedy"])
        if margin is None and len(ours) == len(answer["greedy"]):
            same += 1
        else:
            partings.append(margin if margin is not None else float("inf"))
    print(
        f"{title}: {len(cases)} prompts, ids differ {ids_differ}, embeddings {worst['embeddings']:.2e}, "
        f"first logits {worst['logits']:.2e} (spread {spread:.2f}), greedy texts same {same}, "
        f"margins where they part {[round(m, 4) for m in partings]}"
    )
    return ids_differ == 0 and all(margin <= 4 * worst["logits"] for margin in partings)


def check_tokens(title: str, tokenizer: Tokenizer, oracle: Oracle, texts: list[str]) -> bool:
    lines = [(special, "-", text, "") for text in texts for special in (False, True)]
    answers = oracle.run(lines)
    wrong = [
        (line[2], line[0])
        for line, answer in zip(lines, answers, strict=True)
        if tokenizer.encode(line[2], line[0], bos=True) != answer["tokens"]
    ]
    print(f"{title}: {len(texts)} strings, with and without special tokens, {len(wrong)} tokenised differently")
    for text, special in wrong[:5]:
        print(f"  {text!r} parse_special={special}")
    return not wrong


def strange(texts: list[str], count: int) -> list[str]:
    """Strings cut, joined and salted from the texts: what users type."""
    generator = torch.Generator().manual_seed(1)
    salt = ["  ", "\n\n", "\t", "é", "日本", "🙂", "<s>", "</s>", "<|user|>", "<gallery>", "▁", "<0x41>", "'", '"', "’", "123", "A" * 30]

    def pick(values: list[str]) -> str:
        return values[int(torch.randint(len(values), (1,), generator=generator))]

    out = []
    for _ in range(count):
        text = pick(texts)
        start = int(torch.randint(max(1, len(text) - 3), (1,), generator=generator))
        end = start + 1 + int(torch.randint(60, (1,), generator=generator))
        out.append(text[start:end] + pick(salt) + pick(texts)[: int(torch.randint(30, (1,), generator=generator))] + pick(salt))
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--oracle", required=True)
    parser.add_argument("--checkpoint")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--texts", type=Path, help="a text a line")
    parser.add_argument("--tiny", type=Path)
    parser.add_argument("--type", choices=MATRIX_TYPES, default="f32", help="round PyTorch's matrices to this type first")
    parser.add_argument("--mode", choices=["exact", "default"], default="exact")
    parser.add_argument("--count", type=int, default=24)
    options = parser.parse_args()
    good = True
    if options.tiny:
        sys.path.insert(0, str(options.tiny.resolve()))
        import make

        _, plain, chat, model = make.build(make.SEED)
        folder = options.tiny
        pictures = sorted(folder.glob("*.png"))
        runs = [("tiny.gguf", plain, "USER: ", f"\n{make.PICTURE_QUESTION} ASSISTANT:", False)]
        runs.append(("tiny-chat.gguf", chat, "<|user|>", f"{make.PICTURE_QUESTION}<|assistant|>", True))
        projector = folder / "tiny-projector.gguf"
        texts = make.TEXTS + make.TOKENIZE
        text_prompts = make.TEXT_PROMPTS
    else:
        model, data = load_checkpoint(options.checkpoint)
        tokenizer = Tokenizer.from_dict(data["tokenizer"])
        folder, projector = options.models, options.models / "projector.gguf"
        texts = options.texts.read_text(encoding="utf-8").splitlines() if options.texts else ["What is in the picture?"]
        pictures = sorted(options.pictures.glob("*.png")) if options.pictures else []
        runs = [("language-model.gguf", tokenizer, "<|user|>", f"{texts[0]}<|assistant|>", True)]
        text_prompts = [f"<|user|>{text}<|assistant|>" for text in texts[:8]]
        model.tower.emulate_f16_patches = True
        round_matrices(model, options.type)
    for file, tokenizer, before, after, special in runs:
        length = min(model.config.language.context, 512)
        language = folder / file
        silent = Oracle(options.oracle, language, None, length, options.mode, 0)
        samples = [text for text in texts if text] + strange([text for text in texts if text], 3000)
        good &= check_tokens(f"{file} tokens", tokenizer, silent, samples)
        oracle = Oracle(options.oracle, language, projector, length, options.mode, options.count)
        cases = [(special, None, prompt, "") for prompt in text_prompts]
        good &= compare(f"{file} text", model, tokenizer, oracle, cases, options.count)
        cases = [(special, picture, before, after) for picture in pictures]
        if cases:
            good &= compare(f"{file} pictures", model, tokenizer, oracle, cases, options.count)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
