"""Stage 0: the vision tower learns from dense labels alone.

    python -m vlm.tower --data FOLDER --out tower.pt --steps 1500

A run that was killed goes on from its last state (`tower.state.pt`).
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from precision import autocast
from steps import batch_of, falling, load_state, save_whole

from .dense import DenseHeads, with_counts
from .fast import Optimiser, make_fast
from .model import VisionConfig, VisionTower, Vlm, VlmConfig
from .pictures import Pictures
from .preprocess import normalise

VISION = VisionConfig(image_size=128, patch_size=16, width=192, layers=4, heads=6, ffn=768)


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
    pixels, labels = to_tensors(*pictures.batch(range(min(count, len(pictures)))))
    with autocast():
        features = tower(pixels)
    _, accuracy = heads(features, labels)
    return {name: round(value, 4) for name, value in accuracy.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    tower = Vlm(VlmConfig(vision=VISION)).tower
    heads = DenseHeads(VISION.width)
    make_fast(tower)
    optimiser = Optimiser({"tower": tower, "heads": heads}, {"tower": arguments.rate, "heads": arguments.rate})
    train, held = Pictures(arguments.data, "train"), Pictures(arguments.data, "validation")
    if len(train) == 0 or len(held) == 0:
        parser.error(f"no training or no validation pictures in {arguments.data}: run vlm.pictures first")
    kept = arguments.out.with_suffix(".state.pt")
    state = load_state(kept)
    if state:
        tower.load_state_dict(state["tower"])
        heads.load_state_dict(state["heads"])
        optimiser.load_state_dict(state["optimiser"])
    else:
        start_from_statistics(tower, train.batch(range(0, len(train), max(1, len(train) // 400)))[0])
    started, first = time.time(), state["step"] if state else 0
    for step in range(first, arguments.steps):
        pixels, labels = to_tensors(*train.batch(batch_of(arguments.seed, step, arguments.batch, len(train))))
        with autocast():
            features = tower(pixels)
        loss, _ = heads(features, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step(falling(step, arguments.steps, 40, 0.3, 0.05))
        done = step + 1
        if done % 100 == 0 or done == arguments.steps:
            line = {"step": done, "seconds": round(time.time() - started), "loss": round(loss.item(), 3), **validate(tower, heads, held)}
            print(json.dumps(line), flush=True)
            weights = {"tower": tower.state_dict(), "heads": heads.state_dict()}
            save_whole({**weights, "optimiser": optimiser.state_dict(), "step": done}, kept)
    save_whole({"config": VISION.__dict__, "tower": tower.state_dict(), "heads": heads.state_dict()}, arguments.out)
    kept.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
