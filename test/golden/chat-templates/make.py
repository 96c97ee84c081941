"""Renders well-known chat templates with Jinja2, as transformers does, for the engine's template tests.

    python test/golden/chat-templates/make.py      (needs jinja2; the tests do not)

templates.json   name -> Jinja source, as the model families publish it, shortened to what a chat needs
golden.json      name -> conversation -> rendered prompt; {IMAGE} stands where libmtmd puts a picture
"""

from __future__ import annotations

import json
from pathlib import Path

from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = Path(__file__).resolve().parent

CONVERSATIONS = {
    "question": [("user", "What is this?", 0)],
    "picture": [("user", "What is this?", 1)],
    "two pictures": [("user", "Compare  them.", 2)],
    "turns": [("user", "Hello.", 1), ("assistant", "A cat.", 0), ("user", "And this?", 1)],
    "system": [("system", "Be brief.", 0), ("user", "What is this?", 1)],
    "white space": [("user", "  indented\n", 1)],
}

# How each template takes a picture: items of a list (and the mark that the template writes), or before the string.
MARKS = {
    "llava-hf": "<image>",
    "qwen2-vl": "<|vision_start|><|image_pad|><|vision_end|>",
    "gemma-3": "<start_of_image>",
    "mistral-small": "[IMG]",
    "smolvlm": "<image>",
}
NEEDS_LISTS = {"llava-hf", "smolvlm"}
NO_SYSTEM = {"gemma-2"}


def environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)

    def raise_exception(message: str) -> None:
        raise ValueError(message)

    made.globals["raise_exception"] = raise_exception
    return made


def content(name: str, text: str, images: int):
    if name in MARKS and (images or name in NEEDS_LISTS):
        return [{"type": "image"}] * images + [{"type": "text", "text": text}]
    return "{IMAGE}" * images + text


def messages(name: str, turns: list) -> list[dict]:
    if name in NO_SYSTEM and turns[0][0] == "system":
        (_, system, _), (role, text, images), *rest = turns
        first = {"role": role, "content": system + "\n" + content(name, text, images)}
        return [first, *messages(name, rest)] if rest else [first]
    return [{"role": role, "content": content(name, text, images)} for role, text, images in turns]


def main() -> None:
    templates = json.loads((HERE / "templates.json").read_text(encoding="utf-8"))
    golden = {}
    for name, source in templates.items():
        template = environment().from_string(source)
        golden[name] = {}
        for conversation, turns in CONVERSATIONS.items():
            text = template.render(
                messages=messages(name, turns), bos_token="<s>", eos_token="</s>", add_generation_prompt=True
            )
            golden[name][conversation] = text.replace(MARKS.get(name, "{IMAGE}"), "{IMAGE}")
    turns = {
        name: [{"role": role, "text": text, "images": images} for role, text, images in conversation]
        for name, conversation in CONVERSATIONS.items()
    }
    out = {"command": "python test/golden/chat-templates/make.py", "turns": turns, "prompts": golden}
    (HERE / "golden.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
