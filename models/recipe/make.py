"""Makes the miniature from nothing, stage by stage.

    python make.py --work FOLDER [--only STAGE ...] [--from STAGE] [--minutes-scale 1.0] [--list]

Each stage is a command that can be run by hand; what it writes stands in FOLDER, and a stage whose result
is there already is skipped. Models go to ../miniature. All random choices are seeded.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MINIATURE = HERE.parent / "miniature"


@dataclass(frozen=True)
class Stage:
    """`made` are the files that show that the stage is done."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    made: tuple[Path, ...]


def stages(work: Path, scale: float) -> list[Stage]:
    data, cache, vlm = work / "data", str(work / "clip-pictures"), str(work / "vlm" / "vlm.pt")

    def minutes(value: float) -> str:
        return str(round(value * scale, 1))

    return [
        Stage("check", (("-m", "unittest", "world.test_judge", "world.test_splits"),), ()),
        Stage(
            "pictures",
            (
                ("-m", "vlm.pictures", "--out", str(data), "--split", "validation", "--size", "1024"),
                ("-m", "vlm.pictures", "--out", str(data), "--split", "test", "--size", "2048"),
                ("-m", "vlm.pictures", "--out", str(data), "--split", "train", "--chunks", "12"),
                ("-m", "world.gallery", "--out", str(MINIATURE / "pictures")),
            ),
            (data / "train-11.pixels.npy", MINIATURE / "pictures" / "pictures.json"),
        ),
        Stage("tower", (("-m", "vlm.tower", "--data", str(data), "--out", str(work / "tower.pt"), "--minutes", minutes(15)),), (work / "tower.pt",)),
        Stage(
            "vlm",
            (("-m", "vlm.joint", "--data", str(data), "--tower", str(work / "tower.pt"), "--tokenizer", str(work / "tokenizer.json"), "--out", str(work / "vlm"), "--minutes", minutes(60)),),
            (work / "vlm" / "vlm.pt",),
        ),
        Stage(
            "export-vlm",
            (("gguf/export.py", "--checkpoint", vlm, "--out", str(MINIATURE), "--type", "f16"),),
            (MINIATURE / "language-model.gguf", MINIATURE / "projector.gguf"),
        ),
        Stage(
            "evaluate-vlm",
            (("-m", "vlm.evaluate", vlm, "--data", str(data), "--json", str(work / "vlm" / "evaluation.json")),),
            (work / "vlm" / "evaluation.json",),
        ),
        Stage(
            "clip",
            (
                ("clip/train.py", "facts", "--out", str(work / "clip-text"), "--cache", cache, "--minutes", minutes(14), "--batch", "128", "--rate", "1e-3"),
                ("clip/train.py", "pictures", "--begin", str(work / "clip-text"), "--tower", str(work / "tower.pt"), "--out", str(work / "clip"), "--cache", cache, "--minutes", minutes(15)),
                ("clip/export.py", "--checkpoint", str(work / "clip"), "--cache", cache),
                ("clip/evaluate.py", "--cache", cache),
            ),
            (MINIATURE / "clip" / "vision_model.onnx", MINIATURE / "clip" / "figures.json"),
        ),
        Stage(
            "reward",
            (
                ("reward/sample.py", "--checkpoint", vlm, "--split", "train", "--out", str(work / "samples.jsonl")),
                ("reward/sample.py", "--checkpoint", vlm, "--split", "validation", "--out", str(work / "samples-validation.jsonl")),
                ("reward/sample.py", "--checkpoint", vlm, "--split", "test", "--out", str(work / "samples-test.jsonl")),
                ("reward/train.py", "--out", str(work / "reward"), "--samples", str(work / "samples.jsonl"), "--minutes", minutes(20)),
                ("reward/export.py", "--checkpoint", str(work / "reward"), "--samples", str(work / "samples-validation.jsonl")),
                ("reward/evaluate.py", "--samples", str(work / "samples-test.jsonl")),
            ),
            (MINIATURE / "reward-model" / "model.onnx", MINIATURE / "reward-model" / "figures.json"),
        ),
        Stage("card", (("card.py",),), ()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures and checkpoints (about 3 GB)")
    parser.add_argument("--only", nargs="*", help="these stages, even where their result is there")
    parser.add_argument("--from", dest="first", help="this stage and those after it, even where their result is there")
    parser.add_argument("--minutes-scale", type=float, default=1.0, help="times the minutes of each training stage")
    parser.add_argument("--list", action="store_true", help="print every command and do nothing")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    plan = stages(arguments.work.resolve(), arguments.minutes_scale)
    names = [stage.name for stage in plan]
    for name in [*(arguments.only or []), *([arguments.first] if arguments.first else [])]:
        if name not in names:
            parser.error(f"no stage {name!r}; the stages are {', '.join(names)}")
    if arguments.list:
        for stage in plan:
            for command in stage.commands:
                print(f"{stage.name:14} python {' '.join(command)}")
        return
    forced = False
    for stage in plan:
        forced = forced or stage.name == arguments.first
        if arguments.only is not None and stage.name not in arguments.only:
            continue
        done = stage.made and all(path.exists() for path in stage.made)
        if done and not forced and arguments.only is None:
            print(f"{stage.name}: there already")
            continue
        started = time.time()
        for command in stage.commands:
            subprocess.run([sys.executable, *command], cwd=HERE, check=True)
        print(f"{stage.name}: {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
