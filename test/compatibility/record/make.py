"""Makes test/golden/compatibility: tiny random-weight models of the original classes, converted, with their numbers.

    python test/compatibility/record/make.py --llama LLAMA --prefix PREFIX --cli CLI [NAME…]

LLAMA   llama.cpp's source at the tag of the pinned node-llama-cpp (git clone its llama/gitRelease.bundle)
PREFIX  an installation of it, unpatched: static libraries, LLAMA_BUILD_MTMD=ON, with libvendor-hash.a in lib/
CLI     its llama-mtmd-cli
Python packages: record/requirements.txt. The tests need none of this.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import transformers

import stock
from recorder import Tools, record
from subject import Subject

FAMILIES = ["llava", "qwen", "internvl", "gemma", "smolvlm", "pixtral", "lfm2", "minicpm"]


def subjects() -> list[Subject]:
    return [subject for family in FAMILIES for subject in importlib.import_module(family).SUBJECTS]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--llama", type=Path, required=True)
    parser.add_argument("--prefix", type=Path, required=True)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "eta-vlm-compatibility")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    transformers.utils.logging.disable_progress_bar()
    os.environ["TQDM_DISABLE"] = "1"
    options.work.mkdir(parents=True, exist_ok=True)
    tools = Tools(
        llama=options.llama.resolve(),
        oracle=stock.build(options.prefix, options.work),
        cli=options.cli.resolve(),
        work=options.work,
        golden=HERE.parents[1] / "golden" / "compatibility",
    )
    known = {subject.name: subject for subject in subjects()}
    for name in options.names or known:
        golden = record(known[name], tools)
        size = sum(file.stat().st_size for file in (tools.golden / name).iterdir())
        print(f"{name}: seed {golden.get('seed')}, converts: {golden.get('converts')}, {size // 1024} KiB")


if __name__ == "__main__":
    main()
