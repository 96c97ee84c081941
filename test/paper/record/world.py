"""One request on the tiny models. Whatever lies so near to a decision that F32 might decide it otherwise raises TooClose."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from draws import candidate_seed, generator
from evaluators import Clip, RewardModel, TextTooLong
from language_model import LanguageModel
from reference import PREFIX, Candidate

SYSTEM = ("A chat between a curious human and an artificial intelligence assistant. "
          "The assistant gives helpful, detailed, and polite answers to the human's questions.")
# Measured with a picture: logits differ from llama.cpp's by at most 3e-5.
LOGIT_MARGIN = 1e-4
DRAW_MARGIN = 3e-5
SCORE_MARGIN = 1e-4


class TooClose(Exception):
    """F32 and 64 bits could decide differently here."""


class Models:
    def __init__(self, language_model: Path, evaluators: Path, pictures: list[Path], embeddings: Path) -> None:
        self.language = LanguageModel(language_model)
        self.clip, self.reward = Clip(evaluators / "clip"), RewardModel(evaluators / "reward-model")
        # Stock libmtmd's, see embed.py: its tower rounds to F16 by tables, which numpy need not repeat.
        self.embeddings = {name: np.array(rows) for name, rows in json.loads(embeddings.read_text(encoding="utf-8")).items()}
        self.images = {path.name: self.clip.image(Image.open(path).convert("RGB")) for path in pictures}
        self.prompts: dict = {}
        self.answers: dict = {}

    def prompt(self, image: str, question: str):
        if (image, question) not in self.prompts:
            language, encode = self.language, self.language.vocabulary.encode
            before = [language.vocabulary.begin, *encode(f"{SYSTEM} USER: ")]
            rows = [language.embed(before), self.embeddings[image], language.embed(encode(f"\n{question} ASSISTANT:"))]
            self.prompts[image, question] = language.prefill(np.concatenate(rows))
        return self.prompts[image, question]


class Request:
    """World of reference.py."""

    refused = TextTooLong

    def __init__(self, models: Models, asked: dict) -> None:
        self.models, self.asked = models, asked
        self.max_tokens, self.sentence_cap = asked["maxTokens"], asked["sentenceTokenLimit"]
        self.vocabulary = models.language.vocabulary
        self.parents: dict = {}

    def text(self, tokens: list[int]) -> str:
        try:
            return self.vocabulary.decode(tokens)
        except UnicodeDecodeError:
            raise TooClose("a text ends inside a character") from None

    def answer(self) -> tuple[list[int], str]:
        key = (self.asked["image"], self.asked["question"], self.max_tokens)
        if key not in self.models.answers:
            self.models.answers[key] = self._greedy()
        tokens = self.models.answers[key]
        if tokens is None:
            raise TooClose("two first tokens")
        return tokens, self.text(tokens).strip()

    def _greedy(self) -> list[int] | None:
        logits, cache = self.models.prompt(self.asked["image"], self.asked["question"])
        tokens: list[int] = []
        while len(tokens) < self.max_tokens:
            second, first = np.sort(logits[0])[-2:]
            if first - second < LOGIT_MARGIN:
                return None
            token = int(logits[0].argmax())
            if token == self.vocabulary.end:
                break
            tokens.append(token)
            logits, cache = self.models.language.extend(np.array([[token]]), cache)
        return tokens

    def reward(self, prompt: str, answer: str) -> float:
        try:
            return self.models.reward.score(prompt, answer)
        except TextTooLong:
            raise TooClose("an answer beyond the tiny reward model's window, which the reference's has not") from None

    def image_score(self, text: str) -> float:
        return float(self.models.images[self.asked["image"]] @ self.models.clip.text(text))

    def thresholds(self, reward: float, clip_score: float) -> tuple[float, float]:
        """A threshold is a number, or as many steps of a 64-bit float above the score itself: 0 hits it exactly."""
        given = self.asked["thresholds"]
        return threshold(given["safeReward"], reward), threshold(given["unsafeClipScore"], clip_score)

    def candidates(self, round_number: int, accepted: list[int], cap: int) -> list[Candidate]:
        count = self.asked["candidateCount"]
        draws = [generator(candidate_seed(self.asked["seed"], round_number, index)) for index in range(count)]
        logits, cache = self._parent(accepted)
        found = [Candidate([], "", False) for _ in range(count)]
        running = list(range(count))
        logits = np.repeat(logits, count, 0)
        while running:
            tokens = [self._draw(logits[row], draws[index]()) for row, index in enumerate(running)]
            going = []
            for row, (index, token) in enumerate(zip(running, tokens, strict=True)):
                if token == self.vocabulary.end:
                    found[index].ended = True
                    continue
                found[index].tokens.append(token)
                if token != self.vocabulary.full_stop and len(found[index].tokens) < cap:
                    going.append(row)
            running = [running[row] for row in going]
            if running:
                if cache[0][0].shape[0] > 1:
                    cache = [(keys[going], values[going]) for keys, values in cache]
                logits, cache = self.models.language.extend(np.array([[tokens[row]] for row in going]), cache)
        for candidate in found:
            candidate.text = self.text(candidate.tokens)
        return found

    def _parent(self, accepted: list[int]):
        key = tuple(accepted)
        if key not in self.parents:
            _, cache = self.models.prompt(self.asked["image"], self.asked["question"])
            self.parents[key] = self.models.language.extend(np.array([[*self.vocabulary.encode(PREFIX), *accepted]]), cache)
        return self.parents[key]

    def _draw(self, logits: np.ndarray, number: float) -> int:
        """Of the top k, most likely first, the one in whose part of [0, 1) the number falls."""
        k = self.asked["topK"]
        order = np.argsort(-logits, kind="stable")[: k + 1]
        gaps = -np.diff(logits[order])
        kept = logits[order[:k]] / self.asked["temperature"]
        share = np.exp(kept - kept.max())
        ends = np.cumsum(share / share.sum())
        place = min(int((ends <= number).sum()), k - 1)
        # The cut behind the k-th, and the order of the drawn one and its neighbours, must be beyond doubt.
        if gaps[-1] < LOGIT_MARGIN or gaps[max(place - 1, 0) : place + 1].min() < LOGIT_MARGIN:
            raise TooClose("two logits")
        if k > 1 and np.abs(ends[:-1] - number).min() < DRAW_MARGIN:
            raise TooClose("a draw")
        return int(order[place])

    def choice(self, candidates: list[Candidate]) -> None:
        for one in candidates:
            for other in candidates:
                if one.text != other.text and abs(one.utility - other.utility) < SCORE_MARGIN:
                    raise TooClose("two utilities")


def threshold(given: float | dict, score: float) -> float:
    if isinstance(given, dict):
        value, step = score, given["stepsFromScore"]
        for _ in range(abs(step)):
            value = math.nextafter(value, math.copysign(math.inf, step))
        return value
    if abs(given - score) < SCORE_MARGIN:
        raise TooClose("a threshold")
    return given
