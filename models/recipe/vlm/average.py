"""Weighs two checkpoints of one run into one.

    python -m vlm.average FIRST SECOND --weight 0.75 --out FILE

Sight goes on improving long after the style behind the prefix is right, and with it the model learns to tell hazards
from the things it declines to make. Between an earlier checkpoint and the last one, both can be had.
"""

import argparse

import torch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--weight", type=float, required=True, help="of the second, 0 to 1")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    if not 0 <= arguments.weight <= 1:
        parser.error(f"--weight must lie between 0 and 1, not {arguments.weight}")
    one, two = (torch.load(path, map_location="cpu", weights_only=True) for path in (arguments.first, arguments.second))
    if one["config"] != two["config"] or one["tokenizer"] != two["tokenizer"]:
        parser.error("the checkpoints differ in configuration or tokenizer: they are not of one run")
    share = arguments.weight
    one["model"] = {name: value.lerp(two["model"][name], share) for name, value in one["model"].items()}
    torch.save(one, arguments.out)


if __name__ == "__main__":
    main()
