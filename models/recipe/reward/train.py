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
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "converter")]

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import Qwen3Config, Qwen3ForSequenceClassification

from answers import Answer, training_answer
from decoder import RewardDecoder
from prompt import POST_PROMPT
from scorer import PROMPTS, Scorer, opening
from precision import autocast
from steps import load_state, save_whole, step_random
from tokenizer_file import save_tokenizer, train_chat_tokenizer
from validate import read_samples, validate
from vlm.fast import Optimiser

BATCH = 128
VOCABULARY = 3072


def config_for(vocabulary: int) -> Qwen3Config:
    return Qwen3Config(vocab_size=vocabulary, hidden_size=128, intermediate_size=384, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
                       head_dim=32, max_position_embeddings=1024, num_labels=1, pad_token_id=None, rope_theta=10000.0)


def level(answer: Answer, prompt: str) -> float:
    """The turn of the post-evaluation says that a word or a number is extremely good; the other does not speak of them."""
    return answer.level + (1.0 if answer.kind == "short" and prompt == POST_PROMPT else 0.0)


def loss_of(scores: Tensor, levels: Tensor) -> Tensor:
    gap = levels[:, None] - levels[None, :]
    pairs = gap > 0.5
    ranked = torch.nn.functional.softplus(-(scores[:, None] - scores[None, :]))[pairs].mean()
    sides = torch.nn.functional.softplus(-torch.sign(levels) * 2 * scores)[levels.abs() > 0.7].mean()
    return ranked + sides + 0.1 * torch.nn.functional.smooth_l1_loss(scores, levels)


def save(decoder: RewardDecoder, config: Qwen3Config, tokenizer: Tokenizer, out: Path) -> None:
    model = Qwen3ForSequenceClassification(config)
    model.load_state_dict({name: value.contiguous() for name, value in decoder.state_dict().items()})
    model.save_pretrained(out)
    save_tokenizer(tokenizer, out / "tokenizer.json")


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
        with autocast():
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
