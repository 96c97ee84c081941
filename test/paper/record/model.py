"""Writes model.gguf, the tiny model of test/golden/engine with other output rows: bytes are never likely, so that texts are
whole characters; the end of text and "." are likely enough that a search meets them.

    python test/paper/record/model.py
"""

from __future__ import annotations

import shutil

import gguf

from places import LANGUAGE_MODEL, TINY
from vocabulary import BYTE, Vocabulary

END_GAIN, STOP_GAIN = 1.9, 1.5


def main() -> None:
    LANGUAGE_MODEL.parent.mkdir(exist_ok=True)
    shutil.copyfile(TINY, LANGUAGE_MODEL)
    reader = gguf.GGUFReader(LANGUAGE_MODEL, "r+")
    vocabulary = Vocabulary(reader.fields)
    [output] = [tensor.data for tensor in reader.tensors if tensor.name == "output.weight"]
    for token, kind in enumerate(vocabulary.kinds):
        if kind == BYTE:
            output[token] *= 0.05
    output[vocabulary.end] *= END_GAIN
    output[vocabulary.full_stop] *= STOP_GAIN
    output.flush()


if __name__ == "__main__":
    main()
