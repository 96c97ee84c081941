"""CLIP and reward model in onnxruntime, each answer and each text run whole and alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image
from tokenizers import Tokenizer


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def unit(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    return x / np.sqrt((x * x).sum())


class TextTooLong(Exception):
    """The text has more tokens than CLIP has positions: the reference throws."""


class Clip:
    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        files = self.manifest["files"]
        self.vision, self.words = session(folder / files["vision"]["path"]), session(folder / files["text"]["path"])
        self.tokenizer = Tokenizer.from_file(str(folder / files["tokenizer"]["path"]))
        self.known: dict[str, np.ndarray] = {}

    def image(self, image: Image.Image) -> np.ndarray:
        form = self.manifest["vision"]
        size, (width, height) = form["imageSize"], image.size
        short = min(width, height)
        image = image.resize((width * size // short, height * size // short), Image.Resampling.BICUBIC)
        left, top = (image.width - size) // 2, (image.height - size) // 2
        pixels = np.asarray(image.crop((left, top, left + size, top + size)), np.float32) / 255
        pixels = (pixels - np.float32(form["mean"])) / np.float32(form["std"])
        return unit(self.vision.run([form["output"]], {form["input"]: pixels.transpose(2, 0, 1)[None]})[0][0])

    def text(self, text: str) -> np.ndarray:
        if text not in self.known:
            form = self.manifest["text"]
            ids = self.tokenizer.encode(text).ids
            if len(ids) > form["maxTokens"]:
                raise TextTooLong(f"{len(ids)} tokens")
            self.known[text] = unit(self.words.run([form["output"]], {form["idsInput"]: np.array([ids], np.int64)})[0][0])
        return self.known[text]


class RewardModel:
    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        files = self.manifest["files"]
        self.graph = session(folder / files["graph"]["path"])
        self.tokenizer = Tokenizer.from_file(str(folder / files["tokenizer"]["path"]))
        self.known: dict[tuple[str, str], float] = {}

    def score(self, prompt: str, answer: str) -> float:
        key = (prompt, answer)
        if key not in self.known:
            self.known[key] = self._run(prompt, answer)
        return self.known[key]

    def _run(self, prompt: str, answer: str) -> float:
        # Qwen's chat form, written out: the two turns, each closed.
        text = "".join(f"<|im_start|>{role}\n{said}<|im_end|>\n" for role, said in (("user", prompt), ("assistant", answer)))
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        count, manifest = len(ids), self.manifest
        if count > manifest["maxTokens"]:
            raise TextTooLong(f"the reward model reads {manifest['maxTokens']} tokens, received {count}")
        cache = manifest["cache"]
        empty = np.zeros((1, cache["heads"], 0, cache["headSize"]), np.float32)
        feeds = {
            manifest["inputs"]["ids"]: np.array([ids], np.int64),
            manifest["inputs"]["positions"]: np.arange(count, dtype=np.int64)[None],
            manifest["inputs"]["mask"]["name"]: np.triu(np.full((count, count), -1e9, np.float32), 1)[None, None],
        }
        for layer in range(cache["layers"]):
            for kind in ("key", "value"):
                feeds[cache["past"].replace("{layer}", str(layer)).replace("{kv}", kind)] = empty
        return float(self.graph.run([manifest["score"]["output"]], feeds)[0].reshape(-1)[-1])
