"""Pre-rendered pictures: chunks of memory-mapped bytes at the tower's resolution, with patch labels.

    python -m vlm.pictures --out FOLDER --split train --chunks 24

A chunk is reproducible from its split and number; scenes come back by `make_scene(seed, split)`. A chunk that is there
already is left alone, so a run that was killed goes on.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from world.render import render
from world.scene import PIXELS, Scene, make_scene

IMAGE_SIZE = PIXELS
GRID = IMAGE_SIZE // 16
CHUNK = 2048
LABEL_NAMES = ("kind", "colour", "word", "cell")
LETTER_BYTES = 4  # behind them, the bits of `letters`, the lowest first


def render_chunk(folder: Path, split: str, number: int, size: int = CHUNK) -> None:
    pixels = np.empty((size, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    labels = np.empty((size, len(LABEL_NAMES) + LETTER_BYTES, GRID * GRID), np.uint8)
    for index in range(size):
        image, made = render(make_scene(number * CHUNK + index, split), GRID)
        pixels[index] = np.asarray(image)
        for row, name in enumerate(LABEL_NAMES):
            labels[index, row] = getattr(made, name)
        labels[index, len(LABEL_NAMES) :] = made.letters.astype("<u4").view(np.uint8).reshape(-1, LETTER_BYTES).T
    np.save(folder / f"{split}-{number:02d}.labels.npy", labels)
    partial = folder / f"{split}-{number:02d}.partial.npy"
    np.save(partial, pixels)
    partial.rename(folder / f"{split}-{number:02d}.pixels.npy")  # complete where it has this name


class Pictures:
    """The finished chunks of a split, the first `chunks` of them where that is given: what a step sees depends on how many."""

    def __init__(self, folder: Path, split: str, chunks: int | None = None):
        self.folder, self.split = Path(folder), split
        self._chunks: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._scenes: dict[int, Scene] = {}
        drawn = sorted(self.folder.glob(f"{split}-*.pixels.npy"))
        if chunks is not None and len(drawn) < chunks:
            raise SystemExit(f"Expected {chunks} chunks of {split} in {folder} but there are {len(drawn)}: python -m vlm.pictures --out {folder} --split {split} --chunks {chunks}")
        for path in drawn[:chunks]:
            number = int(path.name.split(".")[0].rsplit("-", 1)[1])
            labels = np.load(self.folder / f"{split}-{number:02d}.labels.npy")
            self._chunks.append((number, np.load(path, mmap_mode="r"), labels))

    def __len__(self) -> int:
        return sum(len(chunk[1]) for chunk in self._chunks)

    def _locate(self, index: int):
        for number, pixels, labels in self._chunks:
            if index < len(pixels):
                return number, pixels, labels, index
            index -= len(pixels)
        raise IndexError(index)

    def batch(self, indices) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [n, S, S, 3] and labels [n, 8, patches]: LABEL_NAMES, then the bytes of `letters`."""
        found = [self._locate(int(index)) for index in indices]
        return np.stack([p[i] for _, p, _, i in found]), np.stack([la[i] for _, _, la, i in found])

    def scene(self, index: int) -> Scene:
        number, _, _, offset = self._locate(index)
        seed = number * CHUNK + offset
        if seed not in self._scenes:
            self._scenes[seed] = make_scene(seed, self.split)
        return self._scenes[seed]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--chunks", type=int, default=1)
    parser.add_argument("--size", type=int, default=CHUNK)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(arguments.chunks) if not (arguments.out / f"{arguments.split}-{n:02d}.pixels.npy").exists()]
    with ProcessPoolExecutor(arguments.processes) as pool:
        for made in [pool.submit(render_chunk, arguments.out, arguments.split, number, arguments.size) for number in missing]:
            made.result()


if __name__ == "__main__":
    main()
