"""LFM2-VL: short convolutions and attention in turns (hybrid memory), SigLIP2 tower for pictures of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from transformers import Lfm2VlConfig, Lfm2VlForConditionalGeneration, Lfm2VlProcessor, PreTrainedTokenizerFast
from transformers.models.lfm2_vl.image_processing_lfm2_vl import Lfm2VlImageProcessor

from names import rename
from subject import Subject
from vocabulary import byte_level
from weights import randomize

SPECIALS = [
    "<|pad|>",
    "<|startoftext|>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<image>",
    "<|image_start|>",
    "<|image_end|>",
    "<|img_thumbnail|>",
]
LLAMA3_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEMPLATE = (
    "{{- bos_token -}}\n{%- for message in messages -%}\n    {{- '<|im_start|>' + message['role'] + '\\n' -}}\n"
    "    {%- set content = message['content'] -%}\n    {%- if content is string -%}\n        {{- content -}}\n"
    "    {%- else -%}\n        {%- for item in content -%}\n            {%- if item.type == 'image' -%}\n"
    "                {{- '<image>' -}}\n            {%- elif item.type == 'text' -%}\n                {{- item.text -}}\n"
    "            {%- endif -%}\n        {%- endfor -%}\n    {%- endif -%}\n    {{- '<|im_end|>\\n' -}}\n{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}\n    {{- '<|im_start|>assistant\\n' -}}\n{%- endif -%}\n"
)


def make(folder: Path, seed: int) -> tuple:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(
            SPECIALS, 400, split=LLAMA3_SPLIT, normalize=False, front=True, begin="<|startoftext|>"
        ),
        bos_token="<|startoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        additional_special_tokens=SPECIALS,
        clean_up_tokenization_spaces=False,
    )
    size = -(-len(tokenizer) // 64) * 64
    known = tokenizer.convert_tokens_to_ids
    config = Lfm2VlConfig(
        text_config={
            "architectures": ["Lfm2ForCausalLM"],
            "model_type": "lfm2",
            "vocab_size": size,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "norm_eps": 1e-5,
            "conv_L_cache": 3,
            "block_auto_adjust_ff_dim": False,
            "layer_types": ["conv", "full_attention", "conv"],
            "bos_token_id": 1,
            "eos_token_id": known("<|im_end|>"),
            "pad_token_id": 0,
            "tie_word_embeddings": True,
        },
        vision_config={
            "model_type": "siglip2_vision_model",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,  # fewer than the numbers in "linear_2", and the converter cannot name it
            "num_attention_heads": 2,
            "num_patches": 256,
            "patch_size": 16,
            "vision_use_head": False,
        },
        image_token_id=known("<image>"),
        projector_hidden_size=48,
        tie_word_embeddings=True,
    )
    model = Lfm2VlForConditionalGeneration(config)
    randomize(
        model,
        seed,
        [*range(9 + 256), *range(len(tokenizer), size)],
        {"multi_modal_projector.linear_2.weight": 0.5, "q_proj": 2.0},
        model.model.language_model.embedding_norm.weight,
    )
    model.generation_config.eos_token_id = known("<|im_end|>")
    processor = Lfm2VlProcessor(Lfm2VlImageProcessor(), tokenizer, chat_template=TEMPLATE)
    model.save_pretrained(folder)
    rename(folder, {"model.vision_tower.": "model.vision_tower.vision_model."})
    processor.save_pretrained(folder)
    return model, processor


def planes(inputs: dict) -> list[np.ndarray]:
    """SigLIP2's flattened patches (channels last), padded to the longest, as pictures."""
    pictures = []
    for flat, (rows, columns) in zip(inputs["pixel_values"].numpy(), inputs["spatial_shapes"].tolist()):
        grid = flat[: rows * columns].reshape(rows, columns, 16, 16, 3)
        pictures.append(grid.transpose(4, 0, 2, 1, 3).reshape(3, rows * 16, columns * 16))
    return pictures


SUBJECTS = [
    Subject(
        name="lfm2-vl",
        title="LFM2-VL (hybrid memory)",
        make=make,
        mark="<image>",
        pre_tokenizer="lfm2",
        exact_size=(256, 256),
        wide_size=(400, 210),
        pixels=planes,
    )
]
