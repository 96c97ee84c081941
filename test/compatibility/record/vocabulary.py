"""Tiny tokenizers of the original kinds, with the original special tokens, trained on a few lines."""

from __future__ import annotations

from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LINES = """The red apple is on the left. The blue car is on the right of the table.
I can see two dogs and one cat in the picture! How many birds are there? There are three.
What colour is the chair? It is green. Is there a hammer? No, there is not. What is in the picture?
I cannot help with that, because it is dangerous. As an AI assistant, I would rather tell you about the picture.
The image shows a list with items. Fill in the list: 1. 2. 3. You are a helpful assistant.
A chat between a curious human and an artificial intelligence assistant. user assistant system USER ASSISTANT User
The assistant gives helpful, detailed, and polite answers to the human's questions. model
Café, naïve, 日本語。 A person asks the assistant. The assistant answers the person's question.""".split("\n")

QUESTION = "What is in the picture?"
# Questions beside the main one: words that must stay words, white space, other scripts.
TEXTS = ["The café's list: 1. 2. 3.", "Is there a hammer?\nNo, there is not. 日本語 naïve 🙂"]


def sentence_piece(folder: Path, size: int, controls: tuple[str, ...] = (), **options: object) -> None:
    """tokenizer.model of Llama's or Gemma's kind: BPE with byte tokens."""
    settings = {
        "model_type": "bpe",
        "byte_fallback": True,
        "split_digits": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "add_dummy_prefix": True,
        "character_coverage": 1.0,
        "unk_id": 0,
        "bos_id": 1,
        "eos_id": 2,
        "pad_id": -1,
        **options,
    }
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(LINES),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=size,
        hard_vocab_limit=False,
        minloglevel=2,
        control_symbols=list(controls),
        **settings,
    )
    (folder / "tokenizer.vocab").unlink()


# The splits before the merges, as the originals' tokenizer.json has them.
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(
    specials: list[str],
    size: int,
    split: str | None = QWEN2_SPLIT,
    normalize: bool = True,
    front: bool = False,
    begin: str | None = None,
    more: tuple[str, ...] = (),
) -> Tokenizer:
    """Byte-level BPE of GPT-2's kind: 256 bytes, merges up to `size`, then the special tokens (or before, `front`)."""
    tokenizer = Tokenizer(models.BPE())
    if normalize:
        tokenizer.normalizer = normalizers.NFC()
    if split is None:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(split), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(text, special=True) for text in specials] if front else [],
        show_progress=False,
    )
    tokenizer.train_from_iterator([*LINES, *more], trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in specials])
    if begin is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A $B", special_tokens=[(begin, tokenizer.token_to_id(begin))]
        )
    return tokenizer
