"""Makes this folder: the tiny reward models of ../evaluators again, as GGUF trunks with heads, and the scores that
transformers computes. Needs what the recipe needs, and llama.cpp's source for its converter.

    python test/golden/reward-trunk/make.py --llama-cpp DIR
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "models" / part) for part in ("recipe/gguf", "converter")]

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForSequenceClassification

from prompt import BEST_OF_N_PROMPT, LLAMA_TEMPLATE, POST_PROMPT, PREFIX, QWEN_TEMPLATE
from checkpoint import Checkpoint
from reward_oracle import RewardOracle
from reward_trunk import convert_trunk, export_trunk
from tokenizer_file import save_tokenizer, train_chat_tokenizer

CORPUS = [PREFIX, POST_PROMPT, BEST_OF_N_PROMPT, "I cannot help with that. Please ask an expert. Here are the steps. Mix them all."] * 4
ANSWERS = ["As an AI assistant, I cannot help with that.", "As an AI assistant, here are the steps.", "As an AI assistant, ask an expert!\n\nMix",
           "As an AI assistant, I can", "naïve café 😀 \n\n tail"]
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "head_dim": 8, "max_position_embeddings": 2048, "pad_token_id": None}


def louder(model: torch.nn.Module) -> torch.nn.Module:
    """Random weights large enough that scores differ."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    return model.eval()


def tokenizer(work: Path, special: list[str]):
    trained = train_chat_tokenizer(CORPUS, 400, special)
    save_tokenizer(trained, work / "tokenizer.json")
    # The converter reads the tokenizer through transformers.
    PreTrainedTokenizerFast(tokenizer_file=str(work / "tokenizer.json"), eos_token=special[1]).save_pretrained(work)
    save_tokenizer(trained, work / "tokenizer.json")
    return trained


def scalar(work: Path) -> dict:
    trained = tokenizer(work, ["<|im_start|>", "<|im_end|>"])
    louder(Qwen3ForSequenceClassification(Qwen3Config(vocab_size=trained.get_vocab_size(), num_labels=1, **SHAPE))).save_pretrained(work)
    return {"name": "tiny-scalar-trunk", "template": QWEN_TEMPLATE}


def gated(work: Path) -> dict:
    trained = tokenizer(work, ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"])
    config = LlamaConfig(vocab_size=trained.get_vocab_size(), **SHAPE)
    config.num_objectives, config.gating_hidden_dim, config.gating_n_hidden, config.gating_temperature = 5, 16, 2, 10
    config.save_pretrained(work)
    state = {"model." + key: value.contiguous() for key, value in louder(LlamaModel(config)).state_dict().items()}
    state |= {"regression_layer.weight": torch.randn(5, 32) / 8, "reward_transform_matrix": torch.eye(5) + 0.1 * torch.randn(5, 5),
              "gating.logit_scale": torch.tensor([1.3]), "gating.layers.2.weight": torch.randn(5, 16) * 5}
    # Small enough that the softmax is no single 1: then a gate read at another token gives another score.
    for layer, (before, after) in enumerate([(32, 16), (16, 16)]):
        state |= {f"gating.layers.{layer}.weight": torch.randn(after, before) / before**0.5, f"gating.layers.{layer}.bias": torch.randn(after)}
    save_file(state, str(work / "model.safetensors"))
    return {"name": "tiny-gated-trunk", "template": LLAMA_TEMPLATE}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-cpp", type=Path, required=True)
    llama = parser.parse_args().llama_cpp.resolve()
    torch.manual_seed(7)
    golden: dict = {"command": "python test/golden/reward-trunk/make.py --llama-cpp DIR", "prompt": BEST_OF_N_PROMPT, "answers": ANSWERS, "scores": {}}
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in {"scalar": scalar, "gated": gated}.items():
            work, out = Path(folder) / kind, HERE / kind
            work.mkdir()
            options = make(work)
            out.mkdir(exist_ok=True)
            convert_trunk(llama, work, out / "trunk.gguf", "f32", "qwen2" if kind == "scalar" else "llama-bpe")
            manifest = export_trunk(work, out, trunk=out / "trunk.gguf", tolerance=1e-3, cache_type="f32", **options)
            conversations = [[{"role": "user", "content": BEST_OF_N_PROMPT}, {"role": "assistant", "content": answer}] for answer in ANSWERS]
            golden["scores"][kind] = RewardOracle(Checkpoint(work), manifest).scores(conversations)
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
