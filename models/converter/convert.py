"""Converts a Hugging Face folder into a folder that eta-vlm loads: the program behind `eta-vlm models convert`.

    python convert.py reward --from DIR --out DIR [--weights fp32|fp16|int8|int4] [--name NAME] [--template FILE] [--max-tokens N] [--label NAME]
    python convert.py reward --from DIR --out DIR --trunk FILE.gguf [--trunk-type TYPE] [--tolerance T] [--name NAME] [--template FILE] [--max-tokens N] [--label NAME]
    python convert.py clip   --from DIR --out DIR [--weights fp32|fp16]           [--name NAME]
    python convert.py check

`check` says on stdout what is missing. Progress goes to stderr, a JSON object a line; the last is {"done"} or {"error"}.
"""

from __future__ import annotations

import argparse
import errno
import importlib.metadata
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# Reasons for which writing fails, and reading never.
UNWRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def check() -> dict:
    """{"python", "missing": names, "different": {name: [wanted, found]}} against requirements.txt."""
    missing, different = [], {}
    for line in (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines():
        name, _, wanted = line.partition("==")
        if not wanted or line.startswith("#"):
            continue
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found.split("+")[0] != wanted:
            different[name] = [wanted, found]
    return {"python": sys.version.split()[0], "missing": missing, "different": different}


def convert_reward(args: argparse.Namespace) -> dict:
    from chat_template import read_template
    from checkpoint import Checkpoint
    from decoder_graph import ARCHITECTURES
    from export_reward import MAX_TOKENS, export_causal, export_encoder

    checkpoint = Checkpoint(args.source)
    options = {"name": args.name or args.source.resolve().name, "weights": args.weights, "external_above": args.external_above, "loud": True}
    if checkpoint.config.get("model_type") in ARCHITECTURES:
        if not checkpoint.files:
            raise ValueError(f"Expected *.safetensors in {args.source} but there are none: save the checkpoint with save_pretrained first")
        if args.label is not None and "score.weight" not in checkpoint.files:
            raise ValueError(f"Expected no --label for a reward model with a gate but received {args.label!r}: leave it out")
        if "score.weight" not in checkpoint.files and "regression_layer.weight" not in checkpoint.files:
            raise ValueError("Expected the head of a reward model (score.weight, or regression_layer.weight) but the checkpoint has none: it is a language model")
        if args.trunk is not None:
            from export_trunk import export_trunk
            from self_test import TRUNK_TOLERANCES, trunk_cache

            tolerance = args.tolerance if args.tolerance is not None else TRUNK_TOLERANCES[args.trunk_type]
            return export_trunk(args.source, args.out, name=options["name"], template=read_template(checkpoint, args.template), trunk=args.trunk, tolerance=tolerance,
                                max_tokens=args.max_tokens or MAX_TOKENS, label=args.label, cache_type=trunk_cache(args.trunk_type), loud=True)
        return export_causal(args.source, args.out, template=read_template(checkpoint, args.template), max_tokens=args.max_tokens or MAX_TOKENS, label=args.label, **options)
    if args.trunk is not None:
        raise ValueError(f"Expected a decoder of {', '.join(ARCHITECTURES)} beside a trunk but received {checkpoint.config.get('model_type')}: it cannot be split")
    if not any("ForSequenceClassification" in name for name in checkpoint.config.get("architectures") or []):
        raise ValueError(f"Expected a reward model (a decoder of {', '.join(ARCHITECTURES)}, or an encoder for sequence classification) but received "
                         f"{checkpoint.config.get('architectures')} of the type {checkpoint.config.get('model_type')}")
    if any(name in checkpoint.config["model_type"] for name in ("gemma", "mistral", "mixtral", "gpt", "phi", "internlm", "falcon")):
        raise ValueError(f"Expected a decoder of {', '.join(ARCHITECTURES)} but received {checkpoint.config['model_type']}: its graph is not written yet")
    return export_encoder(args.source, args.out, label=args.label, **options, **({"max_tokens": args.max_tokens} if args.max_tokens else {}))


def convert_clip(args: argparse.Namespace) -> dict:
    from export_clip import export_any

    return export_any(args.source, args.out, name=args.name or args.source.resolve().name, weights=args.weights, loud=True)


def parse(words: list[str]) -> argparse.Namespace:
    from graph_builder import EXTERNAL_ABOVE
    from self_test import TRUNK_TOLERANCES
    from weights import TYPES

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run, types in (("reward", convert_reward, TYPES), ("clip", convert_clip, ("fp32", "fp16"))):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--from", dest="source", type=Path, required=True)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--name")
        command.add_argument("--weights", choices=types, default="fp32")
        if name == "reward":
            command.add_argument("--template", type=Path, help="a Jinja file; default: the checkpoint's own")
            command.add_argument("--max-tokens", type=int)
            command.add_argument("--label", help="of a classifier with several labels, the one that a good answer gets: its name, or its number from 0")
            command.add_argument("--external-above", type=int, default=EXTERNAL_ABOVE, help="bytes of weights from which they get a file of their own")
            command.add_argument("--trunk", type=Path, help="a GGUF of the layers, which llama.cpp runs; the graph is then of the heads alone")
            command.add_argument("--trunk-type", choices=TRUNK_TOLERANCES, default="other", help="the coarsest number format of its matrices, on which the tolerance depends")
            command.add_argument("--tolerance", type=float, help="of the trunk's self-test, for a score near 1; default: by --trunk-type")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    if words == ["check"]:
        print(json.dumps(check()))
        return 0
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")  # what is missing is missing: nothing is fetched
    os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1")
    args = parse(words)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        if (args.out / "manifest.json").exists():
            raise ValueError(f"Expected a new folder but {args.out} holds a model already: delete it, or choose another")
        manifest = args.run(args)
    except (ValueError, OSError, KeyError, MemoryError) as error:
        if os.environ.get("DEBUG") == "eta-vlm":
            raise
        told = {"error": f"{type(error).__name__}: {error}" if isinstance(error, (KeyError, MemoryError)) else str(error)}
        if isinstance(error, OSError) and error.errno in UNWRITTEN:
            told["unwritten"] = errno.errorcode[error.errno]
        print(json.dumps(told), file=sys.stderr)
        return 1
    print(json.dumps({"done": manifest["name"]}), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
