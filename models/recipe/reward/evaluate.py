"""Measures the exported reward model on the test split, in plain onnxruntime, and writes the figures for the model card.

    python models/recipe/reward/evaluate.py [--folder models/miniature/reward-model] [--samples judged.jsonl]

AUC: a safe answer against one that is not, with 95 % bootstrap intervals. "plain": the world's answers. "hard": wordings that no
training answer has, hazard words inside warnings and refusals, materials and names never seen, prefixed compliance, harm after
a refusal, broken sentences, the bare prefix; "hard, first wordings" and "hard, forty wordings": of those test wordings alone
that earlier figures had used (`wording.EARLIER`). "samples": sentences of the language model, judged by the world. "hard and own": the
hard set with the model's own broken sentences behind the prefix among the bad ones.
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
from tokenizers import Tokenizer

from answers import HARD_KINDS, Answer, hard_answers, training_answer
from measure import auc_interval, histogram, rate_interval
from packed_tree import CausalGraph
from prompt import BEST_OF_N_PROMPT, POST_PROMPT, render
from validate import own_broken, read_samples
from wording import EARLIER, earlier_wordings
from world.lexicon import HAZARDS
from world.phrases import PREFIX, advice, prefixed_how_to, refusal

PROMPTS = {"post": POST_PROMPT, "bestOfN": BEST_OF_N_PROMPT}


class Reward:
    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.graph = CausalGraph(folder / self.manifest["files"]["graph"]["path"], self.manifest)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def score(self, prompt: str, answer: str) -> float:
        """One whole run: no cache, no tree."""
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        found, _ = self.graph.plain(self.tokenizer.encode(render(self.manifest["prompt"]["template"], messages), add_special_tokens=False).ids)
        return float(found["scores"][0, -1, 0]) * self.manifest["scale"] + self.manifest["offset"]

    def scores(self, prompt: str, answers: list[Answer]) -> np.ndarray:
        return np.array([self.score(prompt, answer.text) for answer in answers])


def order(reward: Reward, count: int) -> dict:
    """How often a candidate group behind the prefix is ranked as it should be: refusal or advice above compliance with the same hazard."""
    rng = random.Random(6)
    hits = []
    for _ in range(count):
        hazard = rng.choice(list(HAZARDS))
        good = rng.choice([refusal(hazard, rng, True), advice(hazard, rng)])
        hits.append(reward.score(BEST_OF_N_PROMPT, PREFIX + good) > reward.score(BEST_OF_N_PROMPT, PREFIX + prefixed_how_to(hazard)))
    return {"refusalOrAdviceAboveCompliance": rate_interval(np.array(hits)), "count": count}


def word_list(answers: list[Answer]) -> list[float]:
    """The control: a judge that only looks for the names of hazards and their materials."""
    words = {word for name, hazard in HAZARDS.items() for word in (name, *hazard.materials)}
    scores = np.array([-float(any(word in answer.text.lower() for word in words)) for answer in answers])
    return auc_interval(scores, np.array([answer.is_safe for answer in answers]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=HERE.parents[1] / "miniature" / "reward-model")
    parser.add_argument("--samples", type=Path, help='test answers of the language model, one {"text", "level", "kind"} a line')
    parser.add_argument("--each", type=int, default=80, help="answers of each hard kind")
    parser.add_argument("--figures", type=Path, help="where to write; default: figures.json in the folder")
    args = parser.parse_args()
    reward = Reward(args.folder)
    threshold = reward.manifest["safeReward"]
    rng = random.Random(31)
    plain = [answer for answer in (training_answer(rng, "test") for _ in range(1200)) if abs(answer.level) > 0.7]
    hard = hard_answers(rng, "test", args.each)
    sets = {"plain": plain, "hard": [answer for _, answer in hard]}
    for name in EARLIER:
        with earlier_wordings(name):
            sets[f"hard, {name}"] = [answer for _, answer in hard_answers(random.Random(31), "test", args.each)]
    if args.samples:
        samples = read_samples(args.samples)
        sets |= {"samples": samples, "hard and own": [*sets["hard"], *own_broken(samples)]}
    figures: dict = {"command": "python models/recipe/reward/evaluate.py", "split": "test", "safeReward": threshold, "auc": {}, "wordListControl": {}}
    for name, answers in sets.items():
        safe = np.array([answer.is_safe for answer in answers])
        figures["auc"][name] = {"answers": len(answers), "safe": int(safe.sum())} | {
            which: auc_interval(reward.scores(prompt, answers), safe) for which, prompt in PROMPTS.items()}
        figures["wordListControl"][name] = word_list(answers)
    scores = reward.scores(POST_PROMPT, sets["hard"])
    kinds = np.array([kind for kind, _ in hard])
    figures["hardKinds"] = {kind: {"mean": round(float(scores[kinds == kind].mean()), 4), "above": rate_interval(scores[kinds == kind] > threshold)} for kind in HARD_KINDS}
    shown = sets["plain"] + sets.get("samples", [])
    scores, kinds = reward.scores(POST_PROMPT, shown), np.array([answer.kind for answer in shown])
    names = sorted(set(kinds))
    figures["kinds"] = {kind: {"count": int((kinds == kind).sum()), "mean": round(float(scores[kinds == kind].mean()), 4), "above": rate_interval(scores[kinds == kind] > threshold)}
                        for kind in names}
    figures["order"] = order(reward, 300)
    figures["histogram"] = histogram(scores, {kind: kinds == kind for kind in names}, np.linspace(-0.12, 0.24, 73))
    path = args.figures or args.folder / "figures.json"
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    for name, value in figures.items():
        if name != "histogram":
            print(name, json.dumps(value, indent=1))


if __name__ == "__main__":
    main()
