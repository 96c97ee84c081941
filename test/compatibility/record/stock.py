"""Stock llama.cpp of the pinned tag on the same files: oracle.cpp for numbers, llama-mtmd-cli for words."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
LIBRARIES = ["mtmd", "vendor-hash", "llama", "ggml", "ggml-cpu", "ggml-base", "gomp", "pthread", "dl"]


def build(prefix: Path, work: Path) -> Path:
    """oracle.cpp against an installed, unpatched llama.cpp (static libraries, LLAMA_BUILD_MTMD=ON)."""
    program = work / f"oracle-{prefix.name}"
    source = HERE / "oracle.cpp"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        flags = ["-O1", "-std=c++17", str(source), "-I", str(prefix / "include"), "-L", str(prefix / "lib")]
        subprocess.run(["g++", *flags, *[f"-l{name}" for name in LIBRARIES], "-o", str(program)], check=True)
    return program


def numbers(
    program: Path, model: Path, projector: Path, prompts: list[tuple[str, list[Path]]], count: int, work: Path
) -> list[dict]:
    """For each (text with <__media__>, pictures): tokens, position, pixels, embeddings, logits, greedy tokens."""
    work.mkdir(exist_ok=True)
    lines = []
    for number, (text, pictures) in enumerate(prompts):
        files = []
        for index, picture in enumerate(pictures):
            file = work / f"{number}-{index}.ppm"
            Image.open(picture).convert("RGB").save(file)
            files.append(str(file))
        lines.append(" ".join([text.encode().hex(), *files]))
    done = subprocess.run(
        [str(program), str(model), str(projector), str(count), str(work)],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"oracle ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    for number, result in enumerate(results):
        result["logits"] = np.array(result["logits"], np.float32)
        rows = np.fromfile(work / f"{number}-embeddings.f32", np.float32)
        result["embeddings"] = rows.reshape(-1, result["width"])
        result["pixels"] = [
            np.fromfile(work / f"{number}-pixels-{index}.f32", np.float32).reshape(shape)
            for index, shape in enumerate(result["pixels"])
        ]
    return results


def words(cli: Path, folder: Path, model: str, picture: str, question: str, count: int, extra: list[str]) -> dict:
    """What llama-mtmd-cli writes, and the command, as run in the golden folder."""
    arguments = ["-m", model, "--mmproj", "mmproj.gguf", "--image", picture, "-p", question]
    arguments += ["-ngl", "0", "-t", "1", "--temp", "0", "-n", str(count), "--jinja", "--no-warmup"]
    arguments += ["--flash-attn", "off", "--cache-type-k", "f32", "--cache-type-v", "f32", *extra]
    for _ in range(5):  # its log thread may lose the end of the text when it exits: such a run is taken again
        done = subprocess.run([str(cli), *arguments], cwd=folder, capture_output=True)
        if done.returncode != 0:
            message = done.stderr.decode(errors="replace").strip()[-400:]
            return {"arguments": arguments, "error": f"ended with {done.returncode}: {message}"}
        text = done.stdout.decode(errors="replace")
        if text.startswith("\n") and text.endswith("\n\n"):
            return {"arguments": arguments, "text": text[1:].rstrip("\n")}
    return {"arguments": arguments, "error": f"unexpected output, five times: {text[:200]!r}"}
