"""Exports a causal reward model as a GGUF trunk, which llama.cpp runs on any device, and a small ONNX graph of its heads.

    python reward_trunk.py --checkpoint DIR --out DIR --name NAME --llama-cpp DIR [--outtype f16]
    python reward_trunk.py --checkpoint DIR --out DIR --name NAME --trunk FILE.gguf

The trunk is made by llama.cpp's own converter, from the layers alone; or `--trunk` names a GGUF of the same layers that
is there already, of any quantisation. The heads read the hidden state behind the last norm. The self-test is computed by
the Hugging Face classes in float32, so its tolerance has to allow for the trunk's number format.
"""

from __future__ import annotations

import argparse
import json
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[1] / "onnx"))

from chat_template import around_answer, read_template
from checkpoint import Checkpoint
from export_reward import find_pattern, refuse_padding
from graph_file import write_graph
from manifest import file_entry, write_manifest
from reward_oracle import RewardOracle
from self_test import SELF_TEST
from tokenizer_file import copy_tokenizer

# What a self-test may be off by: measured on small random models, and rounded up.
TOLERANCES = {"f32": 1e-3, "f16": 5e-3, "bf16": 2e-2, "q8_0": 2e-2}
ARCHITECTURES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}


class Heads(torch.nn.Module):
    """hidden [1, rows, H] to scores [1, rows, 1], or to rewards and gate [1, rows, K]: ArmoRM's gate is an MLP over the gate
    token, a softmax at a temperature, times a learnt scale."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.state = {name: checkpoint.tensor(name) for name in checkpoint.files if not name.startswith("model.")}
        self.gated = "regression_layer.weight" in self.state
        self.depth = sum(name.startswith("gating.layers.") and name.endswith(".weight") for name in self.state)
        self.temperature = checkpoint.config.get("gating_temperature")

    def forward(self, hidden: torch.Tensor):
        if not self.gated:
            return hidden @ self.state["score.weight"].T
        rewards = hidden @ (self.state["reward_transform_matrix"].T @ self.state["regression_layer.weight"]).T
        gate = hidden
        for layer in range(self.depth):
            gate = gate @ self.state[f"gating.layers.{layer}.weight"].T + self.state.get(f"gating.layers.{layer}.bias", 0)
            if layer < self.depth - 1:
                gate = torch.relu(gate)
        return rewards, (gate / self.temperature).softmax(-1) * self.state["gating.logit_scale"]


def convert_trunk(llama: Path, checkpoint: Path, out: Path, outtype: str, pre_tokenizer: str | None = None) -> None:
    """llama.cpp's converter on the layers alone. `pre_tokenizer` names a vocabulary that it does not know by its hash."""
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    architecture = ARCHITECTURES.get(config["model_type"])
    if architecture is None:
        raise ValueError(f"Expected a reward model of {' or '.join(ARCHITECTURES)} but received {config['model_type']}: name a GGUF with --trunk")
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


def export_trunk(folder: Path, out: Path, *, name: str, template: str, trunk: Path, tolerance: float, max_tokens: int = 1024,
                 cache_type: str = "f16", safe_reward: float | None = None) -> dict:
    """Writes heads, tokenizer and manifest beside the trunk (copied to out/trunk.gguf); returns the manifest."""
    out.mkdir(parents=True, exist_ok=True)
    if trunk != out / "trunk.gguf":
        shutil.copyfile(trunk, out / "trunk.gguf")
    checkpoint = Checkpoint(folder)
    width = checkpoint.config["hidden_size"]
    heads = Heads(checkpoint)
    outputs = ["rewards", "gate"] if heads.gated else ["scores"]
    axes = {key: {0: "batch", 1: "rows"} for key in ["hidden_state", *outputs]}
    write_graph(heads, out / "heads.onnx", {"hidden_state": torch.zeros(1, 3, width)}, outputs, axes)
    tokenizer = copy_tokenizer(folder, out)
    between, ending = around_answer(template)
    refuse_padding(checkpoint, tokenizer, ending)
    score = {"type": "scalar", "output": "scores"}
    if heads.gated:
        score = {"type": "gated", "rewards": "rewards", "gate": "gate", "gatePattern": find_pattern(checkpoint, tokenizer, between),
                 "objectives": checkpoint.shape("regression_layer.weight")[0]}
    manifest = {
        "format": "eta-vlm/reward-trunk", "version": 1, "name": name, "kind": "causal",
        "files": {key: file_entry(out, out / file) for key, file in
                  {"trunk": "trunk.gguf", "heads": "heads.onnx", "tokenizer": "tokenizer.json"}.items()},
        "prompt": {"form": "chat-template", "template": template, "endOfTurn": ending},
        "maxTokens": max_tokens, "heads": {"input": "hidden_state", "hiddenSize": width}, "cacheType": cache_type, "score": score,
        "scale": 1.0, "offset": 0.0, "activation": "none", "safeReward": safe_reward, "calibration": None,
    }
    scores = RewardOracle(checkpoint, manifest).scores(SELF_TEST)
    manifest["selfTest"] = [{"messages": messages, "score": round(value, 6), "tolerance": round(tolerance * max(1.0, abs(value)), 6)}
                            for messages, value in zip(SELF_TEST, scores)]
    write_manifest(out, manifest)
    return manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--llama-cpp", type=Path, help="llama.cpp's source, for its converter")
    source.add_argument("--trunk", type=Path, help="a GGUF of the same layers")
    parser.add_argument("--outtype", choices=list(TOLERANCES), default="f16")
    parser.add_argument("--template", type=Path, help="a jinja file; default: the checkpoint's own")
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument("--tolerance", type=float, help="of the self-test; default: by the number format, 0.05 for a GGUF of one's own")
    parser.add_argument("--safe-reward", type=float, help="default: none; calibrate it")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.llama_cpp:
        convert_trunk(args.llama_cpp, args.checkpoint, args.out / "trunk.gguf", args.outtype)
    export_trunk(args.checkpoint, args.out, name=args.name, trunk=args.trunk or args.out / "trunk.gguf",
                 template=args.template.read_text(encoding="utf-8") if args.template else read_template(args.checkpoint),
                 max_tokens=args.max_tokens, safe_reward=args.safe_reward,
                 tolerance=args.tolerance or (TOLERANCES[args.outtype] if args.llama_cpp else 0.05))


if __name__ == "__main__":
    main()
