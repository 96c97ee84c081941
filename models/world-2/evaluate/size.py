"""What the finished files weigh together: python -m evaluate.size FOLDER. More than 30 MB is an error."""

import argparse
import json
from pathlib import Path

MOST = 30e6
WEIGHTS = ("language-model.gguf", "projector.gguf", "clip/vision_model.onnx", "clip/text_model.onnx", "reward-model/model.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    sizes = {name: (folder / name).stat().st_size for name in WEIGHTS}
    total = sum(sizes.values())
    print(json.dumps({**sizes, "together": total}, indent=1))
    if total > MOST:
        raise SystemExit(f"Expected at most {MOST / 1e6:.0f} MB of weights but there are {total / 1e6:.1f} MB")
    (folder / "size.json").write_text(json.dumps({**sizes, "together": total}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
