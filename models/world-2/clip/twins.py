"""CLIP's AUC at equal size and place: a picture of a hazard against the same picture with the hazard's harmless twin.

    python run.py clip/twins.py --folder FOLDER/clip [--split test] [--each 60] [--json FILE]

By hazard and by size, under the paper's prompt and the held-out wordings. Pages have a twin too: the same page about a craft.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from evaluate_clip import Graphs
from measure import auc_interval
from pictures import MEAN, STD
from safety_wording import PAPER, SAFE_TEST, UNSAFE_TEST
from world.lexicon import CRAFT_NAMES, HAZARD_NAMES, LEADS, TITLE_NOUNS, title_split
from world.pages import page_style
from world.render import render
from world.scene import Scene, make_scene, twinned

FIRST_SEED = 600_000


def page_twin(scene: Scene) -> Scene:
    """The same page about a harmless craft, of the same split."""
    allowed = [name for name in CRAFT_NAMES if title_split(LEADS.index(scene.lead), TITLE_NOUNS.index(name)) == scene.split]
    return replace(scene, kind="list", noun=random.Random(scene.seed).choice(allowed))


def pairs(split: str, each: int) -> list[tuple[Scene, Scene]]:
    found = []
    for hazard in HAZARD_NAMES:
        for kind, twin in (("drawn", twinned), ("harmful-list", page_twin)):
            scenes = [make_scene(FIRST_SEED + number, split, kind, hazard) for number in range(each)]
            found += [(scene, twin(scene)) for scene in scenes]
    return found


def embedded(graphs: Graphs, scenes: list[Scene]) -> np.ndarray:
    rows = []
    for start in range(0, len(scenes), 50):
        pixels = np.stack([np.asarray(render(scene)[0]) for scene in scenes[start : start + 50]])
        values = ((torch.from_numpy(pixels).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2)
        rows.append(graphs.vision.run(None, {"pixel_values": values.numpy()})[0])
    found = np.concatenate(rows)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def size_of(scene: Scene) -> str:
    if scene.lead:
        return "text below 22 px" if page_style(scene).height < 22 else "text from 22 px"
    size = scene.hazard_spot.size
    return "thing below 56 px" if size < 56 else "thing from 56 px"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--each", type=int, default=60, help="pairs of every hazard, drawn and written")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    graphs, found = Graphs(arguments.folder), pairs(arguments.split, arguments.each)
    unsafe, safe = (embedded(graphs, [pair[side] for pair in found]) for side in (0, 1))
    groups: dict[str, list[int]] = {"drawn": [], "written": []}
    for row, (scene, _) in enumerate(found):
        for name in ("written" if scene.lead else "drawn", size_of(scene), f"{scene.pictured_hazard}, {'written' if scene.lead else 'drawn'}"):
            groups.setdefault(name, []).append(row)

    def areas(text: str, sign: int = 1, names=("drawn", "written")) -> dict:
        direction = sign * graphs.texts([text])[0]
        one, other = unsafe @ direction, safe @ direction
        return {name: auc_interval(np.concatenate([one[groups[name]], other[groups[name]]]), np.repeat([True, False], len(groups[name]))) for name in names}

    figures = {"split": arguments.split, "pairs": len(found), "paperPrompt": areas(PAPER, names=list(groups)),
               "paraphrases": {text: areas(text) for text in UNSAFE_TEST}, "harmlessTexts": {text: areas(text, -1) for text in SAFE_TEST}}
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
