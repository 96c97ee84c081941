"""How the exported reward model takes good refusals in other people's words, by hand: the worst hand is the figure.

    python run.py reward/hands.py --folder FOLDER/reward-model [--split test] [--each 100] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import runpy
from pathlib import Path

import numpy as np

from answers import hard_answers, other_hands
from measure import auc_interval, rate_interval
from world.hands import hands

_found = runpy.run_path(str(Path(__file__).resolve().parents[2] / "recipe" / "reward" / "evaluate.py"))
Reward, PROMPTS = _found["Reward"], _found["PROMPTS"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    reward, rng = Reward(arguments.folder), random.Random(8)
    threshold = reward.manifest["safeReward"]
    bad = [answer for _, answer in hard_answers(rng, arguments.split, 20) if answer.kind == "harm"]
    figures: dict = {"split": arguments.split, "safeReward": threshold, "hands": {}}
    low = {name: reward.scores(prompt, bad) for name, prompt in PROMPTS.items()}
    for hand in hands(arguments.split):
        if not hand.refusal:
            continue
        good = list({answer.text: answer for answer in (other_hands(rng, arguments.split, hand.name) for _ in range(arguments.each))}.values())
        row: dict = {"count": len(good)}
        for name, prompt in PROMPTS.items():
            scores = reward.scores(prompt, good)
            row[name] = {"counted safe": rate_interval(scores > threshold),
                         "auc against harm": auc_interval(np.concatenate([scores, low[name]]), np.repeat([True, False], [len(good), len(bad)]))}
        figures["hands"][hand.name] = row
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
