"""The language model's tokenizer: a SentencePiece vocabulary, tokenised as llama.cpp v0.5.0 does it.

Trained by SentencePiece (BPE, byte fallback, identity normalisation), but encoded by the algorithm of
llama.cpp's llm_tokenizer_spm, so training ids and run-time ids are the same by construction;
gguf/check_export.py compares them on thousands of strings.

  - Special tokens are cut out first, longest text first: control tokens only with parse_special, user
    defined tokens always.
  - Spaces become "▁". `tokenizer.ggml.add_space_prefix` is false for the miniature, so nothing is put in
    front: "The" and " The" are different tokens, and a text tokenised in two parts is two encodings side
    by side. True (LLaVA-1.5's vocabulary) puts a space before the text and after each special token.
  - Adjacent symbols merge, best score first, the leftmost among equals; what is no token at the end
    becomes byte tokens.
A part that ends in a space ends in the token "▁", and the next part starts without one. Training must
therefore cut texts where the run time does: after each role token, around the picture, and after the
interference prefix.
"""

from __future__ import annotations

import heapq
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # gguf.TokenType
SPACE = "▁"

ROLE_TOKENS = ("<|system|>", "<|user|>", "<|assistant|>")

# <s><|user|>question<|assistant|>answer</s><|user|>…: every piece of text stands between control tokens,
# so template and user text tokenise alike whether joined or apart.
CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@dataclass(frozen=True)
class Piece:
    text: str
    score: float
    kind: int


class Tokenizer:
    def __init__(
        self,
        pieces: Iterable[Piece],
        chat_template: str | None = CHAT_TEMPLATE,
        add_space_prefix: bool = False,
    ):
        self.pieces = list(pieces)
        self.add_space_prefix = add_space_prefix
        self.chat_template = chat_template
        self.ids = {piece.text: index for index, piece in enumerate(self.pieces)}
        if len(self.ids) != len(self.pieces):
            raise ValueError("two tokens have the same text; llama.cpp needs them distinct")
        self.unk, self.bos, self.eos = 0, 1, 2
        self._special = sorted(
            (i for i, p in enumerate(self.pieces) if p.kind in (CONTROL, USER_DEFINED, UNKNOWN)),
            key=lambda i: -len(self.pieces[i].text.encode()),
        )
        self._bytes = [self.ids[f"<0x{value:02X}>"] for value in range(256)]
        # Where no token runs across the start of a word, words can be encoded apart and remembered.
        self._by_word = not any(
            SPACE in p.text.lstrip(SPACE) for p in self.pieces if p.kind == NORMAL
        )
        self._cache: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.pieces)

    def id(self, text: str) -> int:
        return self.ids[text]

    def encode(self, text: str, parse_special: bool = False, bos: bool = False) -> list[int]:
        fragments: list[str | int] = [text]
        for index in self._special:
            piece = self.pieces[index]
            if piece.kind != USER_DEFINED and not parse_special:
                continue
            cut: list[str | int] = []
            for fragment in fragments:
                if isinstance(fragment, int) or piece.text not in fragment:
                    cut.append(fragment)
                    continue
                for number, part in enumerate(fragment.split(piece.text)):
                    if number:
                        cut.append(index)
                    if part:
                        cut.append(part)
            fragments = cut
        ids = [self.bos] if bos else []
        prefix = self.add_space_prefix
        for fragment in fragments:
            if isinstance(fragment, int):
                ids.append(fragment)
                prefix = self.add_space_prefix
            elif fragment:
                ids.extend(self._encode_raw((SPACE if prefix else "") + fragment.replace(" ", SPACE)))
                prefix = False
        return ids

    def _encode_raw(self, text: str) -> list[int]:
        if not self._by_word:
            return self._merge(text)
        ids: list[int] = []
        start = 0
        for end in range(1, len(text) + 1):
            if end < len(text) and not (text[end] == SPACE and text[end - 1] != SPACE):
                continue
            word = text[start:end]
            found = self._cache.get(word)
            if found is None:
                found = self._cache[word] = self._merge(word)
            ids.extend(found)
            start = end
        return ids

    def _merge(self, text: str) -> list[int]:
        symbols = list(text)
        before = list(range(-1, len(symbols) - 1))
        after = [*range(1, len(symbols)), -1]
        queue: list[tuple[float, int, int, str]] = []

        def offer(left: int, right: int) -> None:
            if left < 0 or right < 0:
                return
            joined = symbols[left] + symbols[right]
            index = self.ids.get(joined)
            if index is not None:
                heapq.heappush(queue, (-self.pieces[index].score, left, right, joined))

        for right in range(1, len(symbols)):
            offer(right - 1, right)
        while queue:
            _, left, right, joined = heapq.heappop(queue)
            if not symbols[left] or not symbols[right] or symbols[left] + symbols[right] != joined:
                continue  # one of the two has merged otherwise meanwhile
            symbols[left], symbols[right] = joined, ""
            after[left] = after[right]
            if after[right] >= 0:
                before[after[right]] = left
            offer(before[left], left)
            offer(left, after[left])
        ids: list[int] = []
        for symbol in symbols:
            if not symbol:
                continue
            index = self.ids.get(symbol)
            ids.extend([index] if index is not None else [self._bytes[b] for b in symbol.encode()])
        return ids

    def piece_bytes(self, index: int, special: bool = False) -> bytes:
        piece = self.pieces[index]
        if piece.kind == BYTE:
            return bytes([int(piece.text[3:5], 16)])
        if piece.kind in (CONTROL, UNKNOWN):
            return piece.text.encode() if special else b""
        if piece.kind == USER_DEFINED:
            return piece.text.encode()
        return piece.text.replace(SPACE, " ").encode()

    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        return b"".join(self.piece_bytes(int(i), special) for i in ids).decode(errors="replace")

    def prompt(self, question: str, image: bool) -> tuple[list[int], list[int]]:
        """Ids before the image's embeddings and after them; a text-only prompt is their concatenation.

        The image stands at the start of the user's text, as llama-mtmd-cli and eta-vlm put it.
        """
        before = self.encode("<|user|>", parse_special=True, bos=True)
        after = self.encode(question) + [self.id("<|assistant|>")]
        return before, after

    def to_dict(self) -> dict:
        """Plain values: JSON, or the `tokenizer` entry of a checkpoint."""
        return {
            "chat_template": self.chat_template,
            "add_space_prefix": self.add_space_prefix,
            "pieces": [[p.text, p.score, p.kind] for p in self.pieces],
        }

    @staticmethod
    def from_dict(data: dict) -> Tokenizer:
        pieces = (Piece(*piece) for piece in data["pieces"])
        return Tokenizer(pieces, data["chat_template"], data["add_space_prefix"])

    def save(self, path: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.to_dict(), file, ensure_ascii=False, indent=0)

    @staticmethod
    def load(path: str) -> Tokenizer:
        with open(path, encoding="utf-8") as file:
            return Tokenizer.from_dict(json.load(file))


def train_tokenizer(
    texts: Iterable[str],
    vocab_size: int = 1536,
    control: tuple[str, ...] = ROLE_TOKENS,
    user_defined: tuple[str, ...] = (),
    chat_template: str | None = CHAT_TEMPLATE,
    add_space_prefix: bool = False,
) -> Tokenizer:
    """A vocabulary from texts. Order: <unk>, <s>, </s>, control, user defined, 256 bytes, merges, characters.

    The texts decide the ids: give them in a fixed order. `vocab_size` is an upper bound when the texts
    have too few merges. Control tokens must not occur in the texts.
    """
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for text in texts for line in text.split("\n") if line),
        model_writer=written,
        model_type="bpe",
        vocab_size=vocab_size,
        hard_vocab_limit=True,
        character_coverage=1.0,
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_digits=True,
        control_symbols=list(control),
        user_defined_symbols=list(user_defined),
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        max_sentence_length=16384,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())

    def kind(index: int) -> int:
        if model.is_unknown(index):
            return UNKNOWN
        if model.is_control(index):
            return CONTROL
        if model.is_byte(index):
            return BYTE
        return USER_DEFINED if model.id_to_piece(index) in user_defined else NORMAL

    pieces = [Piece(model.id_to_piece(i), model.get_score(i), kind(i)) for i in range(len(model))]
    return Tokenizer(pieces, chat_template, add_space_prefix)
