"""Builds the tokenizers of this folder as Hugging Face tokenizer.json files.

Two forms: CLIP's (lower-cased, byte-level BPE with an end-of-word suffix) and the byte-level BPE
of the Llama-3 and Qwen families. Both can be trained on a small corpus here; CLIP's can also be
built from the published merges (a text of "left right" lines, as OpenAI ships them).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import decoders

CLIP_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
QWEN_WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
              r"|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA_WORDS = QWEN_WORDS.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
CLIP_START, CLIP_END = "<|startoftext|>", "<|endoftext|>"


def byte_letters() -> list[str]:
    """The 256 printable letters that stand for bytes, in the order of CLIP's and GPT-2's vocabularies."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shifted = [256 + index for index in range(256 - len(plain))]
    return [chr(code) for code in plain + shifted]


def read_merges(text: str, count: int = 48894) -> list[tuple[str, str]]:
    """The first `count` merges after the header line of OpenAI's bpe_simple_vocab_16e6.txt."""
    return [tuple(line.split()) for line in text.split("\n")[1 : count + 1]]


def clip_tokenizer(merges: list[tuple[str, str]]) -> Tokenizer:
    """Vocabulary: 256 bytes, the same closing a word, one token a merge, start and end (the last two ids)."""
    letters = byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges), CLIP_START, CLIP_END]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token=CLIP_END, end_of_word_suffix="</w>",
                                     continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CLIP_WORDS), "removed", invert=True),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.post_processor = processors.RobertaProcessing((CLIP_END, vocabulary[CLIP_END]), (CLIP_START, vocabulary[CLIP_START]),
                                                            trim_offsets=False, add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([CLIP_START, CLIP_END])
    return tokenizer


def train_clip_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """CLIP's form with its own merges; `size` tokens in all, of which 512 are bytes and 2 special."""
    blank = clip_tokenizer([])
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer, learner.pre_tokenizer = blank.normalizer, blank.pre_tokenizer
    learner.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, show_progress=False, end_of_word_suffix="</w>",
                                                           initial_alphabet=byte_letters(), min_frequency=2))
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    return clip_tokenizer(merges[: size - 514])


def train_chat_tokenizer(texts: Iterable[str], size: int, special: list[str], pair: tuple[str, str] | None = None,
                         words: str = QWEN_WORDS) -> Tokenizer:
    """The byte-level BPE of the Qwen family, or with LLAMA_WORDS of Llama-3's. `pair` (begin, separator) adds an encoder's `[CLS] A [SEP] B [SEP]`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(words), "isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=special,
                                                             initial_alphabet=byte_letters(), min_frequency=2))
    if pair is not None:
        begin, separator = pair
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A {separator}", pair=f"{begin} $A {separator} $B:1 {separator}:1",
            special_tokens=[(token, tokenizer.token_to_id(token)) for token in pair])
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    compact = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    path.write_text(compact + "\n", encoding="utf-8")
    return path


def clip_ids(tokenizer: Tokenizer, text: str, at_most: int = 77) -> list[int]:
    """CLIP ids of a text: byte-order marks stripped, cut at `at_most` with the end token kept as the last id."""
    ids = tokenizer.encode(text.replace("\ufeff", "")).ids
    return ids if len(ids) <= at_most else [*ids[: at_most - 1], ids[-1]]


def copy_tokenizer(folder: Path, out: Path) -> Tokenizer:
    """out/tokenizer.json; where the folder has only a sentencepiece model or merges, transformers converts it."""
    out.mkdir(parents=True, exist_ok=True)
    source, target = folder / "tokenizer.json", out / "tokenizer.json"
    if source.is_file():
        state = json.loads(source.read_text(encoding="utf-8"))
        if state.get("padding") or state.get("truncation"):  # the reader's business
            target.write_text(json.dumps(state | {"padding": None, "truncation": None}, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        else:
            shutil.copyfile(source, target)
    else:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
        if not hasattr(tokenizer, "backend_tokenizer"):
            raise FileNotFoundError(f"Expected {source}, or a tokenizer that transformers can convert to it, but there is neither")
        tokenizer.backend_tokenizer.save(str(target))
    return Tokenizer.from_file(str(target))
