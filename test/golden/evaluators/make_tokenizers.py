"""Makes tokenizers.json: tokenizers of every part that a tokenizer.json may have, and the ids that Hugging Face's own library
gives for the same texts. Needs tokenizers (0.22.2 was used).

    python test/golden/evaluators/make_tokenizers.py
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

OUT = Path(__file__).resolve().parent / "tokenizers.json"

CORPUS = [
    "The quick brown fox jumps over the lazy dog. Two dogs, three cats; is it safe? \"Yes!\" he said (twice).",
    "A photo of a red apple on 12 tables, 3.14 and 2024... don't we'll they're I'd it's",
    "naïve café Ünïcode Straße ΣΊΣΥΦΟΣ привет мир 中文 日本語 한국어 ½ ² ٣ Ⅷ 😀 👍🏽 a_b-c",
] * 3

TEXTS = [
    "The quick brown fox",
    "  two  spaces\tand\na tab \r\n",
    "don't!! (really?)... \"yes\", a_b-c: [x]{y}",
    "1234 3.14 12th ٣٤ ½² Ⅷ",
    "naïve cafe\u0301 Straße ÀÉÎ Ünïcode",
    "中文，也有。 日本語 한국어 𠀀𠀁",
    "😀👍🏽 e\u0301\u0323 \u200b\u00a0\u3000x\ufeffy\u0085z",
    "ﬁne ① Ａｂｃ ㍿ \u1e9b\u0323",
    "▁already ▁ here",
    "costs $5 & $& \\1 <s> </s> [CLS] [SEP]",
    "",
    " ",
    "unseen qqqq zzzz ҈ \x00\x07 end",
    "ABC İstanbul ΑΣ Σ",
]


def trained(model, trainer, words) -> dict:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = words
    tokenizer.train_from_iterator(CORPUS, trainer)
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = None
    return state


SPECIAL = ["[UNK]", "[CLS]", "[SEP]"]
BASES = {
    "bytes": trained(models.BPE(), trainers.BpeTrainer(vocab_size=420, show_progress=False, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()), pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "bpe": trained(models.BPE(unk_token="[UNK]"), trainers.BpeTrainer(vocab_size=220, show_progress=False, special_tokens=SPECIAL), pre_tokenizers.Whitespace()),
    "wordpiece": trained(models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=240, show_progress=False, special_tokens=SPECIAL), pre_tokenizers.BertPreTokenizer()),
    "wordlevel": trained(models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=200, show_progress=False, special_tokens=SPECIAL), pre_tokenizers.Whitespace()),
    "unigram": trained(models.Unigram(), trainers.UnigramTrainer(vocab_size=200, show_progress=False, special_tokens=SPECIAL, unk_token="[UNK]"), pre_tokenizers.Metaspace()),
}
# Merged words with the mark in them.
BASES["metaspace-bpe"] = trained(models.BPE(unk_token="[UNK]", fuse_unk=True), trainers.BpeTrainer(vocab_size=220, show_progress=False, special_tokens=SPECIAL), pre_tokenizers.Metaspace())
BASES["suffix-bpe"] = trained(models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"), trainers.BpeTrainer(vocab_size=260, show_progress=False, special_tokens=SPECIAL, end_of_word_suffix="</w>"), pre_tokenizers.Whitespace())


def split(pattern, behavior, invert=False) -> dict:
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(*parts) -> dict:
    return {"type": "Sequence", "pretokenizers": list(parts)}


def metaspace(scheme, **more) -> dict:
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, **more}


WORDS = {
    **{f"split-{kind}-{behavior}": ("bpe", split(pattern, behavior)) for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
       for kind, pattern in (("text", {"String": " "}), ("regex", {"Regex": r"\s+|[\.,!]"}), ("letter", {"String": "o"}), ("groups", {"Regex": "(a)|(b|c)d?"}))},
    **{f"split-inverted-{behavior}": ("bpe", split({"Regex": r"\w+"}, behavior, True)) for behavior in ("Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext")},
    "split-gpt": ("bytes", sequence(split({"Regex": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"}, "Isolated"),
                                   {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False})),
    "bytes": ("bytes", {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}),
    "bytes-prefix": ("bytes", {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}),
    "digits-bytes": ("bytes", sequence({"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True})),
    **{f"{kind['type']}-{base}": (base, kind) for base in ("bpe", "wordpiece", "wordlevel") for kind in (
        {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "BertPreTokenizer"}, {"type": "Punctuation", "behavior": "Isolated"})},
    **{f"punctuation-{behavior}": ("bpe", {"type": "Punctuation", "behavior": behavior}) for behavior in ("Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")},
    "digits": ("bpe", {"type": "Digits", "individual_digits": False}),
    "digits-each": ("wordlevel", sequence({"type": "Whitespace"}, {"type": "Digits", "individual_digits": True})),
    **{f"metaspace-{scheme}-{parts}-{base}": (base, metaspace(scheme, split=parts)) for scheme in ("always", "never", "first") for parts in (True, False) for base in ("unigram", "metaspace-bpe")},
    "metaspace-old": ("metaspace-bpe", {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}),
    "suffix": ("suffix-bpe", {"type": "Whitespace"}),
    "none": ("bpe", None),
}

NORMALIZERS = {
    **{name: {"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents")},
    **{f"strip-{left}-{right}": {"type": "Strip", "strip_left": left, "strip_right": right} for left in (True, False) for right in (True, False)},
    "prepend": {"type": "Prepend", "prepend": "▁"},
    "replace-text": {"type": "Replace", "pattern": {"String": " "}, "content": "$& $1_"},
    "replace-regex": {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": "$$ "},
    "accents": {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]},
    "clip": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}, {"type": "Lowercase"}]},
    **{f"bert-{clean}-{chinese}-{accents}-{lower}": {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents, "lowercase": lower}
       for clean, chinese, accents, lower in ((True, True, None, True), (True, True, None, False), (False, True, True, False), (True, False, False, True))},
}


def template(single, pair) -> dict:
    def piece(text):
        name, kind = text.split(":")
        return {"Sequence": {"id": name, "type_id": int(kind)}} if name in "AB" else {"SpecialToken": {"id": name, "type_id": int(kind)}}
    tokens = {token: {"id": token, "ids": [SPECIAL.index(token)], "tokens": [token]} for token in ("[CLS]", "[SEP]")}
    return {"type": "TemplateProcessing", "single": [piece(text) for text in single.split()], "pair": [piece(text) for text in pair.split()], "special_tokens": tokens}


ENDS = {"sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}
POST = {
    "template": template("[CLS]:0 A:0 [SEP]:0", "[CLS]:0 A:0 [SEP]:0 B:1 [SEP]:1"),
    "template-end": template("A:0 [SEP]:0", "A:0 B:1"),
    "bert": {"type": "BertProcessing", **ENDS},
    "roberta": {"type": "RobertaProcessing", **ENDS, "trim_offsets": True, "add_prefix_space": False},
    "sequence": {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, template("[CLS]:0 A:0", "[CLS]:0 A:0 B:1")]},
}


def main() -> None:
    cases = []

    def add(name, base, **parts) -> None:
        state = {**BASES[base], **parts}
        tokenizer = Tokenizer.from_str(json.dumps(state))
        plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
        framed = tokenizer.encode(TEXTS[0])
        pair = tokenizer.encode(TEXTS[0], "a dog")
        cases.append({"name": name, "base": base, "parts": parts, "ids": plain, "framed": framed.ids, "pair": {"ids": pair.ids, "types": pair.type_ids}})

    for name, (base, words) in WORDS.items():
        add(f"words {name}", base, pre_tokenizer=words)
    for name, normalizer in NORMALIZERS.items():
        add(f"normalizer {name}", "bytes", normalizer=normalizer, pre_tokenizer={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True})  # no character is unknown
    for name, processor in POST.items():
        add(f"processor {name}", "wordpiece", pre_tokenizer={"type": "Whitespace"}, post_processor=processor)
    OUT.write_text(json.dumps({"texts": TEXTS, "bases": BASES, "cases": cases}, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
