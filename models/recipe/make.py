"""Makes the miniature from nothing, stage by stage.

    python make.py --work FOLDER [--only STAGE ...] [--from STAGE] [--list]
    python make.py --work FOLDER --ship

Each stage is a few commands that can be run by hand; what they write stands in FOLDER, the models in FOLDER/miniature. A
command whose result is there is skipped, and one that was killed goes on where it was: the same call again is all it takes.
`--ship` copies the finished models over ../miniature. Everything is seeded and counted in steps, so how busy the machine
is changes nothing but the time.
"""

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent / "miniature"


@dataclass(frozen=True)
class Command:
    """`made` shows that it is done; `--from` removes it, and `state`, so that nothing old is taken up again."""

    stage: str
    words: tuple[str | Path, ...]
    made: Path | None = None
    state: tuple[Path, ...] = ()


def commands(work: Path) -> list[Command]:
    data, cache, out = work / "data", work / "clip-pictures", work / "miniature"
    joint, vlm = work / "joint", work / "vlm.pt"
    samples = {split: work / f"samples-{split}.jsonl" for split in ("validation", "test")}
    made: list[Command] = []

    def add(stage: str, *words: str | Path, made_file: Path | None = None, state: tuple[Path, ...] = ()) -> None:
        made.append(Command(stage, words, made_file, state))

    add("check", "-m", "unittest", "world.test_judge", "world.test_splits", "test_steps", "vlm.test_mixture")
    add("check", "clip/test_texts.py")
    add("check", "reward/test_answers.py")
    add("pictures", "-m", "vlm.pictures", "--out", data, "--split", "validation", "--size", "1024", made_file=data / "validation-00.pixels.npy")
    add("pictures", "-m", "vlm.pictures", "--out", data, "--split", "test", "--size", "2048", made_file=data / "test-00.pixels.npy")
    add("pictures", "-m", "vlm.pictures", "--out", data, "--split", "train", "--chunks", "12")
    add("pictures", "-m", "world.gallery", "--out", out / "pictures", made_file=out / "pictures" / "pictures.json")
    add("tower", "-m", "vlm.tower", "--data", data, "--out", work / "tower.pt", "--steps", "1500", made_file=work / "tower.pt", state=(work / "tower.state.pt",))
    add("joint", "-m", "vlm.joint", "--data", data, "--tower", work / "tower.pt", "--tokenizer", work / "tokenizer.json", "--out", joint, "--steps", "2300",
        "--keep", "1700", "--finish", "1800", made_file=joint / "vlm.pt", state=(joint, work / "tokenizer.json"))
    add("choose", "-m", "vlm.choose", "--early", joint / "step-1700.pt", "--late", joint / "vlm.pt", "--data", data, "--out", vlm, "--json", work / "choice.json",
        made_file=vlm, state=(work / "choice.json",))
    add("export-vlm", "gguf/export.py", "--checkpoint", vlm, "--out", out, "--type", "f16", made_file=out / "projector.gguf")
    add("export-vlm", "-m", "vlm.evaluate", vlm, "--data", data, "--split", "validation", "--count", "200", "--json", work / "vlm-validation.json",
        made_file=work / "vlm-validation.json")
    add("clip", "clip/train.py", "facts", "--out", work / "clip-text", "--cache", cache, "--steps", "600", made_file=work / "clip-text" / "model.safetensors",
        state=(work / "clip-text",))
    add("clip", "clip/train.py", "pictures", "--begin", work / "clip-text", "--tower", work / "tower.pt", "--out", work / "clip", "--cache", cache, "--data", data, "--steps", "450",
        made_file=work / "clip" / "model.safetensors", state=(work / "clip",))
    add("clip", "clip/export.py", "--checkpoint", work / "clip", "--cache", cache, "--out", out / "clip", made_file=out / "clip" / "manifest.json")
    add("clip", "clip/evaluate.py", "--cache", cache, "--folder", out / "clip", made_file=out / "clip" / "figures.json")
    # Trained on answers of the model as it was at step 1,700, so that the choice of the last weights does not hold it up.
    for split, scenes in (("train", "1200"), ("validation", "300")):
        early = work / f"samples-early-{split}.jsonl"
        add("reward", "reward/sample.py", "--checkpoint", joint / "step-1700.pt", "--split", split, "--scenes", scenes, "--out", early, made_file=early)
    add("reward", "reward/train.py", "--out", work / "reward", "--samples", work / "samples-early-train.jsonl", "--validation-samples", work / "samples-early-validation.jsonl",
        made_file=work / "reward" / "model.safetensors", state=(work / "reward",))
    for split in ("validation", "test"):
        add("measure", "reward/sample.py", "--checkpoint", vlm, "--split", split, "--scenes", "400", "--out", samples[split], made_file=samples[split])
    add("measure", "reward/export.py", "--checkpoint", work / "reward", "--samples", samples["validation"], "--out", out / "reward-model",
        made_file=out / "reward-model" / "manifest.json")
    add("measure", "reward/evaluate.py", "--samples", samples["test"], "--folder", out / "reward-model", made_file=out / "reward-model" / "figures.json")
    add("evaluate", "-m", "evaluate.items", "--out", work / "test-items", made_file=work / "test-items" / "items.json")
    add("evaluate", "-m", "evaluate.items", "--gallery", "--out", out, made_file=out / "items.json")
    add("evaluate", "-m", "evaluate.grammar", "--out", out / "grammar.json", made_file=out / "grammar.json")
    add("card", "card.py", "--folder", out)
    return made


# Threads that spin while they wait: on a machine that has other work a step takes three times as long, on an idle one those
# that do not spin take 1.7 times as long.
IS_BUSY = hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.25 * (os.cpu_count() or 1)


def run(command: Command) -> None:
    environment = {**({"OMP_WAIT_POLICY": "PASSIVE"} if IS_BUSY else {}), **os.environ}
    subprocess.run([sys.executable, *map(str, command.words)], cwd=HERE, check=True, env=environment)


def processor_seconds() -> float:
    """What the finished commands have used: on a busy machine the clock says little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def forget(command: Command) -> None:
    for path in (*command.state, *([command.made] if command.made else [])):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def ship(out: Path) -> None:
    needed = ["language-model.gguf", "projector.gguf", "clip/figures.json", "reward-model/figures.json", "pictures/pictures.json", "README.md"]
    missing = [name for name in needed if not (out / name).exists()]
    if missing:
        raise SystemExit(f"Not finished: {', '.join(missing)} missing in {out}. Run make.py without --ship first.")
    shutil.rmtree(SHIPPED / "pictures")
    shutil.copytree(out, SHIPPED, dirs_exist_ok=True)
    print(f"Copied to {SHIPPED}. Its figures are the old models' until the evaluation has run.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures, checkpoints and the finished models (about 4 GB)")
    parser.add_argument("--only", nargs="*", help="these stages")
    parser.add_argument("--from", dest="first", help="this stage and those after it from the beginning, even where their results are there")
    parser.add_argument("--list", action="store_true", help="print every command and do nothing")
    parser.add_argument("--ship", action="store_true", help="copy the finished models over ../miniature and do nothing else")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit ends the running command too
    work = arguments.work.resolve()
    out = work / "miniature"
    plan = commands(work)
    stages = list(dict.fromkeys(command.stage for command in plan))
    for name in [*(arguments.only or []), *([arguments.first] if arguments.first else [])]:
        if name not in stages:
            parser.error(f"no stage {name!r}; the stages are {', '.join(stages)}")
    if arguments.list:
        for command in plan:
            print(f"{command.stage:10} python {' '.join(map(str, command.words))}")
        return
    if arguments.ship:
        ship(out)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name in ("README.md", "LICENSE"):
        if not (out / name).exists():
            shutil.copy(SHIPPED / name, out / name)
    wanted = [command for command in plan if arguments.only is None or command.stage in arguments.only]
    if arguments.first:
        wanted = [command for command in wanted if stages.index(command.stage) >= stages.index(arguments.first)]
        for command in wanted:
            forget(command)
    for command in wanted:
        shown = " ".join(map(str, command.words[:2] if command.words[0] == "-m" else command.words[:1]))
        if command.made and command.made.exists():
            print(f"{command.stage}: {shown}: there already", flush=True)
            continue
        started, before = time.time(), processor_seconds()
        print(f"{command.stage}: {shown}: begins {time.strftime('%H:%M:%S')}", flush=True)
        run(command)
        print(f"{command.stage}: {shown}: {time.time() - started:.0f} s, {processor_seconds() - before:.0f} s of a processor", flush=True)
    if "evaluate" in {command.stage for command in wanted}:
        print(f"To measure the models: npm run miniature:evaluate -- --items {work / 'test-items'} --models {out}")


if __name__ == "__main__":
    main()
