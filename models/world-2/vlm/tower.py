"""Stage A: the vision tower learns from dense labels alone.

    python -m vlm.tower --data FOLDER --out tower.pt --steps 9000

A run that was killed goes on from its last state (`tower.state.pt`). At the end the weights are written as f16 (about 5 MB):
the next stage needs nothing else. On the way the same stands in `tower.begin.pt`; where the state is lost, a run goes on from
that with --begin, at its step and with a fresh optimiser.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from precision import autocast
from steps import batch_of, falling, load_state, save_whole
from world.lexicon import HAZARD_NAMES, TWINS
from world.pages import page_style
from world.render import KIND_LABELS, WORD_LABELS

from .dense import DenseHeads, with_counts
from .fast import Optimiser, make_fast
from .halves import halved, widened
from .model import VisionConfig, VisionTower, Vlm, VlmConfig
from .pictures import IMAGE_SIZE, Pictures
from .preprocess import normalise

VISION = VisionConfig(image_size=IMAGE_SIZE, patch_size=16, width=192, layers=5, heads=6, ffn=768)
# What the next stage needs: told apart by size because small things are learnt last.
SMALL_THING, SMALL_TEXT = 56, 22


def to_tensors(pixels: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    return normalise(torch.from_numpy(pixels)), torch.from_numpy(with_counts(labels).astype(np.int64))


@torch.no_grad()
def start_from_statistics(tower: VisionTower, pixels: np.ndarray) -> None:
    """The patch kernel as the pictures' principal components, flattened to like strength, and positions
    as waves of both axes: the tower need not spend its first minutes on finding them.
    """
    patches = tower.patchify(normalise(torch.from_numpy(pixels))).reshape(-1, tower.patch.shape[1])
    patches = patches[torch.randperm(len(patches))[:20000]]
    values, vectors = torch.linalg.eigh(torch.cov(patches.T))
    width = tower.config.width
    values, vectors = values[-width:], vectors[:, -width:]
    floor = values.median()
    tower.patch.copy_((vectors * (values + floor).rsqrt()).T * 0.6)
    side, quarter = tower.config.side, width // 4
    rates = torch.pi * torch.linspace(0.5, side * 0.7, quarter // 2)
    waves = torch.outer((torch.arange(side) + 0.5) / side, rates)
    axis = torch.cat([waves.sin(), waves.cos()], 1)  # [side, quarter]
    rows = axis[:, None].expand(side, side, -1)
    columns = axis[None].expand(side, side, -1)
    waves = torch.cat([rows, columns], -1).reshape(side * side, -1)
    mix = torch.linalg.qr(torch.randn(width, waves.shape[1]))[0]
    tower.position.copy_(waves @ mix.T * 0.5 * (width / waves.shape[1]) ** 0.5)


@torch.no_grad()
def validate(tower: VisionTower, heads: DenseHeads, pictures: Pictures, count: int = 384) -> dict[str, float]:
    """Accuracy on patches, and the share of things and nouns that most of their patches tell right."""
    told: dict[str, list[bool]] = {}
    sums: dict[str, float] = {}
    count = min(count, len(pictures)) // 64 * 64
    for start in range(0, count, 64):
        pixels, labels = to_tensors(*pictures.batch(range(start, start + 64)))
        with autocast():
            features = tower(pixels)
        _, accuracy = heads(features, labels)
        for name, value in accuracy.items():
            sums[name] = sums.get(name, 0) + value * 64 / count
        x = heads.norm(features.float())
        kinds, words = heads.heads["kind"](x).argmax(-1), heads.heads["word"](x).argmax(-1)
        for row in range(64):
            _told_of(pictures.scene(start + row), labels[row], kinds[row], words[row], told)
    return {**{name: round(value, 3) for name, value in sums.items()}, **{name: round(float(np.mean(hits)), 3) for name, hits in sorted(told.items())}}


def _told_of(scene, labels: torch.Tensor, kinds: torch.Tensor, words: torch.Tensor, told: dict[str, list[bool]]) -> None:
    def most(values: torch.Tensor, own: torch.Tensor, right: int, *names: str) -> None:
        if own.any():
            found = values[own]
            for name in names:
                told.setdefault(name, []).append(int(found.mode().values) == right)

    if scene.lead:
        right = WORD_LABELS.index(scene.noun)
        small = page_style(scene).height < SMALL_TEXT
        most(words, labels[2] == right, right, "noun small" if small else "noun")
        return
    placed = [(group.kind, max(spot.size for spot in group.spots)) for group in scene.groups]
    placed += [(scene.hazard, scene.hazard_spot.size)] if scene.hazard else []
    for kind, size in placed:
        right = KIND_LABELS.index(kind)
        twin = ["twin"] if kind in HAZARD_NAMES or kind in TWINS.values() else []
        most(kinds, labels[0] == right, right, "thing small" if size < SMALL_THING else "thing", *twin)


def write(path: Path, tower: VisionTower, heads: DenseHeads, step: int, figures: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_whole({"config": VISION.__dict__, "tower": halved(tower.state_dict()), "heads": halved(heads.state_dict()), "step": step, "figures": figures}, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--begin", type=Path, help="f16 weights of an earlier run")
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--chunks", type=int, default=24)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=100, help="steps between saved states")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    tower = Vlm(VlmConfig(vision=VISION)).tower
    heads = DenseHeads(VISION.width)
    make_fast(tower)
    optimiser = Optimiser({"tower": tower, "heads": heads}, {"tower": arguments.rate, "heads": arguments.rate})
    train, held = Pictures(arguments.data, "train", arguments.chunks), Pictures(arguments.data, "validation")
    if len(train) == 0 or len(held) == 0:
        parser.error(f"no training or no validation pictures in {arguments.data}: run vlm.pictures first")
    kept = arguments.out.with_suffix(".state.pt")
    on_the_way = arguments.out.with_suffix(".begin.pt")
    state, begun_at = load_state(kept), 0
    if state:
        begun_at = state["begun at"]
        tower.load_state_dict(state["tower"])
        heads.load_state_dict(state["heads"])
        optimiser.load_state_dict(state["optimiser"])
    elif arguments.begin:
        begun = torch.load(arguments.begin, weights_only=True)
        tower.load_state_dict(widened(begun["tower"]))
        heads.load_state_dict({**heads.state_dict(), **widened(begun["heads"])})  # a head that is new begins as it is
        begun_at = begun["step"]
    else:
        start_from_statistics(tower, train.batch(range(0, len(train), max(1, len(train) // 400)))[0])
    started, first = time.time(), state["step"] if state else begun_at
    for step in range(first, arguments.steps):
        pixels, labels = to_tensors(*train.batch(batch_of(arguments.seed, step, arguments.batch, len(train))))
        with autocast():
            features = tower(pixels)
        loss, _ = heads(features, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step(min(1.0, (step - begun_at + 1) / 40) * falling(step, arguments.steps, 40, 0.3, 0.05))
        done = step + 1
        if done % arguments.every == 0 or done == arguments.steps:
            line = {"step": done, "seconds": round(time.time() - started), "a step": round((time.time() - started) / (done - first), 3), "loss": round(loss.item(), 3)}
            if done % (5 * arguments.every) == 0 or done == arguments.steps:
                figures = validate(tower, heads, held)
                line |= figures
                write(on_the_way, tower, heads, done, figures)
            print(json.dumps(line), flush=True)
            weights = {"tower": tower.state_dict(), "heads": heads.state_dict()}
            save_whole({**weights, "optimiser": optimiser.state_dict(), "step": done, "begun at": begun_at}, kept)
    write(arguments.out, tower, heads, arguments.steps, validate(tower, heads, held, 1024))
    for path in (kept, on_the_way):
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
