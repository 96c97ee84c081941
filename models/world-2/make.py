"""Makes the second miniature from nothing, stage by stage, in sessions of two hours and less.

    python make.py --work FOLDER [--only STAGE ...] [--from STAGE] [--list]
    python make.py --work FOLDER --keep          copies what stages ended with into state/, to be committed
    python make.py --work FOLDER --only check

A command whose result is there is skipped, and one that was killed goes on where it was: the same call again is all it takes.
On a fresh machine the results that stand in state/ (f16 weights) are taken first, so that only pictures are drawn again.
Everything is seeded and counted in steps. PLAN.md says what is done and what is next.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# Stages that run only where they are named: what they make does not ship.
BESIDE = ("finetune",)
HERE = Path(__file__).resolve().parent
STATE = HERE / "state"
SHIPPED = HERE.parent / "miniature"
# What is kept between sessions: the ends of the stages, and where the two long ones stood (f16 weights, no optimiser).
KEPT = ("tower.pt", "tower.begin.pt", "tokenizer.json", "joint/vlm.pt", "joint/begin.pt", "miniature/clip", "miniature/reward-model")


@dataclass(frozen=True)
class Command:
    """`made` shows that it is done, or `later`, which is made of it; `--from` removes `made` and `state`, so that nothing old is
    taken up again."""

    stage: str
    words: tuple[str | Path, ...]
    made: Path | None = None
    state: tuple[Path, ...] = ()
    later: Path | None = None

    @property
    def is_done(self) -> bool:
        return any(path is not None and path.exists() for path in (self.made, self.later))


def commands(work: Path) -> list[Command]:
    data, cache, out, joint, items = work / "data", work / "clip-pictures", work / "miniature", work / "joint", work / "items"
    vlm, tower, rewards = joint / "vlm.pt", work / "tower.pt", out / "reward-model" / "manifest.json"
    samples = {split: work / f"samples-{split}.jsonl" for split in ("train", "validation", "test")}
    made: list[Command] = []

    def add(stage: str, *words: str | Path, made_file: Path | None = None, state: tuple[Path, ...] = (), later: Path | None = None) -> None:
        made.append(Command(stage, words, made_file, state, later))

    def begun(path: Path) -> tuple[str | Path, ...]:
        """Where only f16 weights are left of a run, it goes on from them."""
        return ("--begin", path) if path.exists() else ()

    add("check", "-m", "unittest", "world.test_judge", "world.test_splits", "vlm.test_mixture", "vlm.test_finetune", "vlm.test_dense", "evaluate.test_items", "evaluate.test_shipped", "test_make")
    add("check", "run.py", "clip/test_texts.py")
    add("check", "run.py", "reward/test_answers.py")
    add("pictures", "-m", "vlm.pictures", "--out", data, "--split", "validation", "--size", "1024", made_file=data / "validation-00.pixels.npy")
    add("pictures", "-m", "vlm.pictures", "--out", data, "--split", "train", "--chunks", "24")
    add("tower", "-m", "vlm.tower", "--data", data, "--out", tower, "--steps", "9000", *begun(work / "tower.begin.pt"), made_file=tower, state=(work / "tower.state.pt", work / "tower.begin.pt"))
    add("joint", "-m", "vlm.joint", "--data", data, "--tower", tower, "--tokenizer", work / "tokenizer.json", "--out", joint, "--steps", "3300", "--keep", "2600",
        "--finish", "2700", *begun(joint / "begin.pt"), made_file=vlm, state=(joint, work / "tokenizer.json"))
    add("joint", "-m", "vlm.evaluate", vlm, "--split", "validation", "--count", "200", "--json", work / "vlm-validation.json", made_file=work / "vlm-validation.json")
    add("clip", "run.py", "clip/train.py", "facts", "--out", work / "clip-text", "--cache", cache, "--steps", "700", made_file=work / "clip-text" / "model.safetensors",
        state=(work / "clip-text",), later=out / "clip" / "manifest.json")
    add("clip", "run.py", "clip/train.py", "pictures", "--begin", work / "clip-text", "--tower", tower, "--out", work / "clip", "--cache", cache, "--data", data, "--scenes", "49152",
        "--batch", "48", "--steps", "1500", made_file=work / "clip" / "model.safetensors", state=(work / "clip",), later=out / "clip" / "manifest.json")
    add("clip", "run.py", "clip/export.py", "--checkpoint", work / "clip", "--cache", cache, "--out", out / "clip", made_file=out / "clip" / "manifest.json")
    add("clip", "run.py", "clip/twins.py", "--folder", out / "clip", "--split", "validation", "--json", work / "clip-twins.json", made_file=work / "clip-twins.json")
    for split, count in (("train", "1200"), ("validation", "300")):
        add("reward", "run.py", "reward/sample.py", "--checkpoint", vlm, "--split", split, "--scenes", count, "--out", samples[split], made_file=samples[split], later=rewards)
    add("reward", "run.py", "reward/train.py", "--out", work / "reward", "--samples", samples["train"], "--validation-samples", samples["validation"],
        "--steps", "2800", made_file=work / "reward" / "model.safetensors", state=(work / "reward",), later=rewards)
    add("reward", "run.py", "reward/export.py", "--checkpoint", work / "reward", "--samples", samples["validation"], "--out", out / "reward-model",
        made_file=rewards)
    add("reward", "run.py", "reward/hands.py", "--folder", out / "reward-model", "--split", "validation", "--json", work / "reward-hands.json", made_file=work / "reward-hands.json")
    add("export", "run.py", "gguf/export.py", "--checkpoint", vlm, "--out", out, "--type", "f16", made_file=out / "projector.gguf")
    add("export", "-m", "evaluate.grammar", "--out", out / "grammar.json", made_file=out / "grammar.json")
    add("export", "-m", "world.gallery", "--out", out / "pictures", made_file=out / "pictures" / "pictures.json")
    add("export", "run.py", "evaluate/shipped.py", "--gallery", "--out", out, made_file=out / "items.json")
    add("export", "-m", "evaluate.size", out, made_file=out / "size.json")
    add("figures", "run.py", "clip/evaluate.py", "--cache", cache, "--folder", out / "clip", made_file=out / "clip" / "figures.json")
    add("figures", "run.py", "clip/twins.py", "--folder", out / "clip", "--json", out / "clip" / "twins.json", made_file=out / "clip" / "twins.json")
    add("figures", "run.py", "reward/sample.py", "--checkpoint", vlm, "--split", "test", "--scenes", "400", "--out", samples["test"], made_file=samples["test"])
    add("figures", "run.py", "reward/evaluate.py", "--samples", samples["test"], "--folder", out / "reward-model", made_file=out / "reward-model" / "figures.json")
    add("figures", "run.py", "reward/hands.py", "--folder", out / "reward-model", "--json", out / "reward-model" / "hands.json", made_file=out / "reward-model" / "hands.json")
    add("figures", "-m", "vlm.evaluate", vlm, "--split", "test", "--count", "300", "--json", work / "vlm-test.json", made_file=work / "vlm-test.json")
    add("figures", "-m", "evaluate.items", "--out", items, "--each", "60", made_file=items / "facts.jsonl")
    for way in ("after", "mixed"):
        folder = work / f"finetuned-{way}"
        add("finetune", "-m", "vlm.finetune", "--data", data, "--checkpoint", vlm, "--way", way, "--out", folder, made_file=folder / "vlm.pt")
        add("finetune", "-m", "vlm.evaluate", folder / "vlm.pt", "--split", "validation", "--count", "200", "--json", folder / "validation.json", made_file=folder / "validation.json")
        add("finetune", "run.py", "gguf/export.py", "--checkpoint", folder / "vlm.pt", "--out", folder, "--type", "f16", made_file=folder / "projector.gguf")
    return made


# Threads that spin while they wait: on a machine that has other work a step takes three times as long, on an idle one those
# that do not spin take 1.7 times as long.
IS_BUSY = hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.25 * (os.cpu_count() or 1)


def run(command: Command) -> None:
    environment = {**({"OMP_WAIT_POLICY": "PASSIVE"} if IS_BUSY else {}), **os.environ}
    subprocess.run([sys.executable, *map(str, command.words)], cwd=HERE, check=True, env=environment)


def forget(command: Command) -> None:
    for path in (*command.state, *([command.made] if command.made else [])):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target, dirs_exist_ok=True) if source.is_dir() else shutil.copy2(source, target)
    print(f"{source} to {target}")


def keep(work: Path) -> None:
    ended = {"tower.begin.pt": "tower.pt", "joint/begin.pt": "joint/vlm.pt"}
    for name in KEPT:
        if name in ended and (work / ended[name]).exists():
            (STATE / name).unlink(missing_ok=True)
        elif (work / name).exists():
            copied(work / name, STATE / name)


def restore(work: Path) -> None:
    for name in KEPT:
        if (STATE / name).exists() and not (work / name).exists():
            copied(STATE / name, work / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures, checkpoints and the finished models (about 9 GB)")
    parser.add_argument("--only", nargs="*", help="these stages")
    parser.add_argument("--from", dest="first", help="this stage and those after it from the beginning, even where their results are there")
    parser.add_argument("--list", action="store_true", help="print every command and do nothing")
    parser.add_argument("--keep", action="store_true", help="copy the ends of stages into state/ and do nothing else")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit ends the running command too
    work = arguments.work.resolve()
    if arguments.keep:
        keep(work)
        return
    if not arguments.list:
        restore(work)
    plan = commands(work)
    stages = list(dict.fromkeys(command.stage for command in plan))
    for name in [*(arguments.only or []), *([arguments.first] if arguments.first else [])]:
        if name not in stages:
            parser.error(f"no stage {name!r}; the stages are {', '.join(stages)}")
    if arguments.list:
        for command in plan:
            print(f"{command.stage:9} python {' '.join(map(str, command.words))}")
        return
    (work / "miniature").mkdir(parents=True, exist_ok=True)
    shutil.copy(SHIPPED / "LICENSE", work / "miniature" / "LICENSE")
    wanted = [command for command in plan if (command.stage not in BESIDE if arguments.only is None else command.stage in arguments.only)]
    if arguments.first:
        wanted = [command for command in wanted if stages.index(command.stage) >= stages.index(arguments.first)]
        for command in wanted:
            forget(command)
    for command in wanted:
        shown = " ".join(map(str, command.words[:2]))
        if command.is_done:
            print(f"{command.stage}: {shown}: there already", flush=True)
            continue
        started = time.time()
        print(f"{command.stage}: {shown}: begins {time.strftime('%H:%M:%S')}", flush=True)
        run(command)
        print(f"{command.stage}: {shown}: {time.time() - started:.0f} s", flush=True)
    if "figures" in {command.stage for command in wanted}:
        print(f"To measure the models: eta-vlm batch {work / 'items' / 'requests.jsonl'} --models {work / 'miniature'} --out {work / 'items' / 'answers.jsonl'} --resume"
              f"; then python -m evaluate.answers {work / 'items'}")


if __name__ == "__main__":
    main()
