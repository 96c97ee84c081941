"""SentencePiece's BPE form (`tokenizer.ggml.model` = llama) from the keys of a GGUF: tokens of a text, text of tokens."""

from __future__ import annotations

import re

NORMAL, BYTE = 1, 6
SPACE = "\u2581"


class Vocabulary:
    def __init__(self, fields) -> None:
        key = lambda name: fields[f"tokenizer.ggml.{name}"].contents()
        self.pieces, self.scores, self.kinds = key("tokens"), key("scores"), key("token_type")
        self.begin, self.end = key("bos_token_id"), key("eos_token_id")
        self.id_of = {piece: token for token, piece in enumerate(self.pieces)}
        self.bytes_of = {token: self._bytes(token) for token in range(len(self.pieces))}
        # What "." behind a word is: 29889 in Llama-2's vocabulary.
        self.full_stop = self.encode("word.")[-1]
        if self.pieces[self.full_stop] != ".":
            raise ValueError("the vocabulary melts '.' into words")

    def _bytes(self, token: int) -> bytes:
        piece, kind = self.pieces[token], self.kinds[token]
        if kind == BYTE:
            return bytes([int(re.fullmatch(r"<0x([0-9A-F]{2})>", piece).group(1), 16)])
        return piece.replace(SPACE, " ").encode() if kind in (NORMAL, 4) else b""

    def encode(self, text: str) -> list[int]:
        """A space is put in front. The best pair is merged first, the leftmost of equals."""
        if text == "":
            return []
        symbols = list(SPACE + text.replace(" ", SPACE))
        while True:
            best, where = None, -1
            for index in range(len(symbols) - 1):
                score = self.scores[self.id_of[pair]] if (pair := symbols[index] + symbols[index + 1]) in self.id_of else None
                if score is not None and (best is None or score > best):
                    best, where = score, index
            if best is None:
                break
            symbols[where : where + 2] = [symbols[where] + symbols[where + 1]]
        tokens: list[int] = []
        for symbol in symbols:
            if symbol in self.id_of:
                tokens.append(self.id_of[symbol])
            else:
                tokens.extend(self.id_of[f"<0x{byte:02X}>"] for byte in symbol.encode())
        return tokens

    def decode(self, tokens: list[int]) -> str:
        """Raises UnicodeDecodeError for bytes that are no UTF-8."""
        return b"".join(self.bytes_of[token] for token in tokens).decode("utf-8")
