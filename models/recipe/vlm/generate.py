"""Batched generation from a checkpoint: left-padded prompts, one cache, greedy or top-k."""

from dataclasses import dataclass

import torch
from torch import Tensor

from world.phrases import PREFIX

from .model import Vlm
from .tokenizer import Tokenizer


@dataclass
class Prompt:
    """`picture` is an index into the image embeddings given to `generate`, None for text alone."""

    question: str
    picture: int | None = None
    prefixed: bool = False
    accepted: str = ""  # text after the prefix, already chosen


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
    rows = []
    for prompt in prompts:
        before, after = tokenizer.prompt(prompt.question, prompt.picture is not None)
        if prompt.prefixed:
            after = after + tokenizer.encode(PREFIX)
        if prompt.accepted:
            after = after + tokenizer.encode(prompt.accepted)
        image = None if prompt.picture is None else images[prompt.picture : prompt.picture + 1]
        rows.append(vlm.embed(torch.tensor([before]), image, torch.tensor([after]))[0])
    count, longest = len(rows), max(len(row) for row in rows)
    x = torch.zeros(count, longest, rows[0].shape[1])
    pad = torch.zeros(count, longest, dtype=torch.bool)
    positions = torch.zeros(count, longest, dtype=torch.long)
    for index, row in enumerate(rows):
        start = longest - len(row)
        x[index, start:], pad[index, :start] = row, True
        positions[index, start:] = torch.arange(len(row))
    future = torch.full((longest, longest), -1e4).triu(1)
    mask = future[None, None] + torch.where(pad, -1e4, 0.0)[:, None, None]
    cache: list = []
    logits = language.logits(language.hidden(x, mask, positions, cache)[:, -1])
    seen = torch.where(pad, -1e4, 0.0)[:, None, None]
    ends = torch.tensor([b"." in tokenizer.piece_bytes(i) for i in range(len(tokenizer))])
    texts: list[list[int]] = [[] for _ in prompts]
    done = torch.zeros(count, dtype=torch.bool)
    place = positions[:, -1]
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
