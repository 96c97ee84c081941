"""What llama.cpp's own program says under a control vector: `python make.py LLAMA_MTMD_CLI` writes direction.gguf and mtmd-cli.json.

The program is built by `npm run bench:peers:build`. The vector is written here by GGUF's own description, so that it holds for
our reader and our writer both.
"""

import json
import shlex
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINE = "../engine"
LAYER, WIDTH = 1, 64
PICTURES = ("square.png", "wide.png", "tall.png")
PROMPT = "What is in the picture?"


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def vector() -> bytes:
    settings = [
        ("general.architecture", struct.pack("<I", 8) + text("controlvector")),
        ("controlvector.model_hint", struct.pack("<I", 8) + text("llama")),
        ("controlvector.layer_count", struct.pack("<Ii", 5, 1)),
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(settings)) + b"".join(text(key) + value for key, value in settings)
    head += text(f"direction.{LAYER}") + struct.pack("<IQIQ", 1, WIDTH, 0, 0)
    head += b"\0" * (-len(head) % 32)
    return head + struct.pack(f"<{WIDTH}f", *((at % 7 - 3) / 8 for at in range(WIDTH)))


def answer(program: str, picture: str, scale: float) -> dict:
    words = ["llama-mtmd-cli", "-m", f"{ENGINE}/tiny-chat.gguf", "--mmproj", f"{ENGINE}/tiny-projector.gguf"]
    words += ["--image", f"{ENGINE}/{picture}", "-p", PROMPT, "-ngl", "0", "--temp", "0", "-n", "24", "--jinja", "--no-warmup"]
    words += ["--control-vector-scaled", f"direction.gguf:{scale}"]
    ended = subprocess.run([program, *words[1:]], cwd=HERE, capture_output=True, check=True)
    said = ended.stdout.decode()
    return {"picture": picture, "prompt": PROMPT, "scale": scale, "command": shlex.join(words), "text": said.strip("\n")}


def main() -> None:
    program = str(Path(sys.argv[1]).resolve())
    (HERE / "direction.gguf").write_bytes(vector())
    version = subprocess.run([program, "--version"], capture_output=True, check=True).stderr.decode().split("\n")[0]
    answers = [answer(program, picture, scale) for picture in PICTURES for scale in (0.5, 1.0, 4.0)]
    document = {"program": "llama-mtmd-cli", "version": version, "answers": answers}
    (HERE / "mtmd-cli.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
