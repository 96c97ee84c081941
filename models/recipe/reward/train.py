"""Trains the miniature's reward model: a Qwen3 decoder of about a million parameters with one label.

    python models/recipe/reward/train.py --out DIR [--steps 2400] [--samples judged.jsonl] [--validation-samples judged.jsonl]

Each step scores a batch of answers behind one of ETA's two constant user turns. The turn is run once and its keys and
values are shared by the batch, as the reader does later. Three losses: Bradley-Terry on every pair of answers whose levels
differ, a pull of each score towards its level, so that a threshold has a place to stand, and the next token of every answer
that is not broken (the embedding read backwards, nothing to export): who knows what comes next sees what should not have.
Matrices are trained with Muon. A run that was killed goes on from its last state (`state.pt` in DIR). One thread by default:
another number rounds otherwise and gives a model that is alike, not the same.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "onnx")]

import torch
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch import Tensor
from transformers import Qwen3Config, Qwen3ForSequenceClassification

from answers import Answer, hard_answers, sentences, training_answer
from decoder import RewardDecoder
from prompt import BEST_OF_N_PROMPT, POST_PROMPT, QWEN_TEMPLATE, render
from steps import load_state, save_whole, step_random
from tokenizer_file import save_tokenizer, train_chat_tokenizer
from vlm.fast import Optimiser
from world.phrases import PREFIX

BATCH, LONGEST = 128, 128
VOCABULARY = 3072
END_OF_TURN = "<|im_end|>\n"
PROMPTS = (POST_PROMPT, BEST_OF_N_PROMPT)


def config_for(vocabulary: int) -> Qwen3Config:
    return Qwen3Config(vocab_size=vocabulary, hidden_size=128, intermediate_size=384, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
                       head_dim=32, max_position_embeddings=1024, num_labels=1, pad_token_id=None, rope_theta=10000.0)


def opening(prompt: str) -> str:
    """The rendered conversation up to the place of the answer."""
    return render(QWEN_TEMPLATE, [{"role": "user", "content": prompt}, {"role": "assistant", "content": "\x00"}]).split("\x00")[0]


def level(answer: Answer, prompt: str) -> float:
    """The turn of the post-evaluation says that a word or a number is extremely good; the other does not speak of them."""
    return answer.level + (1.0 if answer.kind == "short" and prompt == POST_PROMPT else 0.0)


class Scorer:
    """Scores answers behind a shared prompt with the decoder that is exported."""

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


def loss_of(scores: Tensor, levels: Tensor) -> Tensor:
    gap = levels[:, None] - levels[None, :]
    pairs = gap > 0.5
    ranked = torch.nn.functional.softplus(-(scores[:, None] - scores[None, :]))[pairs].mean()
    sides = torch.nn.functional.softplus(-torch.sign(levels) * 2 * scores)[levels.abs() > 0.7].mean()
    return ranked + sides + 0.1 * torch.nn.functional.smooth_l1_loss(scores, levels)


def own_broken(samples: list[Answer]) -> list[Answer]:
    """The language model's broken first sentences behind the prefix: what the search may meet."""
    return [answer for answer in samples if answer.kind == "garbled" and answer.text.startswith(PREFIX) and len(sentences(answer.text)) == 1]


@torch.no_grad()
def validate(scorer: Scorer, samples: list[Answer], each: int = 120) -> dict:
    """AUCs of safe answers against others on validation wordings, each text once; "hard+own" is what the card's point 8 asks."""
    scorer.decoder.eval()
    rng = random.Random(3)
    plain = [training_answer(rng, "validation") for _ in range(512)]
    hard = list({answer.text: (kind, answer) for kind, answer in hard_answers(rng, "validation", each)}.values())
    sets = {"plain": plain, "hard": [answer for _, answer in hard]}
    if samples:
        own = own_broken(samples)
        sets |= {"own": [answer for answer in samples if abs(answer.level) > 0.7], "hard+own": [*sets["hard"], *own]}
    found: dict = {}
    for name, answers in sets.items():
        for prompt, short in zip(PROMPTS, ("post", "best")):
            scores = torch.cat([scorer.score([answer.text for answer in answers[start : start + 128]], prompt) for start in range(0, len(answers), 128)])
            found[f"{name} {short}"] = round(float(roc_auc_score([answer.is_safe for answer in answers], scores.numpy())), 4)
            if name == "hard" and short == "post":
                kinds: dict[str, list[float]] = {}
                for (kind, _), score in zip(hard, scores.tolist()):
                    kinds.setdefault(kind, []).append(score)
                found |= {kind: [round(min(values), 2), round(sum(values) / len(values), 2), round(max(values), 2)] for kind, values in kinds.items()}
            if name == "hard+own" and short == "post" and own:
                found["own broken"] = [len(own), round(float(scores[-len(own) :].mean()), 2), round(float((scores[-len(own) :] > 0).float().mean()), 3)]
    scorer.decoder.train()
    return found


def save(decoder: RewardDecoder, config: Qwen3Config, tokenizer: Tokenizer, out: Path) -> None:
    model = Qwen3ForSequenceClassification(config)
    model.load_state_dict({name: value.contiguous() for name, value in decoder.state_dict().items()})
    model.save_pretrained(out)
    save_tokenizer(tokenizer, out / "tokenizer.json")


def read_samples(path: Path | None) -> list[Answer]:
    """Answers of the language model with the world's verdict: one JSON object {"text", "level", "kind"} a line."""
    return [Answer(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] if path else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--samples", type=Path, help="answers of the language model to training scenes, judged")
    parser.add_argument("--validation-samples", type=Path, help="the same of validation scenes; nothing is trained on them")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    samples, held = read_samples(args.samples), read_samples(args.validation_samples)
    texts = [*[opening(prompt) for prompt in PROMPTS for _ in range(50)], *(training_answer(rng).text for _ in range(8000))]
    tokenizer = train_chat_tokenizer(texts, VOCABULARY, ["<|im_start|>", "<|im_end|>"])
    config = config_for(tokenizer.get_vocab_size())
    decoder = RewardDecoder(config)
    for parameter in decoder.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.03)
    scorer = Scorer(decoder, tokenizer)
    print(json.dumps({"vocabulary": config.vocab_size, "parameters": sum(p.numel() for p in decoder.parameters()),
                      "opening": [len(ids) for ids in scorer.openings.values()], "samples": len(samples)}), flush=True)
    optimiser = Optimiser({"reward": decoder}, {"reward": args.rate})
    kept = args.out / "state.pt"
    state = load_state(kept)
    if state:
        decoder.load_state_dict(state["decoder"])
        optimiser.load_state_dict(state["optimiser"])
    started, first = time.time(), state["step"] if state else 0
    for step in range(first, args.steps):
        rng = step_random(args.seed, step)
        prompt = PROMPTS[step % 2]
        answers = [training_answer(rng, "train", samples) for _ in range(BATCH)]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores, next_token = scorer.score_and_follow([answer.text for answer in answers], prompt, [answer.kind != "garbled" for answer in answers])
        loss = loss_of(scores, torch.tensor([level(answer, prompt) for answer in answers])) + 0.5 * next_token
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step(min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / args.steps))))
        done = step + 1
        if done % 20 == 0:
            print(done, f"{(time.time() - started) / (done - first):.2f}s", f"{loss.item():.3f} {next_token.item():.3f}", flush=True)
        if done % 200 == 0 or done == args.steps:
            save_whole({"decoder": decoder.state_dict(), "optimiser": optimiser.state_dict(), "step": done}, kept)
            print(done, json.dumps(validate(scorer, held)), flush=True)
    save(decoder, config, tokenizer, args.out)


if __name__ == "__main__":
    main()
