"""A checkpoint's chat template, made independent of the day and of what the caller passes, and what can be read off it."""

from __future__ import annotations

from pathlib import Path

from checkpoint import Checkpoint
from prompt import render

# Llama-3.1's template writes this date where none is given, later ones ask the clock: the score would change with the day.
DATE = "26 Jul 2024"


def read_template(checkpoint: Checkpoint, file: Path | None = None) -> str:
    """`file`, else chat_template.jinja, else the field of tokenizer_config.json; begin, end and date set in front."""
    settings = checkpoint.read_json("tokenizer_config.json")
    beside = checkpoint.folder / "chat_template.jinja"
    if file is not None or beside.is_file():
        source = (file or beside).read_text(encoding="utf-8")
    else:
        source = settings.get("chat_template") or checkpoint.read_json("chat_template.json").get("chat_template")
        if isinstance(source, list):  # several by name
            source = next((one["template"] for one in source if one["name"] == "default"), None)
    if not isinstance(source, str):
        raise ValueError(f"Expected a chat template in {checkpoint.folder} but there is none: pass --template FILE")
    values = {"date_string": DATE}
    for name in ("bos_token", "eos_token"):
        token = settings.get(name)
        values[name] = token.get("content") if isinstance(token, dict) else token
    return "".join(f"{{% set {name} = {value!r} %}}" for name, value in values.items() if name in source and value) + source


QUESTION, ANSWER = "Qxq", "Axa"


def around_answer(template: str) -> tuple[str, str]:
    """What stands between a question and its answer, and what ends the answer."""
    text = render(template, [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}])
    if text.count(QUESTION) != 1 or text.count(ANSWER) != 1:
        raise ValueError(f"Expected a chat template that writes question and answer once each but received {text!r}")
    between = text[text.index(QUESTION) + len(QUESTION) : text.index(ANSWER)]
    return between, text[text.index(ANSWER) + len(ANSWER) :]
