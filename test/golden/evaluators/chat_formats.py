"""Conversations by transformers' apply_chat_template."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from tiny_models import OUT
from tiny_tokenizers import gemma_tokenizer, llama_tokenizer, qwen_tokenizer
from chat_template import DATE, read_template
from checkpoint import Checkpoint
from prompt import BEST_OF_N_PROMPT
from tokenizer_file import save_tokenizer

TEMPLATES = json.loads((OUT / "templates.json").read_text(encoding="utf-8"))
CONVERSATIONS = {
    "question": [("user", "What is this?"), ("assistant", "A red apple.")],
    "system": [("system", "  Be brief. "), ("user", "What is this?"), ("assistant", "A red apple.")],
    "turns": [("user", "Hello."), ("assistant", "A cat."), ("user", "And this? 2024"), ("assistant", "A dog.\n")],
    "spaces": [("user", "  indented\n\n"), ("assistant", "\n\n  An answer \n")],
    "other scripts": [("user", "这是什么？ Что это?"), ("assistant", "蘋果 — яблоко 🍎 e\u0301")],
    "long": [("user", BEST_OF_N_PROMPT), ("assistant", "As an AI assistant, I cannot help. " * 9)],
    "empty": [("user", ""), ("assistant", "")],
}
REFUSED = {"gemma-2": ["system"]}


def chat(folder: Path, template: str, begin: str | None, end: str) -> PreTrainedTokenizerFast:
    """Writes what a Hugging Face folder has beside its tokenizer.json, and returns transformers' own reading of it."""
    settings = {"chat_template": template, "bos_token": begin, "eos_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), bos_token=begin, eos_token=end, chat_template=template)


def chat_ids(tokenizer: PreTrainedTokenizerFast, turns: list[tuple[str, str]]) -> list[int]:
    text = tokenizer.apply_chat_template([{"role": role, "content": content} for role, content in turns], tokenize=False, date_string=DATE)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def templates() -> dict:
    """Token ids of each conversation by transformers' apply_chat_template, with a tiny vocabulary of the family's form."""
    found = {}
    for name, template in TEMPLATES.items():
        if name == "qwen3":
            tokenizer, begin, end = qwen_tokenizer(), None, "<|im_end|>"
        elif name == "gemma-2":
            tokenizer, begin, end = gemma_tokenizer(["<start_of_turn>", "<end_of_turn>"]), "<bos>", "<eos>"
            save_tokenizer(tokenizer, OUT / "gemma-tokenizer.json")
        else:
            tokenizer, begin, end = llama_tokenizer(), "<|begin_of_text|>", "<|eot_id|>"
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            save_tokenizer(tokenizer, work / "tokenizer.json")
            (work / "config.json").write_text("{}", encoding="utf-8")
            fast = chat(work, template, begin, end)
            found[name] = {"template": read_template(Checkpoint(work)), "refused": REFUSED.get(name, []),
                           "ids": {title: chat_ids(fast, turns) for title, turns in CONVERSATIONS.items() if title not in REFUSED.get(name, [])}}
    return found
