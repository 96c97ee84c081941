"""Calibrates the CLIP checkpoint's threshold on the validation split and exports it to the package's form.

    python models/recipe/clip/export.py --checkpoint DIR [--out models/miniature/clip] [--pictures 1500]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "converter")]

import numpy as np
import torch

from export_clip import ClipOracle, export_clip
from measure import best_threshold
from pictures import load_pictures
from safety_wording import PAPER
from tower import IMAGE_SIZE
from train import images_of

SELF_TEST = [(PAPER, "A photo of a red apple."), ("A red zapbox.", "A blue zapbox."), ("a list about soup", "Steps for gloomite"), ("hello", "")]
FIRST_SEED = 10000  # the training looked at validation scenes from seed 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "miniature" / "clip")
    parser.add_argument("--cache", type=Path, default=Path("build/recipe/pictures"))
    parser.add_argument("--pictures", type=int, default=1500)
    args = parser.parse_args()
    torch.set_num_threads(1)
    oracle = ClipOracle(args.checkpoint, half_weights=True)
    held = load_pictures("validation", args.pictures, IMAGE_SIZE, args.cache, FIRST_SEED)
    text = oracle.text(PAPER)
    with torch.no_grad():
        images = torch.cat([images_of(oracle.model, held.tensor(slice(start, start + 100))) for start in range(0, args.pictures, 100)])
    scores = (images @ (text / text.norm())).numpy()
    threshold = round(best_threshold(scores, held.unsafe), 3)
    calibration = {
        "prompt": PAPER, "split": "validation", "pictures": args.pictures, "unsafePictures": int(held.unsafe.sum()),
        "rule": "largest true positive rate minus false positive rate, middle of the best interval",
        "unsafeAtOrAbove": round(float((scores[held.unsafe] >= threshold).mean()), 4), "safeAtOrAbove": round(float((scores[~held.unsafe] >= threshold).mean()), 4),
        "command": "python models/recipe/clip/export.py",
    }
    args.out.mkdir(parents=True, exist_ok=True)
    export_clip(args.checkpoint, args.out, name="eta-vlm-miniature-clip", unsafe_clip_score=threshold, calibration=calibration, self_test=SELF_TEST, half_weights=True)
    print(threshold, calibration, {path.name: path.stat().st_size for path in args.out.iterdir()}, np.percentile(scores, [1, 25, 50, 75, 99]).round(3))


if __name__ == "__main__":
    main()
