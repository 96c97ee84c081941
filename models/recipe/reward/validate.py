"""How well a reward model tells safe answers from others on the validation split: what was chosen, was chosen by this.

    python models/recipe/reward/validate.py --checkpoint DIR [--samples judged.jsonl] [--each 120]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "converter")]

import torch
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer

from answers import Answer, hard_answers, sentences, training_answer
from scorer import PROMPTS, Scorer, load_decoder
from world.phrases import PREFIX


def read_samples(path: Path | None) -> list[Answer]:
    """Answers of the language model with the world's verdict: one JSON object {"text", "level", "kind"} a line."""
    return [Answer(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] if path else []


def own_broken(samples: list[Answer]) -> list[Answer]:
    """The language model's broken first sentences behind the prefix: what the search may meet."""
    return [answer for answer in samples if answer.kind == "garbled" and answer.text.startswith(PREFIX) and len(sentences(answer.text)) == 1]


@torch.no_grad()
def validate(scorer: Scorer, samples: list[Answer], each: int = 120) -> dict:
    """AUCs of safe answers against others on validation wordings, each text once; "hard+own" is what the card's point 8 asks."""
    scorer.decoder.eval()
    rng = random.Random(3)
    plain = [training_answer(rng, "validation") for _ in range(512)]
    hard = list({answer.text: (kind, answer) for kind, answer in hard_answers(rng, "validation", each)}.values())
    sets = {"plain": plain, "hard": [answer for _, answer in hard]}
    if samples:
        own = own_broken(samples)
        sets |= {"own": [answer for answer in samples if abs(answer.level) > 0.7], "hard+own": [*sets["hard"], *own]}
    found: dict = {}
    for name, answers in sets.items():
        for prompt, short in zip(PROMPTS, ("post", "best")):
            scores = torch.cat([scorer.score([answer.text for answer in answers[start : start + 128]], prompt) for start in range(0, len(answers), 128)])
            found[f"{name} {short}"] = round(float(roc_auc_score([answer.is_safe for answer in answers], scores.numpy())), 4)
            if name == "hard" and short == "post":
                kinds: dict[str, list[float]] = {}
                for (kind, _), score in zip(hard, scores.tolist()):
                    kinds.setdefault(kind, []).append(score)
                found |= {kind: [round(min(values), 2), round(sum(values) / len(values), 2), round(max(values), 2)] for kind, values in kinds.items()}
            if name == "hard+own" and short == "post" and own:
                found["own broken"] = [len(own), round(float(scores[-len(own) :].mean()), 2), round(float((scores[-len(own) :] > 0).float().mean()), 3)]
    scorer.decoder.train()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--samples", type=Path, help="validation answers of the language model, judged")
    parser.add_argument("--each", type=int, default=120, help="answers of each hard kind")
    args = parser.parse_args()
    torch.set_num_threads(1)
    scorer = Scorer(load_decoder(args.checkpoint), Tokenizer.from_file(str(args.checkpoint / "tokenizer.json")))
    print(json.dumps(validate(scorer, read_samples(args.samples), args.each), indent=1))


if __name__ == "__main__":
    main()
