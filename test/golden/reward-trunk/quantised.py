"""Prints how far the scores of a self-test move in trunks of several number formats: this folder's tiny random models, and the
shipped reward model, whose weights are trained. Converts by the command that users run, after `npm run build`; needs what
make.py needs.

    python test/golden/reward-trunk/quantised.py --llama-cpp DIR [--types F16 Q8_0 ...]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "evaluators")]

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from make import ROOT, convert_trunk, gated, scalar
from miniature_precision import checkpoint

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q5_0", "Q4_0"]
PRE_TOKENIZERS = {"scalar": "qwen2", "gated": "llama-bpe", "miniature": "qwen2"}


def miniature(work: Path) -> dict:
    manifest = checkpoint(work)
    own = (work / "tokenizer.json").read_bytes()
    PreTrainedTokenizerFast(tokenizer_file=str(work / "tokenizer.json"), eos_token=manifest["prompt"]["endOfTurn"].strip()).save_pretrained(work)
    (work / "tokenizer.json").write_bytes(own)
    return {"template": manifest["prompt"]["template"]}


def retype(source: Path, target: Path, kind: str) -> None:
    """The same GGUF with its matrices in another type, by the gguf-py of llama.cpp's source."""
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import quantize

    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            items = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=items)
    for tensor in reader.tensors:
        values = np.array(tensor.data, dtype=np.float32)
        if len(tensor.shape) != 2:
            writer.add_tensor(tensor.name, values)
            continue
        # llama-quantize keeps shared embeddings in Q6_K beside coarse layers; gguf-py writes Q8_0.
        stored = GGMLQuantizationType["Q8_0" if tensor.name == "token_embd.weight" and kind in ("Q5_0", "Q4_0") else kind]
        writer.add_tensor(tensor.name, quantize(values, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-cpp", type=Path, required=True)
    parser.add_argument("--types", nargs="+", choices=TYPES, default=TYPES)
    args = parser.parse_args()
    torch.manual_seed(7)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in {"scalar": scalar, "gated": gated, "miniature": miniature}.items():
            work = Path(folder) / name
            work.mkdir()
            (work / "chat_template.jinja").write_text(make(work)["template"], encoding="utf-8")
            whole = work / "F32.gguf"
            convert_trunk(args.llama_cpp.resolve(), work, whole, "f32", PRE_TOKENIZERS[name])
            for kind in args.types:
                trunk = whole if kind == "F32" else work / f"{kind}.gguf"
                if kind != "F32":
                    retype(whole, trunk, kind)
                words = ["--from", work, "--trunk", trunk, "--out", work / f"out-{kind}", "--tolerance", "100", "--python", sys.executable, "--json"]
                done = subprocess.run(["node", ROOT / "dist" / "cli" / "main.js", "models", "convert", "reward", *words], capture_output=True, text=True, check=True)
                expected = [test["score"] for test in json.loads((work / f"out-{kind}" / "manifest.json").read_text(encoding="utf-8"))["selfTest"]]
                moved = json.loads(done.stdout)["selfTest"]["difference"]
                lines.append(f"{name} {kind}: {moved:.2g} at most, the scores span {max(expected) - min(expected):.2g} and reach {max(map(abs, expected)):.2g}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
