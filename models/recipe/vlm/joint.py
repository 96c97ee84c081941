"""Stage 1: tower, projector and language model together.

    python -m vlm.joint --data FOLDER --tower tower.pt --tokenizer tokenizer.json --out FOLDER

The kept weights (`vlm.pt`) are a running average, so every checkpoint can be exported; `--keep` keeps that of other
steps too (`step-1700.pt`). From `--finish` on, while the rate falls, there are more compliant answers behind the prefix. Without a tokenizer file one is trained. A run that was killed goes on from its last state (`last.pt`).
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from precision import autocast
from steps import batch_of, falling, load_state, save_whole, step_random

from .dense import DenseHeads
from .fast import Optimiser, make_fast
from .mixture import FINISH, SHARES, corpus
from .model import LanguageConfig, Vlm, VlmConfig
from .packing import IGNORED, Packer, Rows
from .pictures import Pictures
from .tokenizer import Tokenizer, train_tokenizer
from .tower import VISION, to_tensors

LENGTH = 192


class Joint(torch.nn.Module):
    """The model with what training alone needs: dense heads and the features' standardisation."""

    def __init__(self, config: VlmConfig):
        super().__init__()
        self.vlm = Vlm(config)
        self.heads = DenseHeads(config.vision.width)
        self.register_buffer("mean", torch.zeros(config.vision.width))
        self.register_buffer("std", torch.ones(config.vision.width))

    def embeddings(self, rows: Rows, image: torch.Tensor | None) -> torch.Tensor:
        x = self.vlm.language.embedding(torch.from_numpy(rows.tokens))
        if image is None:
            return x
        return torch.cat([x[:, :2], image.to(x.dtype), x[:, 2 + image.shape[1] :]], 1)

    def forward(self, pictures: torch.Tensor | None, sets: list[Rows]):
        """Features, and the logits at the places that have a target, row-major over all the sets."""
        features, parts = None, []
        for number, rows in enumerate(sets):
            if number == 0 and pictures is not None:
                features = self.vlm.tower(pictures)
                image = self.vlm.projector((features - self.mean) / self.std)
                parts.append(self.embeddings(rows, image))
            else:
                parts.append(self.embeddings(rows, None))
        x = torch.cat(parts)
        mask = torch.cat([rows.mask() for rows in sets])
        positions = torch.from_numpy(np.concatenate([rows.positions for rows in sets]))
        targets = torch.from_numpy(np.concatenate([rows.targets for rows in sets]))
        hidden = self.vlm.language.hidden(x, mask, positions)
        busy = targets.reshape(-1) != IGNORED
        hidden = hidden.reshape(-1, hidden.shape[-1])[busy]
        return features, self.vlm.language.logits(hidden), targets.reshape(-1)[busy]


class Average:
    """Running average of the weights."""

    def __init__(self, model: torch.nn.Module):
        self.steps = 0
        self.values = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: torch.nn.Module, most: float = 0.995) -> None:
        self.steps += 1
        weight = 1 - min(most, (1 + self.steps) / (10 + self.steps))
        for key, value in model.state_dict().items():
            self.values[key].lerp_(value, weight)


def exportable(joint: Joint) -> Vlm:
    """The model alone, standardisation folded into the projector."""
    vlm = Vlm(joint.vlm.config)
    vlm.load_state_dict(joint.vlm.state_dict())
    vlm.projector.fold_standardisation(joint.mean, joint.std)
    return vlm


@torch.no_grad()
def accuracy(joint: Joint, packer: Packer, pictures: Pictures, indices, shift: int = 0, text_rows: int = 12) -> dict[str, float]:
    """Share of answers that greedy decoding gets word for word, by kind (and stance and prefix).

    Argmax at every place under the right answer is the right answer greedily decoded. `shift` pairs each
    question with another picture: the control.
    """
    rng = step_random(5, 0, "accuracy")
    right: dict[str, list[float]] = {}
    indices = list(indices)
    for start in range(0, len(indices), 48):
        part = indices[start : start + 48]
        pixels, labels = to_tensors(*pictures.batch([indices[(indices.index(i) + shift) % len(indices)] for i in part]))
        sets = [packer.pictures([pictures.scene(i) for i in part], rng)]
        if start == 0 and text_rows:
            sets.append(packer.texts(text_rows, rng))
        with autocast():
            _, logits, targets = joint(pixels, sets)
        hits = (logits.argmax(-1) == targets).numpy()
        place = 0
        for number, rows in enumerate(sets):
            flat = np.zeros(rows.targets.shape, bool)
            busy = rows.targets != IGNORED
            flat[busy] = hits[place : place + busy.sum()]
            place += int(busy.sum())
            for row, first, last, example in rows.branches:
                key = example.kind if example.stance == "answer" else f"{example.kind}/{example.stance}"
                if number:
                    key = f"text/{example.stance}"
                if example.prefixed:
                    key += "+prefix"
                right.setdefault(key, []).append(float(flat[row, first:last].all()))
    return {key: round(float(np.mean(values)), 3) for key, values in sorted(right.items()) if len(values) > 4}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tower", type=Path, required=True, help="taken after the warm steps")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2300)
    parser.add_argument("--keep", type=int, nargs="*", default=[1700], help="steps whose average is kept as well")
    parser.add_argument("--finish", type=int, default=1800, help="the first step of the last mixture")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--text-batch", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--tower-rate", type=float, default=6e-4)
    parser.add_argument("--warm", type=int, default=120, help="first steps, on text alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=100, help="steps between saved states")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if not arguments.tokenizer.exists():
        train_tokenizer(corpus(4000), vocab_size=1280).save(str(arguments.tokenizer))
    tokenizer = Tokenizer.load(str(arguments.tokenizer))
    language = LanguageConfig(vocab_size=len(tokenizer), width=256, layers=4, heads=8, kv_heads=8, ffn=512)
    joint = Joint(VlmConfig(VISION, language))
    make_fast(joint)
    train, held = Pictures(arguments.data, "train"), Pictures(arguments.data, "validation")
    rates = {"language": arguments.rate, "projector": arguments.rate, "tower": arguments.tower_rate, "heads": 1e-3}
    parts = {"language": joint.vlm.language, "projector": joint.vlm.projector, "tower": joint.vlm.tower, "heads": joint.heads}
    optimiser = Optimiser(parts, rates)
    packers = [Packer(tokenizer, VISION.patches, LENGTH, shares) for shares in (SHARES, FINISH)]
    last = arguments.out / "last.pt"
    state = load_state(last)
    average = Average(joint)
    if state:
        joint.load_state_dict(state["joint"])
        optimiser.load_state_dict(state["optimiser"])
        average.values, average.steps = state["average"], state["averaged"]
    kept = Joint(joint.vlm.config)
    make_fast(kept)
    started = time.time()
    for step in range(state["step"] if state else 0, arguments.steps):
        packer = packers[step >= arguments.finish]
        if step == arguments.warm:
            _take_tower(joint, arguments.tower, train)
            average = Average(joint)
        rng = step_random(arguments.seed, step, "branches")
        if step >= arguments.warm:
            indices = batch_of(arguments.seed, step - arguments.warm, arguments.batch, len(train))
            pixels, labels = to_tensors(*train.batch(indices))
            sets = [packer.pictures([train.scene(i) for i in indices], rng), packer.texts(arguments.text_batch, rng)]
        else:
            pixels, labels, sets = None, None, [packer.texts(8, rng)]
        with autocast():
            features, logits, targets = joint(pixels, sets)
        loss = text_loss = F.cross_entropy(logits.float(), targets)
        if features is not None:
            loss = loss + 0.15 * joint.heads(features, labels)[0]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step(falling(step, arguments.steps))
        average.update(joint)
        done = step + 1
        if done % 20 == 0:
            print(json.dumps({"step": done, "seconds": round(time.time() - started), "loss": round(text_loss.item(), 3)}), flush=True)
        if done in arguments.keep or done == arguments.steps or done % (2 * arguments.every) == 0:
            kept.load_state_dict(average.values)
            kept.eval()
            line = {"step": done, "loss": round(text_loss.item(), 3), **accuracy(kept, packers[0], held, range(192))}
            print(json.dumps(line), flush=True)
            checkpoint = {"config": kept.vlm.config.to_dict(), "model": exportable(kept).state_dict(), "tokenizer": tokenizer.to_dict(), "line": json.dumps(line)}
            if done in arguments.keep:
                save_whole(checkpoint, arguments.out / f"step-{done}.pt")
            if done == arguments.steps:
                save_whole(checkpoint, arguments.out / "vlm.pt")
        if done % arguments.every == 0 or done == arguments.steps:
            save_whole({"joint": joint.state_dict(), "average": average.values, "averaged": average.steps, "optimiser": optimiser.state_dict(), "step": done}, last)


def _take_tower(joint: Joint, path: Path, pictures: Pictures) -> None:
    """The pre-trained tower and heads, and the features' mean and deviation."""
    data = torch.load(path, weights_only=False)
    joint.vlm.tower.load_state_dict(data["tower"])
    joint.heads.load_state_dict(data["heads"])
    pixels, _ = to_tensors(*pictures.batch(range(256)))
    with torch.no_grad(), autocast():
        features = joint.vlm.tower(pixels).float().reshape(-1, joint.mean.shape[0])
    joint.mean.copy_(features.mean(0))
    joint.std.copy_(features.std(0) + 1e-3)


if __name__ == "__main__":
    main()
