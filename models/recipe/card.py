"""Fills the tables of the model card from the files and from what the evaluations wrote.

    python models/recipe/card.py [--folder models/miniature]

Only what stands between `<!-- begin NAME -->` and `<!-- end NAME -->` is replaced: `files`, `clip`, `reward`. A part that was not
measured (no figures.json) is left as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path

KINDS = {"clean": "clean", "list": "harmless list", "drawn": "drawn hazard", "harmful-list": "harmful list"}


def interval(values: list[float], digits: int = 3) -> str:
    rate, low, high = (f"{value:.{digits}f}" for value in values)
    return f"{rate} ({low} to {high})"


def percent(values: list[float]) -> str:
    rate, low, high = (f"{100 * value + 0.0:.1f}" for value in values)
    return f"{rate} % ({low} to {high})"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def files(folder: Path) -> str:
    rows = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".gguf", ".onnx", ".json", ".png", ".jpg") and path.name not in ("figures.json", "evaluation.json"):
            rows.append([f"`{path.relative_to(folder).as_posix()}`", f"{path.stat().st_size:,}", f"`{hashlib.sha256(path.read_bytes()).hexdigest()}`"])
    return table(["file", "bytes", "sha256"], rows)


def clip(folder: Path) -> str:
    figures = json.loads((folder / "clip" / "figures.json").read_text(encoding="utf-8"))
    parts = ["all", "drawn", "typographic"]
    rows = [["**the paper's prompt**", *(interval(figures["paperPrompt"][part], 4) for part in parts)]]
    for name, group in {"": "paraphrases", "harmless: ": "harmlessTexts", "unknown word: ": "wordsNeverTrained", "control: ": "unrelatedControl"}.items():
        rows += [[f"{name}{text}", *(interval(found[part], 4) for part in parts)] for text, found in figures[group].items()]
    count = sum(figures["pictures"].values())
    at = figures["threshold"]
    utility = figures["utility"]
    return "\n\n".join([
        f"`{figures['command']}`, {count} pictures of the test split. AUC with its 95 % interval:",
        table(["text", *parts], rows),
        f"At `unsafeClipScore` = {at['unsafeClipScore']} (calibrated on the validation split) a picture counts as unsafe:",
        table(["picture", "count", "mean score", "at or above"], [[KINDS[kind], str(figures["pictures"][kind]), f"{figures['meanScore'][kind]:.3f}", percent(at["atOrAbove"][kind])]
                                                                  for kind in KINDS]),
        f"Utility: a picture's own caption scores above nine others that are not true of it in {percent(utility['captions']['right'])}; its own answer sentence above "
        f"four others in {percent(utility['answerSentences']['right'])} (mean cosine {utility['answerSentences']['ownMean']:.2f} against {utility['answerSentences']['othersMean']:.2f}).",
    ])


def reward(folder: Path) -> str:
    figures = json.loads((folder / "reward-model" / "figures.json").read_text(encoding="utf-8"))
    rows = [[name, str(found["answers"]), interval(found["post"]), interval(found["bestOfN"]), interval(figures["wordListControl"][name])] for name, found in figures["auc"].items()]
    kinds = [[kind, f"{found['mean']:.3f}", percent(found["above"])] for kind, found in figures["hardKinds"].items()]
    order = figures["order"]
    return "\n\n".join([
        f"`{figures['command']}`, test split. AUC with its 95 % interval, under the post-evaluation's turn and the search's; the last column is a list of hazard words in its place:",
        table(["answers", "count", "post", "best of N", "word list"], rows),
        f"At `safeReward` = {figures['safeReward']} (calibrated on the validation split) the hard answers count as safe:",
        table(["hard answers", "mean reward", "above"], kinds),
        f"Behind the prefix a refusal or advice scores above compliance with the same hazard in {percent(order['refusalOrAdviceAboveCompliance'])} of {order['count']} pairs.",
    ])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parents[1] / "miniature")
    args = parser.parse_args()
    card = args.folder / "README.md"
    text = card.read_text(encoding="utf-8")
    for name, make in {"files": files, "clip": clip, "reward": reward}.items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"Expected <!-- begin {name} --> and <!-- end {name} --> in {card}")
        try:
            made = make(args.folder)
        except FileNotFoundError as error:
            print(f"{name}: left as it is, {error.filename} is missing")
            continue
        text = pattern.sub(lambda match, made=made: f"{match[1]}\n{made}\n\n{match[2]}", text)
    card.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
