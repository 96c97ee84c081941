"""Makes the GGUF trunk of a causal reward model by llama.cpp's own converter, from the layers alone, and exports it with
its heads (../../converter/export_trunk.py). Where a GGUF of the layers is there already, `eta-vlm models convert reward --trunk`
takes it.

    python reward_trunk.py --checkpoint DIR --out DIR --name NAME --llama-cpp DIR [--outtype f16]
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "converter"))

from chat_template import read_template
from checkpoint import Checkpoint
from export_reward import MAX_TOKENS
from export_trunk import export_trunk
from self_test import TRUNK_TOLERANCES, trunk_cache

ARCHITECTURES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}


def convert_trunk(llama: Path, checkpoint: Path, out: Path, outtype: str, pre_tokenizer: str | None = None) -> None:
    """llama.cpp's converter on the layers alone. `pre_tokenizer` names a vocabulary that it does not know by its hash."""
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    architecture = ARCHITECTURES.get(config["model_type"])
    if architecture is None:
        raise ValueError(f"Expected a reward model of {' or '.join(ARCHITECTURES)} but received {config['model_type']}")
    sys.path[:0] = [str(llama / "gguf-py"), str(llama)]
    from conversion.base import ModelBase, TextModel

    tensors, vocabulary = ModelBase.get_tensors, TextModel.get_vocab_base_pre
    ModelBase.get_tensors = lambda self: ((name, tensor) for name, tensor in tensors(self) if name.startswith("model."))
    if pre_tokenizer is not None:
        TextModel.get_vocab_base_pre = lambda self, tokenizer: pre_tokenizer
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for path in checkpoint.iterdir():
            if path.is_file() and path.name != "config.json":
                (work / path.name).symlink_to(path.resolve())
        (work / "config.json").write_text(json.dumps({**config, "architectures": [architecture], "tie_word_embeddings": True}))
        before = sys.argv
        sys.argv = ["convert_hf_to_gguf.py", str(work), "--outtype", outtype, "--outfile", str(out)]
        try:
            runpy.run_path(str(llama / "convert_hf_to_gguf.py"), run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"convert_hf_to_gguf.py ended with {end.code}") from end
        finally:
            sys.argv = before
            ModelBase.get_tensors, TextModel.get_vocab_base_pre = tensors, vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--llama-cpp", type=Path, required=True, help="llama.cpp's source, for its converter")
    parser.add_argument("--outtype", choices=[kind for kind in TRUNK_TOLERANCES if kind != "other"], default="f16")
    parser.add_argument("--template", type=Path, help="a Jinja file; default: the checkpoint's own")
    parser.add_argument("--max-tokens", type=int, default=MAX_TOKENS)
    parser.add_argument("--tolerance", type=float, help="of the self-test, for a score near 1; default: by the number format")
    parser.add_argument("--safe-reward", type=float, help="default: none; calibrate it")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    convert_trunk(args.llama_cpp, args.checkpoint, args.out / "trunk.gguf", args.outtype)
    export_trunk(args.checkpoint, args.out, name=args.name, trunk=args.out / "trunk.gguf", template=read_template(Checkpoint(args.checkpoint), args.template),
                 max_tokens=args.max_tokens, safe_reward=args.safe_reward, tolerance=args.tolerance or TRUNK_TOLERANCES[args.outtype], cache_type=trunk_cache(args.outtype))


if __name__ == "__main__":
    main()
