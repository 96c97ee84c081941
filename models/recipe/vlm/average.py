"""Weighs two checkpoints of one run into one.

    python -m vlm.average FIRST SECOND --weight 0.75 --out FILE

`choose` tries several weights and keeps the best.
"""

import argparse
from pathlib import Path

import torch

from steps import save_whole


def weighed(first: str, second: str, weight: float) -> dict:
    """The first checkpoint's values moved towards the second's by `weight`, 0 to 1."""
    if not 0 <= weight <= 1:
        raise ValueError(f"the weight of the second checkpoint lies between 0 and 1, not {weight}")
    one, two = (torch.load(path, map_location="cpu", weights_only=True) for path in (first, second))
    if one["config"] != two["config"] or one["tokenizer"] != two["tokenizer"]:
        raise ValueError(f"{first} and {second} differ in configuration or tokenizer: they are not of one run")
    return {**one, "model": {name: value.lerp(two["model"][name], weight) for name, value in one["model"].items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--weight", type=float, required=True, help="of the second, 0 to 1")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    save_whole(weighed(arguments.first, arguments.second, arguments.weight), arguments.out)


if __name__ == "__main__":
    main()
