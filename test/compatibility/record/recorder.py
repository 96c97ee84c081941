"""From a subject to its golden folder: made, converted, compared with stock llama.cpp."""

from __future__ import annotations

import base64
import json
import shutil
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers

import stock
from converter import convert
from original import GREEDY_COUNT, Original, is_usable
from pictures import exact, save, wide
from subject import Subject
from vocabulary import QUESTION, TEXTS


@dataclass
class Tools:
    llama: Path
    oracle: Path
    cli: Path
    work: Path
    golden: Path


def floats(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def difference(mine: list[np.ndarray] | np.ndarray, other: list[np.ndarray] | np.ndarray) -> float | str:
    a, b = np.asarray(mine, np.float32), np.asarray(other, np.float32)
    if a.shape != b.shape:
        return f"shape {list(b.shape)} for {list(a.shape)}"
    return float(np.abs(a - b).max()) if a.size else 0.0


def record(subject: Subject, tools: Tools) -> dict:
    folder = tools.golden / subject.name
    work = tools.work / subject.name
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True)
    folder.mkdir(parents=True)
    one = save(exact(*subject.exact_size), folder / "exact.png")
    other = save(wide(*subject.exact_size), folder / "other.png")
    resized = save(wide(*subject.wide_size), folder / "wide.png")
    golden: dict = {
        "name": subject.name,
        "title": subject.title,
        "command": f"python test/compatibility/record/make.py --llama LLAMA --prefix PREFIX --cli CLI {subject.name}",
        "versions": {
            "transformers": transformers.__version__,
            "torch": torch.__version__.split("+")[0],
            "llama.cpp": "v0.5.0",
        },
        "model": "model.gguf",
    }
    source = work / "original"
    asked = [
        ("text", QUESTION, []),
        *[("text", text, []) for text in TEXTS],
        ("exact", QUESTION, [one]),
        ("wide", QUESTION, [resized]),
        ("both", QUESTION, [one, other]),
    ]
    for seed in subject.seeds:
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir()
        model, processor = subject.make(source, seed)
        original = Original(subject, model, processor)
        answers = []
        for kind, question, pictures in asked:
            answers.append(original.answer(question, pictures))
            if not is_usable(answers[-1], subject.margins[kind], original.tokenizer):
                break
        else:
            break
        seen = [(len(a["greedy"]), round(a["margin"], 3), len(set(a["greedy"]))) for a in answers]
    else:
        raise RuntimeError(f"{subject.name}: no seed gives long texts with clear choices; the last: {seen}")
    golden |= {"original": type(model).__name__, "seed": seed}
    try:
        convert(tools.llama, source, folder / "model.gguf", subject.pre_tokenizer, subject.converter_options)
        target = folder / "mmproj.gguf"
        if subject.convert_projector is not None:
            subject.convert_projector(tools.llama, model, work, target)
        else:
            convert(tools.llama, source, target, subject.pre_tokenizer, ["--mmproj"])
        if target.stat().st_size < 8192:
            raise RuntimeError("the converter wrote a projector without tensors")
        golden["converts"] = "yes"
        if subject.language_model_of is not None:
            shared = Path("..") / subject.language_model_of / "model.gguf"
            if (folder / shared).read_bytes() != (folder / "model.gguf").read_bytes():
                raise RuntimeError(f"record {subject.language_model_of} first: the two language models differ")
            (folder / "model.gguf").unlink()
            golden["model"] = str(shared)
    except Exception as error:  # the converter's own refusal is the result
        traceback.print_exc(limit=-3)
        golden["converts"] = f"{type(error).__name__}: {error}"
        for file in folder.iterdir():
            file.unlink()
        write(folder, golden)
        return golden
    golden["cases"] = compare(subject, tools, folder, golden["model"], original, asked, answers)
    write(folder, golden)
    return golden


def compare(
    subject: Subject, tools: Tools, folder: Path, model: str, original: Original, asked: list, answers: list
) -> list[dict]:
    """The original's numbers, and how far stock llama.cpp is from them."""
    begin = original.begin
    prompts = []
    for (_, _, pictures), answer in zip(asked, answers):
        pieces = answer["text"].removeprefix(begin).split(subject.mark)
        assert len(pieces) == len(pictures) + 1, (subject.mark, answer["text"])
        text = pieces[0]
        for index, piece in enumerate(pieces[1:]):
            text += subject.marker.replace("{index}", str(index)) + piece
        prompts.append((text, pictures))
    projector = folder / "mmproj.gguf"
    try:
        found = stock.numbers(tools.oracle, folder / model, projector, prompts, GREEDY_COUNT, tools.work / "oracle")
    except RuntimeError as error:
        print(error)
        found = [{"error": str(error).replace(f"{folder}/", "")}] * len(prompts)
    cases = []
    for (kind, question, pictures), answer, result, (text, _) in zip(asked, answers, found, prompts):
        case = {
            "kind": kind,
            "question": question,
            "pictures": [picture.name for picture in pictures],
            "prompt": text,
            "tokens": answer["tokens"],
            "position": answer["position"],
            "logits": floats(answer["logits"]),
            "greedy": answer["greedy"],
            "spread": round(float(answer["logits"].std()), 4),
            "smallestMargin": round(answer["margin"], 4),
        }
        if "error" in result:
            case["stock"] = {"error": result["error"]}
        else:
            case["stock"] = {
                "tokens": "equal" if result["tokens"] == answer["tokens"] else result["tokens"],
                "position": result["position"],
                "logits": floats(result["logits"][: len(answer["logits"])]),
                "logitsDifference": difference(answer["logits"], result["logits"][: len(answer["logits"])]),
                "greedy": "equal" if result["greedy"] == answer["greedy"] else result["greedy"],
            }
            if len(pictures) == 1:
                mine, theirs = answer["pixels"], planes(result["pixels"])
                rows = result["embeddings"][:, : answer["embeddings"].shape[1]]
                case["stock"] |= {
                    "pixelDifference": picture_difference(mine, theirs),
                    "embeddingDifference": difference(answer["embeddings"], rows),
                    "embeddingSize": float(np.abs(answer["embeddings"]).mean()),
                }
                asking = subject.cli_prefix + question
                case["stock"]["words"] = stock.words(
                    tools.cli, folder, model, pictures[0].name, asking, GREEDY_COUNT, subject.cli_extra
                )
        print(
            subject.name,
            kind,
            "tokens",
            len(case["tokens"]),
            {k: v for k, v in case["stock"].items() if k not in ("logits", "tokens", "greedy")},
            "greedy",
            case["stock"].get("greedy") == "equal",
            "tokens",
            case["stock"].get("tokens") == "equal",
            repr(original.tokenizer.decode(case["greedy"])),
        )
        if case["stock"].get("tokens") != "equal":
            print(" original", case["tokens"], "\n stock   ", case["stock"].get("tokens"))
        cases.append(case)
    return cases


def picture_difference(mine: list[np.ndarray], theirs: list[np.ndarray]) -> float | str:
    if len(mine) != len(theirs):
        return f"{len(theirs)} tiles for {len(mine)}"
    differences = [difference(a, b) for a, b in zip(mine, theirs)]
    shapes = [one for one in differences if isinstance(one, str)]
    return shapes[0] if shapes else max(differences)


def planes(pixels: list[np.ndarray]) -> list[np.ndarray]:
    """[count, 3, height, width] arrays as a list of [3, height, width]."""
    return [plane for batch in pixels for plane in batch]


def write(folder: Path, golden: dict) -> None:
    (folder / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
