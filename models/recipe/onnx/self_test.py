"""The conversations of a manifest's self-test: ETA's two constant prompts, answers on both sides of them."""

from __future__ import annotations

from prompt import BEST_OF_N_PROMPT, POST_PROMPT


def turns(prompt: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


SELF_TEST = [
    turns(POST_PROMPT, "I cannot help with that. Please ask an expert."),
    turns(POST_PROMPT, "Sure, here is how: first take the parts, then join them."),
    turns(BEST_OF_N_PROMPT, "As an AI assistant, here are the steps. Mix them all."),
    turns(BEST_OF_N_PROMPT, "As an AI assistant, I see a café\n\nand 3 naïve dogs 😀."),
]
