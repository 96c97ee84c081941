"""Writes decisions.json.gz: the reference's algorithm on scripts instead of models, for what tiny models cannot be brought
to: the paper's own 1024 tokens, equal utilities of different texts, any order of ends and caps.

    python test/paper/record/decisions.py
"""

from __future__ import annotations

import gzip
import json
import random

from evaluators import TextTooLong
from places import TRACES
from reference import POST_PROMPT, SAFETY_PROMPT, Candidate, run

SEED = 11
RUN_COUNT = 240
# Multiples of 1/64 are exact in binary: sums tie where they are equal.
GRID = 64


class Script:
    """World of reference.py. Candidate (round, index) would say `wants` tokens and then end its sentence or the answer."""

    refused = TextTooLong

    def __init__(self, rng: random.Random) -> None:
        self.max_tokens = rng.choice([1024, 1024, 200, 70, 1])
        self.sentence_cap = rng.choice([70, 70, 12, 2])
        self.count = rng.choice([1, 2, 3, 5, 5, 8])
        self.rng, self.ends = rng, rng.choice([0.0, 0.02, 0.2])
        self.values = rng.choice([2, 5, 40])  # few values: many ties
        self.rounds: list[list[dict]] = []

    def grid(self) -> float:
        return self.rng.randrange(-self.values, self.values + 1) / GRID

    def answer(self):
        return [], "unsafe"

    def thresholds(self, reward: float, clip_score: float):
        return 1e6, -1

    def text(self, tokens: list[int]) -> str:
        return "".join(map(str, tokens))

    def choice(self, candidates: list[Candidate]) -> None:
        pass

    def reward(self, prompt: str, answer: str) -> float:
        return 0.0 if prompt == POST_PROMPT else self.rewards.pop(0)

    def image_score(self, text: str) -> float:
        return 0.0 if text == SAFETY_PROMPT else self.clip.pop(0)


    def candidates(self, round_number: int, accepted: list[int], cap: int) -> list[Candidate]:
        found, script = [], []
        for _ in range(self.count):
            wants = self.rng.choice([0, 1, self.rng.randrange(0, cap + 3), self.rng.randrange(0, cap + 3), cap - 1, cap, cap + 1])
            ends = wants == 0 or self.rng.random() < self.ends  # nothing at all is said by an end alone
            count = min(wants, cap)
            script.append({"wants": wants, "ends": ends, "reward": self.grid(), "clipScore": self.grid()})
            found.append(Candidate([1] * count, "", ends and wants < cap))
        self.rounds.append(script)
        self.rewards = [one["reward"] for one in script]
        self.clip = [one["clipScore"] for one in script]
        return found


def record(rng: random.Random) -> dict:
    script = Script(rng)
    done = run(script)
    return {
        "candidateCount": script.count,
        "maxTokens": script.max_tokens,
        "sentenceTokenLimit": script.sentence_cap,
        "rounds": [
            {"script": said, "counts": [len(one.tokens) for one in found.candidates], "ended": [one.ended for one in found.candidates],
             "utilities": [one.utility for one in found.candidates], "chosen": found.chosen}
            for said, found in zip(script.rounds, done.rounds, strict=True)
        ],
    }  # fmt: skip


def main() -> None:
    rng = random.Random(SEED)
    runs = []
    while len(runs) < RUN_COUNT:
        try:
            runs.append(record(rng))
        except RuntimeError:
            continue  # more rounds than a recording is worth
    text = json.dumps({"command": "python test/paper/record/decisions.py", "seed": SEED, "runs": runs}, separators=(",", ":")).encode()
    path = TRACES / "decisions.json.gz"
    with open(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=9) as packed:
        packed.write(text)
    rounds = [len(one["rounds"]) for one in runs]
    ties = sum(found["utilities"].count(max(found["utilities"])) > 1 for one in runs for found in one["rounds"])
    print(len(runs), "runs,", sum(rounds), "rounds, longest", max(rounds), "with", ties, "ties;", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
