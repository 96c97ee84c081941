"""Writes embeddings.json: what stock libmtmd makes of the pictures, by models/recipe/gguf/oracle.cpp (its first lines say
how it is built).

    python test/paper/record/embed.py ORACLE
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from places import EMBEDDINGS, LANGUAGE_MODEL, PICTURES, PROJECTOR


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for path in PICTURES:
            pixels = Path(folder) / f"{path.stem}.ppm"
            Image.open(path).convert("RGB").save(pixels)
            lines.append(f"1 {pixels} {b'a'.hex()} {b'b'.hex()}\n")
        command = [sys.argv[1], str(LANGUAGE_MODEL), str(PROJECTOR), "512", "default", "1"]
        done = subprocess.run(command, input="".join(lines), capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    found = {}
    for path, answer in zip(PICTURES, answers, strict=True):
        width = len(answer["embeddings"]) // answer["tokens"].count(-1)
        rows = answer["embeddings"]
        found[path.name] = [rows[start : start + width] for start in range(0, len(rows), width)]
    EMBEDDINGS.write_text(json.dumps(found) + "\n", encoding="utf-8")
    print({name: (len(rows), len(rows[0])) for name, rows in found.items()})


if __name__ == "__main__":
    main()
