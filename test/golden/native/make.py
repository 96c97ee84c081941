"""Makes tiny random-weight models of the kinds that the main fixture is not, and what stock llama.cpp says of them.

    python test/golden/native/make.py --oracle ./oracle      (models/recipe/gguf/oracle.cpp; the tests need neither)

mrope.gguf, mrope-projector.gguf            Qwen2-VL's form: image positions differ from image tokens
noncausal.gguf, noncausal-projector.gguf    Gemma 3's form: image tokens see each other, sliding window of 48
recurrent.gguf                              Mamba's form: a running state instead of a KV cache
golden.json                                 greedy tokens of libmtmd's own helpers for picture prompts
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import gguf
import numpy as np

HERE = Path(__file__).resolve().parent
TINY = HERE.parent / "engine" / "tiny.gguf"
WIDTH, HEADS, HEAD, INNER, LAYERS = 64, 4, 16, 128, 2
GREEDY_COUNT = 16
random = np.random.default_rng(7)


def weight(*shape: int, scale: float = 1.0) -> np.ndarray:
    return (random.standard_normal(shape) * scale / np.sqrt(shape[-1])).astype(np.float32)


def one(size: int) -> np.ndarray:
    return (1 + 0.1 * random.standard_normal(size)).astype(np.float32)


def bias(size: int) -> np.ndarray:
    return (0.1 * random.standard_normal(size)).astype(np.float32)


def language_writer(name: str, architecture: str) -> tuple[gguf.GGUFWriter, int]:
    """A file with the vocabulary of tiny.gguf."""
    writer = gguf.GGUFWriter(HERE / name, architecture)
    reader = gguf.GGUFReader(TINY)
    fields = {key: field.contents() for key, field in reader.fields.items() if key.startswith("tokenizer.")}
    writer.add_tokenizer_model(fields["tokenizer.ggml.model"])
    writer.add_token_list(fields["tokenizer.ggml.tokens"])
    writer.add_token_scores(fields["tokenizer.ggml.scores"])
    writer.add_token_types(fields["tokenizer.ggml.token_type"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_context_length(1024)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_layer_norm_rms_eps(1e-6)
    return writer, len(fields["tokenizer.ggml.tokens"])


def close(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def attention_model(name: str, architecture: str) -> None:
    writer, tokens = language_writer(name, architecture)
    is_gemma = architecture == "gemma3"
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(2)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_freq_base(10000.0)
    if is_gemma:
        writer.add_sliding_window(48)
    else:
        writer.add_rope_dimension_sections([2, 3, 3, 0])
    writer.add_tensor("token_embd.weight", weight(tokens, WIDTH, scale=8))
    writer.add_tensor("output_norm.weight", one(WIDTH))
    writer.add_tensor("output.weight", weight(tokens, WIDTH, scale=3))
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        for part, rows in (("attn_q", HEADS * HEAD), ("attn_k", 2 * HEAD), ("attn_v", 2 * HEAD)):
            writer.add_tensor(f"{block}.{part}.weight", weight(rows, WIDTH, scale=1.5))
            if not is_gemma:
                writer.add_tensor(f"{block}.{part}.bias", bias(rows))
        writer.add_tensor(f"{block}.attn_output.weight", weight(WIDTH, HEADS * HEAD))
        writer.add_tensor(f"{block}.ffn_gate.weight", weight(INNER, WIDTH))
        writer.add_tensor(f"{block}.ffn_up.weight", weight(INNER, WIDTH))
        writer.add_tensor(f"{block}.ffn_down.weight", weight(WIDTH, INNER))
        norms = {"attn_norm": WIDTH, "ffn_norm": WIDTH}
        if is_gemma:
            norms |= {"post_attention_norm": WIDTH, "post_ffw_norm": WIDTH, "attn_q_norm": HEAD, "attn_k_norm": HEAD}
        for norm, size in norms.items():
            writer.add_tensor(f"{block}.{norm}.weight", one(size))
    close(writer)


def projector(name: str, kind: str) -> None:
    is_gemma = kind == "gemma3"
    width, inner, layers, patch, size = 32, 64, 2, 8, 128
    writer = gguf.GGUFWriter(HERE / name, "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", kind)
    writer.add_bool("clip.use_gelu", True)
    writer.add_uint32("clip.vision.image_size", size)
    writer.add_uint32("clip.vision.patch_size", patch)
    writer.add_uint32("clip.vision.embedding_length", width)
    writer.add_uint32("clip.vision.feed_forward_length", inner)
    writer.add_uint32("clip.vision.block_count", layers)
    writer.add_uint32("clip.vision.attention.head_count", 2)
    writer.add_uint32("clip.vision.projection_dim", WIDTH)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    writer.add_tensor("v.patch_embd.weight", weight(width, 3, patch, patch, scale=2))
    if is_gemma:
        writer.add_tensor("v.patch_embd.bias", bias(width))
        writer.add_tensor("v.position_embd.weight", weight((size // patch) ** 2, width, scale=2))
        writer.add_tensor("mm.input_projection.weight", weight(width, WIDTH, scale=4))
        writer.add_tensor("mm.soft_emb_norm.weight", one(width))
    else:
        writer.add_tensor("v.patch_embd.weight.1", weight(width, 3, patch, patch, scale=2))
        writer.add_tensor("mm.0.weight", weight(width * 4, width * 4))
        writer.add_tensor("mm.0.bias", bias(width * 4))
        writer.add_tensor("mm.2.weight", weight(WIDTH, width * 4, scale=4))
        writer.add_tensor("mm.2.bias", bias(WIDTH))
    writer.add_tensor("v.post_ln.weight", one(width))
    writer.add_tensor("v.post_ln.bias", bias(width))
    for layer in range(layers):
        block = f"v.blk.{layer}"
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            writer.add_tensor(f"{block}.{part}.weight", weight(width, width))
            writer.add_tensor(f"{block}.{part}.bias", bias(width))
        writer.add_tensor(f"{block}.ffn_up.weight", weight(inner, width))
        writer.add_tensor(f"{block}.ffn_up.bias", bias(inner))
        writer.add_tensor(f"{block}.ffn_down.weight", weight(width, inner))
        writer.add_tensor(f"{block}.ffn_down.bias", bias(width))
        for norm in ("ln1", "ln2"):
            writer.add_tensor(f"{block}.{norm}.weight", one(width))
            writer.add_tensor(f"{block}.{norm}.bias", bias(width))
    close(writer)


def recurrent_model(name: str) -> None:
    writer, tokens = language_writer(name, "mamba")
    inner, state, convolution, rank = 2 * WIDTH, 8, 4, 4
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_ssm_conv_kernel(convolution)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    writer.add_tensor("token_embd.weight", weight(tokens, WIDTH, scale=8))
    writer.add_tensor("output_norm.weight", one(WIDTH))
    writer.add_tensor("output.weight", weight(tokens, WIDTH, scale=3))
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        writer.add_tensor(f"{block}.attn_norm.weight", one(WIDTH))
        writer.add_tensor(f"{block}.ssm_in.weight", weight(2 * inner, WIDTH))
        writer.add_tensor(f"{block}.ssm_conv1d.weight", weight(inner, convolution))
        writer.add_tensor(f"{block}.ssm_conv1d.bias", bias(inner))
        writer.add_tensor(f"{block}.ssm_x.weight", weight(rank + 2 * state, inner))
        writer.add_tensor(f"{block}.ssm_dt.weight", weight(inner, rank))
        writer.add_tensor(f"{block}.ssm_dt.bias", bias(inner))
        writer.add_tensor(f"{block}.ssm_a", -np.exp(random.standard_normal((inner, state))).astype(np.float32))
        writer.add_tensor(f"{block}.ssm_d", one(inner))
        writer.add_tensor(f"{block}.ssm_out.weight", weight(WIDTH, inner))
    close(writer)


def picture(width: int, height: int) -> bytes:
    """The pixels that kinds.test.ts makes: no file, no decoder."""
    return bytes((index * 7 + (index // 97) * 13) % 256 for index in range(width * height * 3))


def golden(oracle: str, name: str) -> list[dict]:
    lines, cases = "", []
    for width, height in ((96, 64), (40, 120)):
        path = HERE / f"{name}-{width}.ppm"
        path.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + picture(width, height))
        before, after = "The red apple ", " What colour is the chair?"
        lines += f"0 {path} {before.encode().hex()} {after.encode().hex()}\n"
        cases.append({"width": width, "height": height, "before": before, "after": after})
    command = [oracle, str(HERE / f"{name}.gguf"), str(HERE / f"{name}-projector.gguf"), "1024", "exact", str(GREEDY_COUNT)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    for path in HERE.glob(f"{name}-*.ppm"):
        path.unlink()
    for case, line in zip(cases, done.stdout.splitlines(), strict=True):
        answer = json.loads(line)
        # Around the image rows (-1) stand the texts that libmtmd puts there.
        tokens = answer["tokens"]
        case |= {"tokenCount": len(tokens), "firstImageRow": tokens.index(-1), "imageRowCount": tokens.count(-1)}
        case |= {"firstLogits": answer["logits"], "greedyTokens": answer["greedy"]}
    return cases


parser = argparse.ArgumentParser()
parser.add_argument("--oracle", required=True)
arguments = parser.parse_args()
attention_model("mrope.gguf", "qwen2vl")
projector("mrope-projector.gguf", "qwen2vl_merger")
attention_model("noncausal.gguf", "gemma3")
projector("noncausal-projector.gguf", "gemma3")
recurrent_model("recurrent.gguf")
numbers = {"command": "python test/golden/native/make.py --oracle ./oracle", "llamaTag": "v0.5.0"}
for kind in ("mrope", "noncausal"):
    numbers[kind] = golden(arguments.oracle, kind)
(HERE / "golden.json").write_text(json.dumps(numbers, indent=1) + "\n")
