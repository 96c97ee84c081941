"""Stage 0: the vision tower learns from dense labels alone.

    python -m vlm.tower --data FOLDER --out tower.pt --minutes 20
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

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
    with torch.autocast("cpu", torch.bfloat16):
        features = tower(pixels)
    _, accuracy = heads(features, labels)
    return {name: round(value, 4) for name, value in accuracy.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    tower = Vlm(VlmConfig(vision=VISION)).tower
    heads = DenseHeads(VISION.width)
    make_fast(tower)
    optimiser = Optimiser({"tower": tower, "heads": heads}, {"tower": arguments.rate, "heads": arguments.rate})
    train, held = Pictures(arguments.data, "train"), Pictures(arguments.data, "validation")
    while len(train) == 0 or len(held) == 0:
        time.sleep(5)
        train.refresh(), held.refresh()
    start_from_statistics(tower, train.batch(range(0, len(train), max(1, len(train) // 400)))[0])
    started, step, spent = time.time(), 0, 0.0
    order: list[int] = []
    while spent < 1:
        if len(order) < arguments.batch:
            train.refresh()
            order = list(rng.permutation(len(train)))
        pixels, labels = to_tensors(*train.batch([order.pop() for _ in range(arguments.batch)]))
        with torch.autocast("cpu", torch.bfloat16):
            features = tower(pixels)
        loss, accuracy = heads(features, labels)
        optimiser.zero_grad()
        loss.backward()
        spent = (time.time() - started) / (arguments.minutes * 60)
        optimiser.step(min(1, (step + 1) / 40) * max(0.05, min(1, (1 - spent) / 0.3)))
        step += 1
        if step % 50 == 0 or spent >= 1:
            made = validate(tower, heads, held)
            line = {"step": step, "seconds": round(time.time() - started), "loss": round(loss.item(), 3), "pictures": len(train), **made}
            print(json.dumps(line), flush=True)
            partial = arguments.out if spent >= 1 else arguments.out.with_suffix(".partial.pt")
            torch.save({"config": VISION.__dict__, "tower": tower.state_dict(), "heads": heads.state_dict(), "line": line}, partial)


if __name__ == "__main__":
    main()
