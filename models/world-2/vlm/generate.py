"""Batched generation from a checkpoint: left-padded prompts, one cache, greedy or top-k; and the first token's chances."""

from dataclasses import dataclass

import torch
from torch import Tensor

from world.phrases import PREFIX

from .model import Vlm
from .tokenizer import Tokenizer


@dataclass
class Prompt:
    """`picture` is an index into the image embeddings given to `generate`, None for text alone. It stands in the first turn, which
    is `history`'s where there is one; with `first_picture` that one does, and `picture` in the second."""

    question: str
    picture: int | None = None
    prefixed: bool = False
    accepted: str = ""  # text after the prefix, already chosen
    history: tuple[tuple[str, str], ...] = ()
    system: str = ""
    first_picture: int | None = None


def embedded(vlm: Vlm, tokenizer: Tokenizer, prompt: Prompt, images: Tensor | None) -> Tensor:
    """The rows [T, width] of a prompt, up to where the answer begins."""
    system, user, assistant = (tokenizer.id(f"<|{role}|>") for role in ("system", "user", "assistant"))
    parts: list[Tensor] = []

    def words(*ids: int) -> None:
        parts.append(vlm.language.embedding(torch.tensor(ids, dtype=torch.long)))

    def picture(index: int | None) -> None:
        if index is not None:
            parts.append(images[index])

    words(tokenizer.bos, *([system, *tokenizer.encode(prompt.system)] if prompt.system else []))
    turns = [*prompt.history, (prompt.question, None)]
    shown = [prompt.picture] if prompt.first_picture is None else [prompt.first_picture, prompt.picture]
    for place, (question, answer) in enumerate(turns):
        words(user)
        picture(shown[place] if place < len(shown) else None)
        words(*tokenizer.encode(question), assistant, *([*tokenizer.encode(answer), tokenizer.eos] if answer is not None else []))
    if prompt.prefixed:
        words(*tokenizer.encode(PREFIX))
    if prompt.accepted:
        words(*tokenizer.encode(prompt.accepted))
    return torch.cat(parts)


def _begun(vlm: Vlm, rows: list[Tensor]) -> tuple[Tensor, list, Tensor, Tensor]:
    """The first logits, the cache, the mask of what is seen, and the last places."""
    count, longest = len(rows), max(len(row) for row in rows)
    x = torch.zeros(count, longest, rows[0].shape[1])
    pad = torch.zeros(count, longest, dtype=torch.bool)
    positions = torch.zeros(count, longest, dtype=torch.long)
    for index, row in enumerate(rows):
        start = longest - len(row)
        x[index, start:], pad[index, :start] = row, True
        positions[index, start:] = torch.arange(len(row))
    future = torch.full((longest, longest), -1e4).triu(1)
    seen = torch.where(pad, -1e4, 0.0)[:, None, None]
    cache: list = []
    logits = vlm.language.logits(vlm.language.hidden(x, future[None, None] + seen, positions, cache)[:, -1])
    return logits, cache, seen, positions[:, -1]


@torch.no_grad()
def first_chances(vlm: Vlm, tokenizer: Tokenizer, prompts: list[Prompt], images: Tensor | None) -> Tensor:
    """Probabilities [B, vocabulary] of the answer's first token."""
    return _begun(vlm, [embedded(vlm, tokenizer, prompt, images) for prompt in prompts])[0].float().softmax(-1)


@torch.no_grad()
def generate(
    vlm: Vlm,
    tokenizer: Tokenizer,
    prompts: list[Prompt],
    images: Tensor | None,
    most: int = 64,
    temperature: float = 0.0,
    top_k: int = 5,
    one_sentence: bool = False,
    generator: torch.Generator | None = None,
) -> list[str]:
    """The continuations as text (of the prefix, where there is one)."""
    language = vlm.language
    logits, cache, seen, place = _begun(vlm, [embedded(vlm, tokenizer, prompt, images) for prompt in prompts])
    count = len(prompts)
    ends = torch.tensor([b"." in tokenizer.piece_bytes(i) for i in range(len(tokenizer))])
    texts: list[list[int]] = [[] for _ in prompts]
    done = torch.zeros(count, dtype=torch.bool)
    for _ in range(most):
        if temperature > 0:
            values, chosen = logits.float().topk(top_k)
            draw = torch.multinomial((values / temperature).softmax(-1), 1, generator=generator)
            token = chosen.gather(1, draw)[:, 0]
        else:
            token = logits.argmax(-1)
        for index in range(count):
            if not done[index] and token[index] != tokenizer.eos:
                texts[index].append(int(token[index]))
        done |= token == tokenizer.eos
        if one_sentence:
            done |= ends[token]
        if done.all():
            break
        place = place + 1
        seen = torch.cat([seen, torch.zeros(count, 1, 1, 1)], -1)
        hidden = language.hidden(language.embedding(token[:, None]), seen, place[:, None], cache)
        logits = language.logits(hidden[:, -1])
    return [tokenizer.decode(ids) for ids in texts]
