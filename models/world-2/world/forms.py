"""A wish about the form of an answer, and the answer that grants it."""

import random
import re
from dataclasses import replace

from .phrases import Example
from .questions import FORMS, OPENINGS

_WORD = {"colour": lambda text: text.rstrip(".").split()[-1], "count": lambda text: text.split()[2], "exists": lambda text: text.split(",")[0]}


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[a-z]\.) ", text)[0]


def forms_for(example: Example) -> list[str]:
    """What may be wished of an answer. Yes and no stay as they are, and so does what follows the prefix."""
    if example.prefixed or not example.question or example.answer in ("Yes.", "No."):
        return []
    return ["begin", "capitals", "sentence", *(["word"] if example.kind in _WORD else [])]


def with_form(example: Example, split: str, rng: random.Random, form: str | None = None) -> Example:
    """The same question with a wish behind it. A refusal begins as it wants to."""
    found = forms_for(example)
    if not found:
        return example
    form = form or rng.choice(found)
    word = rng.choice(OPENINGS)
    question = f"{example.question} {rng.choice(FORMS[form][split]).format(w=word.rstrip('.'))}"
    answer = example.answer
    if form == "begin" and example.stance != "refuse":
        answer = f"{word} {answer}"
    elif form == "capitals":
        answer = answer.upper()
    elif form == "sentence":
        answer = first_sentence(answer)
    elif form == "word":
        said = _WORD[example.kind](answer)
        answer = f"{said[0].upper()}{said[1:]}."
    return replace(example, question=question, answer=answer)


def obeys(form: str, question: str, answer: str) -> bool:
    """Whether an answer has the form that its question wishes."""
    text = answer.strip()
    if form == "begin":
        word = re.findall(r'"([^"]+)"', question)[-1]
        return text.lower().startswith(word.lower())
    if form == "capitals":
        return text == text.upper() and text != text.lower()
    if form == "sentence":
        return len([part for part in text.split(".") if part.strip()]) == 1
    return len(text.split()) == 1
