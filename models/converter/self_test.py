"""A manifest's self-test: its conversations, ETA's two constant prompts with answers on both sides of them, and what a trunk
may be off by."""

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

# By the coarsest number format of a trunk's matrices, for scores of at most 1 (larger ones get as much more): measured on
# small models, random and trained, and rounded up. llama.cpp rounds activations too beside matrices of integers.
TRUNK_TOLERANCES = {"f32": 1e-3, "f16": 5e-3, "bf16": 2e-2, "q8_0": 1e-1, "other": 2e-1}


def trunk_cache(kind: str) -> str:
    """The trunk's cache: half precision moves the scores of trained weights by more than an F32 trunk is allowed."""
    return "f32" if kind == "f32" else "f16"


def refuse_constant(tests: list[dict]) -> None:
    """A self-test that one number passes proves nothing, and no reader takes it."""
    if max(test["score"] - test["tolerance"] for test in tests) <= min(test["score"] + test["tolerance"] for test in tests):
        raise ValueError(f"Expected scores of the self-test that lie further apart than their tolerances but received {', '.join(str(test['score']) for test in tests)} "
                         f"(within {tests[0]['tolerance']}): one number would pass them all. The checkpoint tells no answers apart, or what its trunk may be off by is too much: allow less with --tolerance, or take a finer quantisation")
