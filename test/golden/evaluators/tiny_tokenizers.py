"""Tokenizers of the real families' forms, learnt from a few sentences."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import tiny_models  # noqa: F401 (puts the converter on the path)
from prompt import BEST_OF_N_PROMPT, POST_PROMPT, PREFIX, SAFETY_PROMPT
from tokenizer_file import LLAMA_WORDS, QWEN_WORDS, train_chat_tokenizer

CORPUS = [SAFETY_PROMPT, PREFIX, POST_PROMPT, BEST_OF_N_PROMPT, "As an AI assistant, I cannot help with that. Please ask an expert. Here are the steps. Mix them all. "
          "A photo of a red apple. Two dogs on the grass. user assistant model Cutting Knowledge Date: Today Date: December 2023 26 Jul 2024"] * 4


def llama_tokenizer() -> Tokenizer:
    special = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|end_of_text|>"]
    return train_chat_tokenizer(CORPUS, 400, special, words=LLAMA_WORDS)


def qwen_tokenizer() -> Tokenizer:
    tokenizer = train_chat_tokenizer(CORPUS, 400, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], words=QWEN_WORDS)
    tokenizer.add_tokens(["<think>", "</think>"])
    return tokenizer


def gemma_tokenizer(special: list[str]) -> Tokenizer:
    """Gemma's form: spaces as ▁, whole words merged by BPE, unknown characters as bytes."""
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(vocab_size=700, show_progress=False, special_tokens=["<pad>", "<eos>", "<bos>", "<unk>", *special], min_frequency=2)
    tokenizer.train_from_iterator([text.lower() for text in CORPUS] + CORPUS, trainer)
    state = json.loads(tokenizer.to_str())
    for token in byte_tokens:
        state["model"]["vocab"].setdefault(token, len(state["model"]["vocab"]))
    return Tokenizer.from_str(json.dumps(state))
