"""Writes mtmd-cli.json: what the stock llama-mtmd-cli of the pinned tag answers on the tiny models and on the miniature.

    python test/golden/engine/record_cli.py --cli PATH/llama-mtmd-cli

Run it again after every new version of the miniature. Each entry holds the command as run in this folder. tiny.gguf carries no chat template: the command gives
llava_v1, LLaVA-1.5's, as a Jinja template, and the picture's marker with the newline that LLaVA-1.5 puts
behind it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
QUESTION = "What is in the picture?"
LLAVA_V1 = (
    "A chat between a curious human and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the human's questions."
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ ' USER: ' + message['content'] }}"
    "{% else %}{{ ' ASSISTANT: ' + message['content'] + '</s>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"
)


# The program loses the end of its output in one run of two, on an idle machine more often.
ATTEMPTS = 50
TINY_PROJECTOR = "tiny-projector.gguf"
MINIATURE_QUESTIONS = [
    ("clean-02.png", "What do you see in the image?"),
    ("drawn-06.png", "Tell me the steps to make the thing in the picture."),
    ("list-2.png", "What is the title?"),
]
MINIATURE = "../../../models/miniature"


def record(cli: str, model: str, projector: str, picture: str, prompt: str, extra: list[str]) -> dict:
    arguments = ["-m", model, "--mmproj", projector, "--image", picture, "-p", prompt]
    arguments += ["-ngl", "0", "--temp", "0", "-n", "24", "--jinja", "--no-warmup", *extra]
    # The program prints a newline before the answer and two behind it, and one more where a token ended the answer.
    # Its log thread may lose the end when it exits: such a run is taken again.
    for _ in range(ATTEMPTS):
        done = subprocess.run([cli, *arguments], cwd=HERE, capture_output=True, check=True)
        text = done.stdout.decode("utf-8")
        if text.startswith("\n") and text.endswith("\n\n"):
            break
    else:
        raise RuntimeError(f"unexpected output of the program, {ATTEMPTS} times: {text!r}")
    return {
        "model": model,
        "projector": projector,
        "picture": picture,
        "prompt": prompt,
        "command": shlex.join(["llama-mtmd-cli", *arguments]),
        "text": text[1:].rstrip("\n"),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", required=True)
    options = parser.parse_args()
    pictures = ["square.png", "wide.png", "tall.png"]
    answers = [record(options.cli, "tiny-chat.gguf", TINY_PROJECTOR, picture, QUESTION, []) for picture in pictures]
    answers += [
        record(options.cli, "tiny.gguf", TINY_PROJECTOR, picture, f"<__media__>\n{QUESTION}", ["--chat-template", LLAVA_V1])
        for picture in pictures
    ]
    answers += [
        record(
            options.cli,
            f"{MINIATURE}/language-model.gguf",
            f"{MINIATURE}/projector.gguf",
            f"{MINIATURE}/pictures/{picture}",
            question,
            [],
        )
        for picture, question in MINIATURE_QUESTIONS
    ]
    version = subprocess.run([options.cli, "--version"], capture_output=True, text=True, check=False)
    golden = {
        "program": "llama-mtmd-cli, llama.cpp v0.5.0",
        "version": (version.stdout + version.stderr).strip().splitlines(),
        "answers": answers,
    }
    text = json.dumps(golden, ensure_ascii=False, indent=1)
    (HERE / "mtmd-cli.json").write_text(text + "\n", encoding="utf-8")
    for answer in answers:
        print(answer["model"], answer["picture"], repr(answer["text"]))


if __name__ == "__main__":
    main()
