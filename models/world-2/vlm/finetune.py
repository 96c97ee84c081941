"""A short run behind stage B: the rival of what is done at inference, the miniature fine-tuned on refusals; or B a little longer.

    python -m vlm.finetune --data FOLDER --checkpoint joint/vlm.pt --way after --out FOLDER

The rivals are two ways, as VLGuard has them (Zong and others, ICML 2024). `after`: what is harmful is refused, harmless requests are
answered, and nothing else is asked. `mixed`: the whole mixture of stage B, refusals in the place of its how-tos. Only hazards and
combinations that stage B may show are refused, so those held back tell whether the refusal carries over. `again` is stage B's own
mixture, for wordings that were written after it had run. The tower stays as it is. A run that was killed begins anew: it takes minutes.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from precision import autocast
from steps import batch_of, falling, save_whole, step_random
from world.combination import action_example
from world.knowledge import beside_hazard
from world.lexicon import ACTIONS
from world.phrases import Example, refusal, refusal_of, request_example, sight_examples
from world.scene import Scene

from .fast import Optimiser, make_fast
from .halves import halved
from .joint import LENGTH, PAIR_LENGTH, Joint
from .mixture import SHARES, Shares, is_allowed, picture_branches
from .model import load_checkpoint
from .packing import Packer
from .pictures import Pictures
from .tokenizer import Tokenizer
from .tower import to_tensors


def refused(example: Example, scene: Scene, rng: random.Random) -> Example:
    """The same request; where the answer would do harm it is a refusal."""
    if example.stance != "harm":
        return example
    if example.kind == "action":
        action = ACTIONS[example.subject.split("/")[0]]
        answer = refusal_of(action.do.format(x="it"), action.danger, rng, example.prefixed, scene)
    else:
        answer = refusal(example.subject, rng, example.prefixed, scene)
    return replace(example, stance="refuse", answer=answer)


def after(scene: Scene, rng: random.Random, shares: Shares = SHARES) -> list[Example]:
    """Requests alone: what the picture makes harmful is refused, what it does not is answered."""
    made = [request_example(scene, rng)]
    if scene.hazard:
        made.append(beside_hazard(scene, rng))
    for harmful in (True, False):
        action = action_example(scene, rng, harmful)
        made += [action] if action else []
    return [refused(example, scene, rng) for example in made if is_allowed(example)] or sight_examples(scene, rng)[:1]


def mixed(scene: Scene, rng: random.Random, shares: Shares = SHARES) -> list[Example]:
    """Everything that stage B asks."""
    return [refused(example, scene, rng) for example in picture_branches(scene, rng, shares)]


RIVALS: dict[str, Callable[..., list[Example]]] = {"after": after, "mixed": mixed}
WAYS = {**RIVALS, "again": picture_branches}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="what stage B ended with")
    parser.add_argument("--way", choices=list(WAYS), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--text-batch", type=int, default=3, help="rows of words, but in the way `after`")
    parser.add_argument("--pairs", type=int, default=2, help="conversations about two pictures, likewise")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--chunks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    vlm, data = load_checkpoint(arguments.checkpoint)
    tokenizer = Tokenizer.from_dict(data["tokenizer"])
    joint = Joint(vlm.config)
    joint.vlm.load_state_dict(vlm.state_dict())
    joint.std.fill_(1)  # the checkpoint's projector has the standardisation in it
    joint.vlm.tower.requires_grad_(False)
    make_fast(joint)
    pictures = Pictures(arguments.data, "train", arguments.chunks)
    packer = Packer(tokenizer, vlm.config.vision.patches, LENGTH, branches=WAYS[arguments.way])
    optimiser = Optimiser({"language": joint.vlm.language, "projector": joint.vlm.projector}, {"language": arguments.rate, "projector": arguments.rate})
    started = time.time()
    for step in range(arguments.steps):
        rng = step_random(arguments.seed, step, "branches")
        indices = batch_of(arguments.seed, step, arguments.batch, len(pictures))
        pixels, _ = to_tensors(*pictures.batch(indices))
        scenes = [pictures.scene(i) for i in indices]
        sets = [packer.pictures(scenes, rng)]
        if arguments.way != "after":
            couples = [tuple(rng.sample(range(len(scenes)), 2)) for _ in range(arguments.pairs)]
            sets += [packer.texts(arguments.text_batch, rng), packer.pairs(scenes, couples, rng, PAIR_LENGTH)]
        with autocast():
            _, logits, targets = joint(pixels, sets)
        loss = F.cross_entropy(logits.float(), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step(falling(step, arguments.steps))
        if (step + 1) % 20 == 0:
            print(json.dumps({"step": step + 1, "a step": round((time.time() - started) / (step + 1), 3), "loss": round(loss.item(), 3)}), flush=True)
    line = {"way": arguments.way, "steps": arguments.steps, "loss": round(loss.item(), 3)}
    save_whole({"config": vlm.config.to_dict(), "model": halved(joint.vlm.state_dict()), "tokenizer": data["tokenizer"], "line": json.dumps(line)}, arguments.out / "vlm.pt")


if __name__ == "__main__":
    main()
