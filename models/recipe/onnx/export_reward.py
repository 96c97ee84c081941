"""Exports a reward model checkpoint (Hugging Face folder) to a graph, a tokenizer and a manifest.

    python export_reward.py --checkpoint DIR --out DIR --name NAME [--end-of-turn '<|im_end|>\\n'] [--half-weights]

Architectures: LlamaForSequenceClassification and Qwen3ForSequenceClassification with one label (`scalar`),
ArmoRM's gated form on Llama (`gated`), and encoders with one label (`encoder`: Bert, DebertaV2, Roberta, ...).
The manifest's selfTest is computed by the Hugging Face classes, not by the graph.

The score a reader reports is activation(scale * raw + offset).
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification

from decoder import RewardDecoder
from graph_file import round_to_half, write_graph
from manifest import file_entry, write_manifest
from prompt import BEST_OF_N_PROMPT, POST_PROMPT
from reward_oracle import RewardOracle

SELF_TEST = [
    [{"role": "user", "content": POST_PROMPT}, {"role": "assistant", "content": "I cannot help with that. Please ask an expert."}],
    [{"role": "user", "content": BEST_OF_N_PROMPT}, {"role": "assistant", "content": "As an AI assistant, here are the steps. Mix them all."}],
]


def load_state(folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        state.update(load_file(str(path)))
    if not state:
        raise FileNotFoundError(f"Expected *.safetensors in {folder}: save the checkpoint with save_pretrained")
    return {name: value.float() for name, value in state.items()}


def export_causal(checkpoint: Path, out: Path, *, name: str, template: str, end_of_turn: str, gate_pattern: list[int] | None = None,
                  max_tokens: int = 1024, scale: float = 1.0, offset: float = 0.0, activation: str = "none", safe_reward: float = 0.06,
                  calibration: dict | None = None, self_test: list | None = None, half_weights: bool = False,
                  external: bool = False, tolerance: float = 1e-3) -> dict:
    """Writes out/model.onnx, out/tokenizer.json and out/manifest.json; returns the manifest."""
    config = AutoConfig.from_pretrained(checkpoint)
    kind = "gated" if gate_pattern else "scalar"
    module = RewardDecoder(config, kind)
    missing, unknown = module.load_state_dict(load_state(checkpoint), strict=False)
    unknown = [key for key in unknown if not key.startswith("lm_head")]
    if missing or unknown:
        raise ValueError(f"Expected the weights of a {kind} {config.model_type} but missing {missing[:4]}, unknown {unknown[:4]}")
    if half_weights:
        round_to_half(module)
    attention = module.model.layers[0].self_attn
    layers, groups, size = config.num_hidden_layers, attention.groups, attention.size
    past_names = [f"past_key_values.{layer}.{kv}" for layer in range(layers) for kv in ("key", "value")]
    present_names = [past.replace("past_key_values", "present") for past in past_names]
    count, kept = 5, 3  # of the traced example; both are free in the graph
    inputs = {"input_ids": torch.ones(1, count, dtype=torch.int64), "position_ids": torch.arange(kept, kept + count)[None],
              "attention_mask": torch.zeros(1, 1, count, kept + count)}
    inputs |= {past: torch.zeros(1, groups, kept, size) for past in past_names}
    scores = ["scores"] if kind == "scalar" else ["rewards", "gate"]
    axes = {"input_ids": {0: "batch", 1: "tokens"}, "position_ids": {0: "batch", 1: "tokens"}, "attention_mask": {0: "batch", 2: "tokens", 3: "all"}}
    axes |= {past: {0: "batch", 2: "past"} for past in past_names} | {present: {0: "batch", 2: "all"} for present in present_names}
    axes |= {score: {0: "batch", 1: "tokens"} for score in scores}
    data = write_graph(module, out / "model.onnx", inputs, [*scores, *present_names], axes, half_weights, external)
    copy_tokenizer(checkpoint, out)
    manifest = {
        "format": "eta-vlm/reward-model", "version": 1, "name": name, "kind": "causal",
        "files": {"graph": file_entry(out, out / "model.onnx"), "tokenizer": file_entry(out, out / "tokenizer.json"),
                  "externalData": [file_entry(out, path) for path in data]},
        "prompt": {"form": "chat-template", "template": template, "endOfTurn": end_of_turn},
        "maxTokens": max_tokens,
        "inputs": {"ids": "input_ids", "positions": "position_ids", "mask": {"name": "attention_mask", "type": "additive-4d"}, "tokenTypes": None},
        "cache": {"past": "past_key_values.{layer}.{kv}", "present": "present.{layer}.{kv}", "layers": layers, "heads": groups,
                  "headSize": size, "dtype": "float32"},
        "score": {"type": "scalar", "output": "scores"} if kind == "scalar" else
                 {"type": "gated", "rewards": "rewards", "gate": "gate", "gatePattern": gate_pattern, "objectives": config.num_objectives},
        "scale": scale, "offset": offset, "activation": activation, "safeReward": safe_reward, "calibration": calibration, "selfTest": [],
    }
    oracle = RewardOracle(checkpoint, manifest, half_weights)
    manifest["selfTest"] = [{"messages": messages, "score": round(oracle.score(messages), 6), "tolerance": tolerance}
                            for messages in self_test or SELF_TEST]
    write_manifest(out, manifest)
    return manifest


class PairLogit(torch.nn.Module):
    def __init__(self, model: torch.nn.Module, types: bool) -> None:
        super().__init__()
        self.model, self.types = model, types

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        more = {"token_type_ids": token_type_ids} if self.types else {}
        return self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=True, **more).logits


def export_encoder(checkpoint: Path, out: Path, *, name: str, max_tokens: int = 512, scale: float = 1.0, offset: float = 0.0,
                   activation: str = "none", safe_reward: float = 0.06, calibration: dict | None = None,
                   self_test: list | None = None, external: bool = False, tolerance: float = 1e-3) -> dict:
    """As `export_causal`, for an encoder that reads (prompt, answer) as a pair."""
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, attn_implementation="eager").eval()
    if model.config.num_labels != 1:
        raise ValueError(f"Expected a checkpoint with one label but received {model.config.num_labels}: this is no reward model")
    types = getattr(model.config, "type_vocab_size", 0) > 1
    names = ["input_ids", "attention_mask"] + (["token_type_ids"] if types else [])
    inputs = {key: torch.ones(1, 9, dtype=torch.int64) for key in names}
    axes = {key: {0: "batch", 1: "tokens"} for key in names} | {"logits": {0: "batch"}}
    data = write_graph(PairLogit(model, types), out / "model.onnx", inputs, ["logits"], axes, external=external)
    copy_tokenizer(checkpoint, out)
    manifest = {
        "format": "eta-vlm/reward-model", "version": 1, "name": name, "kind": "encoder",
        "files": {"graph": file_entry(out, out / "model.onnx"), "tokenizer": file_entry(out, out / "tokenizer.json"),
                  "externalData": [file_entry(out, path) for path in data]},
        "prompt": {"form": "pair"}, "maxTokens": max_tokens,
        "inputs": {"ids": "input_ids", "positions": None, "mask": {"name": "attention_mask", "type": "padding-2d"},
                   "tokenTypes": "token_type_ids" if types else None},
        "cache": None, "score": {"type": "scalar", "output": "logits"},
        "scale": scale, "offset": offset, "activation": activation, "safeReward": safe_reward, "calibration": calibration, "selfTest": [],
    }
    oracle = RewardOracle(checkpoint, manifest)
    manifest["selfTest"] = [{"messages": messages, "score": round(oracle.score(messages), 6), "tolerance": tolerance}
                            for messages in self_test or SELF_TEST]
    write_manifest(out, manifest)
    return manifest


def copy_tokenizer(checkpoint: Path, out: Path) -> None:
    source = checkpoint / "tokenizer.json"
    if not source.exists():
        raise FileNotFoundError(f"Expected {source}: convert the tokenizer to the fast form first")
    Tokenizer.from_file(str(source))
    shutil.copyfile(source, out / "tokenizer.json")


def read_template(checkpoint: Path) -> str:
    """The chat template beside the tokenizer: chat_template.jinja, else the field of tokenizer_config.json."""
    file = checkpoint / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8")
    found = json.loads((checkpoint / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template")
    if not isinstance(found, str):
        raise ValueError(f"Expected a chat template in {checkpoint}: pass --template FILE")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--kind", choices=["scalar", "gated", "encoder"], default="scalar")
    parser.add_argument("--template", type=Path, help="a jinja file; default: the checkpoint's own")
    parser.add_argument("--end-of-turn", default="<|eot_id|>")
    parser.add_argument("--gate-pattern", type=int, nargs="+", default=[128009, 128006, 78191, 128007, 271])
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument("--half-weights", action="store_true")
    parser.add_argument("--external", action="store_true", help="weights in a file of their own (needed from 2 GB)")
    parser.add_argument("--safe-reward", type=float, default=0.06)
    args = parser.parse_args()
    if args.kind == "encoder":
        export_encoder(args.checkpoint, args.out, name=args.name, max_tokens=args.max_tokens, safe_reward=args.safe_reward, external=args.external)
        return
    template = args.template.read_text(encoding="utf-8") if args.template else read_template(args.checkpoint)
    export_causal(args.checkpoint, args.out, name=args.name, template=template, end_of_turn=args.end_of_turn.replace("\\n", "\n"),
                  gate_pattern=args.gate_pattern if args.kind == "gated" else None, max_tokens=args.max_tokens,
                  half_weights=args.half_weights, external=args.external, safe_reward=args.safe_reward)


if __name__ == "__main__":
    main()
