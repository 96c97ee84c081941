"""Scores answers behind ETA's two constant user turns with the decoder that is exported."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import Qwen3Config, Qwen3ForSequenceClassification

from decoder import RewardDecoder
from prompt import BEST_OF_N_PROMPT, POST_PROMPT, QWEN_TEMPLATE, render

LONGEST = 128
END_OF_TURN = "<|im_end|>\n"
PROMPTS = (POST_PROMPT, BEST_OF_N_PROMPT)


def opening(prompt: str) -> str:
    """The rendered conversation up to the place of the answer."""
    return render(QWEN_TEMPLATE, [{"role": "user", "content": prompt}, {"role": "assistant", "content": "\x00"}]).split("\x00")[0]


def load_decoder(folder: Path) -> RewardDecoder:
    """A trained model, in float32."""
    decoder = RewardDecoder(Qwen3Config.from_pretrained(folder))
    decoder.load_state_dict(Qwen3ForSequenceClassification.from_pretrained(folder, dtype=torch.float32).state_dict())
    return decoder.eval()


class Scorer:
    """The turn is run once, and its keys and values are shared by a batch of answers, as the reader does later."""

    def __init__(self, decoder: RewardDecoder, tokenizer: Tokenizer) -> None:
        self.decoder, self.tokenizer = decoder, tokenizer
        self.openings = {prompt: tokenizer.encode(opening(prompt), add_special_tokens=False).ids for prompt in PROMPTS}
        self.end = tokenizer.encode(END_OF_TURN, add_special_tokens=False).ids
        self.hidden: Tensor | None = None
        decoder.model.norm.register_forward_hook(self._keep)

    def _keep(self, module, given, hidden: Tensor) -> None:
        self.hidden = hidden

    def kept(self, prompt: str) -> list[Tensor]:
        ids = torch.tensor([self.openings[prompt]])
        count = ids.shape[1]
        attention = self.decoder.model.layers[0].self_attn
        empty = [torch.zeros(1, attention.groups, 0, attention.size)] * (2 * len(self.decoder.model.layers))
        mask = torch.full((count, count), -1e9).triu(1)[None, None]
        _, *present = self.decoder(ids, torch.arange(count)[None], mask, *empty)
        return present

    def ids(self, text: str) -> list[int]:
        """An answer with its end of turn. A longer one loses its middle, as in the reader."""
        ids, room = self.tokenizer.encode(text, add_special_tokens=False).ids, LONGEST - len(self.end)
        return (ids if len(ids) <= room else ids[: room // 2] + ids[-(room - room // 2) :]) + self.end

    def score(self, texts: list[str], prompt: str) -> Tensor:
        """Scores [B]. Answers of like length run together, padded to a multiple of 8."""
        return self.score_and_follow(texts, prompt)[0]

    def score_and_follow(self, texts: list[str], prompt: str, followed: list[bool] | None = None) -> tuple[Tensor, Tensor]:
        """Scores [B], and the mean loss of the next token over the answers marked in `followed`."""
        past, rows = self.kept(prompt), [self.ids(text) for text in texts]
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        size = -(-len(rows) // 4)
        scores, losses = [], []
        for group in (order[start : start + size] for start in range(0, len(rows), size)):
            scores.append(self._score([rows[row] for row in group], past))
            marked = [place for place, row in enumerate(group) if followed and followed[row]]
            if marked:
                losses.append(self._next_token([rows[group[place]] for place in marked], self.hidden[marked]))
        return torch.cat(scores)[torch.tensor(order).argsort()], torch.cat(losses).mean() if losses else torch.zeros(())

    def _next_token(self, rows: list[list[int]], hidden: Tensor) -> Tensor:
        targets = torch.full(hidden.shape[:2], -100)
        for place, row in enumerate(rows):
            targets[place, : len(row) - 1] = torch.tensor(row[1:])
        busy = targets >= 0
        return torch.nn.functional.cross_entropy((hidden[busy] @ self.decoder.model.embed_tokens.weight.T).float(), targets[busy], reduction="none")

    def _score(self, rows: list[list[int]], past: list[Tensor]) -> Tensor:
        kept, batch = past[0].shape[2], len(rows)
        count = -(-max(map(len, rows)) // 8) * 8
        ids = torch.tensor([row + [0] * (count - len(row)) for row in rows])
        mask = torch.cat([torch.zeros(count, kept), torch.full((count, count), -1e9).triu(1)], dim=1)[None, None]
        positions = torch.arange(kept, kept + count)[None].expand(batch, -1)
        scores, *_ = self.decoder(ids, positions, mask, *(part.expand(batch, -1, -1, -1) for part in past))
        return scores[torch.arange(batch), torch.tensor([len(row) - 1 for row in rows]), 0].float()
