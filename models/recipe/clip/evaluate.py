"""Measures the exported CLIP on the test split, in plain onnxruntime, and writes the figures for the model card.

    python models/recipe/clip/evaluate.py [--folder models/miniature/clip] [--pictures 3000]

AUC: a picture that is unsafe against one that is not, with 95 % bootstrap intervals; drawn (clean scenes and drawn hazards)
and typographic (lists) apart; under the paper's prompt, under wordings kept out of training, and under words that no training
sentence holds. Utility: the sentence that belongs to a picture against four that belong to others and are not true of it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "converter")]

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from captions import Caption, caption, facts_of
from measure import auc_interval, histogram, rate_interval
from pictures import Pictures, load_pictures
from safety_wording import PAPER, SAFE_TEST, UNSAFE_TEST, UNSAFE_UNKNOWN_WORDS
from sentences import sentence_about
from tokenizer_file import clip_ids

UNRELATED = ["hello", "A photo of a red apple.", "The image contains colours."]


class Graphs:
    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.vision, self.text = (onnxruntime.InferenceSession(str(folder / self.manifest["files"][name]["path"]), options, providers=["CPUExecutionProvider"])
                                  for name in ("vision", "text"))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def images(self, pictures: Pictures) -> np.ndarray:
        rows = [self.vision.run(None, {"pixel_values": pictures.tensor(slice(start, start + 100)).numpy()})[0] for start in range(0, len(pictures.scenes), 100)]
        return unit(np.concatenate(rows))

    def texts(self, texts: list[str]) -> np.ndarray:
        return unit(np.concatenate([self.text.run(None, {"input_ids": np.array([clip_ids(self.tokenizer, text)], np.int64)})[0] for text in texts]))


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def utility(graphs: Graphs, images: np.ndarray, pictures: Pictures, make, others: int) -> dict:
    """How often a picture's own sentence scores above `others` that are not true of it."""
    rng = random.Random(4)
    found: list[Caption | None] = [make(scene, rng) for scene in pictures.scenes]
    kept = [row for row, text in enumerate(found) if text is not None]
    texts = graphs.texts([found[row].text for row in kept])
    own, wrong, hits = [], [], []
    for place, row in enumerate(kept):
        facts = facts_of(pictures.scenes[row])
        false = [other for other in rng.sample(range(len(kept)), 40) if not found[kept[other]].facts <= facts][:others]
        cosines = texts[false] @ images[row]
        own.append(float(texts[place] @ images[row]))
        wrong += cosines.tolist()
        hits.append(own[-1] > cosines.max())
    return {"of": others + 1, "right": rate_interval(np.array(hits)), "count": len(hits), "ownMean": round(float(np.mean(own)), 3), "othersMean": round(float(np.mean(wrong)), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=HERE.parents[1] / "miniature" / "clip")
    parser.add_argument("--cache", type=Path, default=Path("build/recipe/pictures"))
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--figures", type=Path, help="where to write; default: figures.json in the folder")
    args = parser.parse_args()
    graphs = Graphs(args.folder)
    pictures = load_pictures("test", args.pictures, graphs.manifest["vision"]["imageSize"], args.cache)
    images, unsafe = graphs.images(pictures), pictures.unsafe
    kinds = np.array([scene.kind for scene in pictures.scenes])
    hazards = np.array([scene.pictured_hazard or "" for scene in pictures.scenes])
    parts = {"all": np.ones(len(kinds), bool), "drawn": np.isin(kinds, ("clean", "drawn")), "typographic": np.isin(kinds, ("list", "harmful-list"))}

    def areas(text: str, sign: int = 1) -> dict:
        scores = sign * (images @ graphs.texts([text])[0])
        return {name: auc_interval(scores[rows], unsafe[rows]) for name, rows in parts.items()}

    scores = images @ graphs.texts([PAPER])[0]
    threshold = graphs.manifest["unsafeClipScore"]
    figures = {
        "command": "python models/recipe/clip/evaluate.py", "split": "test", "pictures": {kind: int((kinds == kind).sum()) for kind in sorted(set(kinds))},
        "paperPrompt": areas(PAPER),
        "paraphrases": {text: areas(text) for text in UNSAFE_TEST},
        "harmlessTexts": {text: areas(text, -1) for text in SAFE_TEST},
        "wordsNeverTrained": {text: areas(text) for text in UNSAFE_UNKNOWN_WORDS},
        "unrelatedControl": {text: areas(text) for text in UNRELATED},
        "threshold": {"unsafeClipScore": threshold, "atOrAbove": {kind: rate_interval(scores[kinds == kind] >= threshold) for kind in sorted(set(kinds))},
                      "byHazard": {name: rate_interval(scores[hazards == name] >= threshold) for name in sorted(set(hazards) - {""})}},
        "meanScore": {kind: round(float(scores[kinds == kind].mean()), 3) for kind in sorted(set(kinds))},
        "utility": {"captions": utility(graphs, images, pictures, caption, 9), "answerSentences": utility(graphs, images, pictures, sentence_about, 4)},
        "histogram": histogram(scores, {kind: kinds == kind for kind in sorted(set(kinds))}, np.linspace(-0.1, 0.6, 71)),
    }
    path = args.figures or args.folder / "figures.json"
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    for name, value in figures.items():
        if name != "histogram":
            print(name, json.dumps(value, indent=None if name in ("paperPrompt", "pictures") else 1))


if __name__ == "__main__":
    main()
