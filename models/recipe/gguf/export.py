"""Writes a checkpoint of vlm/model.py as the two GGUF files that stock llama.cpp programs load.

    python export.py --checkpoint FILE --out FOLDER [--type f16]

language-model.gguf: architecture `llama`, SentencePiece vocabulary, chat template.
projector.gguf: architecture `clip`, vision tower and `mlp` projector, as LLaVA-1.5's mmproj files.

Types: f32, f16 or q8_0 for the matrices. Norms, biases, position and class embeddings stay F32; the patch
kernel is F16 unless f32 (libmtmd computes the patch product in F16 in any case). Q8_0 wants rows of a
multiple of 32; a matrix with other rows goes out as F16.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, LlamaFileType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vlm"))

from model import Vlm, load_checkpoint
from tokenizer import Tokenizer

MATRIX_TYPES = {"f32": Type.F32, "f16": Type.F16, "q8_0": Type.Q8_0}
FILE_TYPES = {
    "f32": LlamaFileType.ALL_F32,
    "f16": LlamaFileType.MOSTLY_F16,
    "q8_0": LlamaFileType.MOSTLY_Q8_0,
}


def add(writer: GGUFWriter, name: str, tensor: torch.Tensor, kind: Type = Type.F32) -> None:
    values = np.ascontiguousarray(tensor.detach().float().numpy())
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite: the checkpoint is broken")
    if kind == Type.Q8_0 and values.shape[-1] % 32:
        kind = Type.F16
    if kind == Type.F16 and np.abs(values).max(initial=0) > 65504:
        raise ValueError(f"{name} does not fit F16; export with --type f32")
    if kind == Type.F32:
        writer.add_tensor(name, values)
    elif kind == Type.F16:
        writer.add_tensor(name, values.astype(np.float16))
    else:
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


def finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe(writer: GGUFWriter, kind: str, name: str, about: dict[str, str], matrices: str) -> None:
    writer.add_type(kind)
    writer.add_name(name)
    if "description" in about:
        writer.add_description(about["description"])
    if "license" in about:
        writer.add_license(about["license"])
    writer.add_file_type(FILE_TYPES[matrices])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def write_tokenizer(writer: GGUFWriter, tokenizer: Tokenizer) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece.text for piece in tokenizer.pieces])
    writer.add_token_scores([piece.score for piece in tokenizer.pieces])
    writer.add_token_types([piece.kind for piece in tokenizer.pieces])
    writer.add_bos_token_id(tokenizer.bos)
    writer.add_eos_token_id(tokenizer.eos)
    writer.add_unk_token_id(tokenizer.unk)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(tokenizer.add_space_prefix)
    if tokenizer.chat_template is not None:
        writer.add_chat_template(tokenizer.chat_template)


def write_language_model(
    path: Path, model: Vlm, tokenizer: Tokenizer, matrices: str, name: str, about: dict[str, str]
) -> None:
    config, language = model.config.language, model.language
    if len(tokenizer) != config.vocab_size:
        raise ValueError(f"the tokenizer has {len(tokenizer)} tokens, the model {config.vocab_size}")
    kind = MATRIX_TYPES[matrices]
    writer = GGUFWriter(path, "llama")
    describe(writer, "model", name, about, matrices)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.ffn)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_layer_norm_rms_eps(config.eps)
    writer.add_rope_dimension_count(config.head_width)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_vocab_size(config.vocab_size)
    write_tokenizer(writer, tokenizer)

    add(writer, "token_embd.weight", language.embedding.weight, kind)
    kv = config.kv_heads * config.head_width
    for index, block in enumerate(language.blocks):
        q, k, v = block.qkv.weight.split([config.width, kv, kv])
        gate, up = block.gate_up.weight.chunk(2)
        prefix = f"blk.{index}"
        add(writer, f"{prefix}.attn_norm.weight", block.attn_norm.weight)
        add(writer, f"{prefix}.attn_q.weight", q, kind)
        add(writer, f"{prefix}.attn_k.weight", k, kind)
        add(writer, f"{prefix}.attn_v.weight", v, kind)
        add(writer, f"{prefix}.attn_output.weight", block.out.weight, kind)
        add(writer, f"{prefix}.ffn_norm.weight", block.ffn_norm.weight)
        add(writer, f"{prefix}.ffn_gate.weight", gate, kind)
        add(writer, f"{prefix}.ffn_up.weight", up, kind)
        add(writer, f"{prefix}.ffn_down.weight", block.down.weight, kind)
    add(writer, "output_norm.weight", language.norm.weight)
    if language.output is not None:
        add(writer, "output.weight", language.output.weight, kind)
    finish(writer)


def write_projector(path: Path, model: Vlm, matrices: str, name: str, about: dict[str, str]) -> None:
    config, tower = model.config.vision, model.tower
    kind = MATRIX_TYPES[matrices]
    writer = GGUFWriter(path, "clip")
    describe(writer, "mmproj", name, about, matrices)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("mlp")
    writer.add_vision_projection_dim(model.config.language.width)
    writer.add_vision_image_size(config.image_size)
    writer.add_vision_patch_size(config.patch_size)
    writer.add_vision_embedding_length(config.width)
    writer.add_vision_feed_forward_length(config.ffn)
    writer.add_vision_block_count(config.layers + config.unused_blocks)
    writer.add_vision_head_count(config.heads)
    writer.add_vision_attention_layernorm_eps(config.eps)
    writer.add_vision_image_mean(list(config.image_mean))
    writer.add_vision_image_std(list(config.image_std))
    writer.add_vision_use_gelu(config.activation == "gelu")
    writer.add_vision_use_silu(config.activation == "silu")
    if config.unused_blocks == 0:
        # The output of the last block; without the key libmtmd stops one block earlier.
        writer.add_array("clip.vision.feature_layer", [config.layers])
    elif config.unused_blocks != 1:
        raise ValueError(f"unused_blocks is {config.unused_blocks}; llama.cpp leaves out exactly one block")

    d, p = config.width, config.patch_size
    patch_kind = Type.F32 if matrices == "f32" else Type.F16
    add(writer, "v.patch_embd.weight", tower.patch.view(d, 3, p, p), patch_kind)
    if tower.class_embedding is not None:
        add(writer, "v.class_embd", tower.class_embedding)
    add(writer, "v.position_embd.weight", tower.position)
    add(writer, "v.pre_ln.weight", tower.pre_ln.weight)
    add(writer, "v.pre_ln.bias", tower.pre_ln.bias)
    for index in range(config.layers + config.unused_blocks):
        block = tower.blocks[min(index, config.layers - 1)]  # the unused one repeats the last
        prefix = f"v.blk.{index}"
        for part, weight, bias in zip("qkv", block.qkv.weight.chunk(3), block.qkv.bias.chunk(3)):
            add(writer, f"{prefix}.attn_{part}.weight", weight, kind)
            add(writer, f"{prefix}.attn_{part}.bias", bias)
        for target, module in (("attn_out", block.out), ("ffn_up", block.up), ("ffn_down", block.down)):
            add(writer, f"{prefix}.{target}.weight", module.weight, kind)
            add(writer, f"{prefix}.{target}.bias", module.bias)
        for target, module in (("ln1", block.ln1), ("ln2", block.ln2)):
            add(writer, f"{prefix}.{target}.weight", module.weight)
            add(writer, f"{prefix}.{target}.bias", module.bias)
    for number, module in ((0, model.projector.first), (2, model.projector.second)):
        add(writer, f"mm.{number}.weight", module.weight, kind)
        add(writer, f"mm.{number}.bias", module.bias)
    finish(writer)


def main() -> None:
    parser = argparse.ArgumentParser(description="checkpoint to language-model.gguf and projector.gguf")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--type", choices=MATRIX_TYPES, default="f16")
    parser.add_argument("--name", default="eta-vlm miniature")
    options = parser.parse_args()

    model, data = load_checkpoint(options.checkpoint)
    if "tokenizer" not in data:
        parser.error(f"{options.checkpoint} has no tokenizer; save it with tokenizer=tokenizer.to_dict()")
    tokenizer = Tokenizer.from_dict(data["tokenizer"])
    about = {
        "description": "A tiny vision-language model of a drawn world. On photographs it answers nonsense.",
        "license": "mit",
    }
    options.out.mkdir(parents=True, exist_ok=True)
    language, projector = options.out / "language-model.gguf", options.out / "projector.gguf"
    write_language_model(language, model, tokenizer, options.type, options.name, about)
    write_projector(projector, model, options.type, f"{options.name} projector", about)
    for path in (language, projector):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
