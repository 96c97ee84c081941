"""Qwen2.5-VL and Qwen3-VL: M-RoPE, pictures of any size, windows or deepstack in the tower."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

from subject import Subject
from vocabulary import byte_level
from weights import randomize

SPECIALS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"
# Qwen2.5-VL's template, whole.
QWEN25_TEMPLATE = (
    "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n"
    "{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content or "
    "'image_url' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}Picture "
    "{{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif content['type'] == 'video' or "
    "'video' in content %}{% set video_count.value = video_count.value + 1 %}{% if add_vision_id %}Video "
    "{{ video_count.value }}: {% endif %}<|vision_start|><|video_pad|><|vision_end|>{% elif 'text' in content %}"
    "{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}"
    "<|im_start|>assistant\n{% endif %}"
)
# Qwen3-VL's, without its branches for tools.
QWEN3_TEMPLATE = (
    "{%- if messages[0].role == 'system' %}\n    {{- '<|im_start|>system\\n' }}\n    {%- if messages[0].content is string %}\n"
    "        {{- messages[0].content }}\n    {%- else %}\n        {%- for content in messages[0].content %}\n"
    "            {%- if 'text' in content %}\n                {{- content.text }}\n            {%- endif %}\n"
    "        {%- endfor %}\n    {%- endif %}\n    {{- '<|im_end|>\\n' }}\n{%- endif %}\n"
    "{%- set image_count = namespace(value=0) %}\n{%- set video_count = namespace(value=0) %}\n"
    '{%- for message in messages %}\n    {%- if message.role == "user" %}\n'
    "        {{- '<|im_start|>' + message.role + '\\n' }}\n        {%- if message.content is string %}\n"
    "            {{- message.content }}\n        {%- else %}\n            {%- for content in message.content %}\n"
    "                {%- if content.type == 'image' or 'image' in content or 'image_url' in content %}\n"
    "                    {%- set image_count.value = image_count.value + 1 %}\n"
    "                    {%- if add_vision_id %}Picture {{ image_count.value }}: {% endif -%}\n"
    "                    <|vision_start|><|image_pad|><|vision_end|>\n"
    "                {%- elif content.type == 'video' or 'video' in content %}\n"
    "                    {%- set video_count.value = video_count.value + 1 %}\n"
    "                    {%- if add_vision_id %}Video {{ video_count.value }}: {% endif -%}\n"
    "                    <|vision_start|><|video_pad|><|vision_end|>\n"
    "                {%- elif 'text' in content %}\n                    {{- content.text }}\n"
    "                {%- endif %}\n            {%- endfor %}\n        {%- endif %}\n        {{- '<|im_end|>\\n' }}\n"
    "    {%- elif message.role == \"assistant\" %}\n        {{- '<|im_start|>' + message.role + '\\n' }}\n"
    "        {%- if message.content is string %}\n            {{- message.content }}\n        {%- else %}\n"
    "            {%- for content_item in message.content %}\n                {%- if 'text' in content_item %}\n"
    "                    {{- content_item.text }}\n                {%- endif %}\n            {%- endfor %}\n"
    "        {%- endif %}\n        {{- '<|im_end|>\\n' }}\n    {%- endif %}\n{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n"
)


def qwen_tokenizer(specials: list[str] = SPECIALS) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(specials, 400),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=specials,
        clean_up_tokenization_spaces=False,
        model_max_length=32768,
    )
    return tokenizer


def ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    known = tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": known("<|image_pad|>"),
        "video_token_id": known("<|video_pad|>"),
        "vision_start_token_id": known("<|vision_start|>"),
        "vision_end_token_id": known("<|vision_end|>"),
    }


def text_config(vocabulary: int, tokenizer: PreTrainedTokenizerFast) -> dict:
    return {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
        "bos_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
    }


def finish(folder: Path, seed: int, model: torch.nn.Module, processor: object, gains: dict) -> tuple:
    tokenizer = processor.tokenizer
    size = model.config.text_config.vocab_size
    randomize(model, seed, [*range(256), *range(len(tokenizer) - len(SPECIALS), size)], gains)
    model.generation_config.eos_token_id = [
        tokenizer.convert_tokens_to_ids(text) for text in ("<|im_end|>", "<|endoftext|>")
    ]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


def make_25(folder: Path, seed: int) -> tuple:
    tokenizer = qwen_tokenizer()
    config = Qwen2_5_VLConfig(
        text_config={
            **text_config(-(-len(tokenizer) // 64) * 64, tokenizer),
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1000000.0},
        },
        # Blocks 0 and 1 look at windows of 4 x 4 merged patches, block 2 at the whole picture.
        vision_config={
            "depth": 3,
            "hidden_size": 16,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 32,
            "fullatt_block_indexes": [2],
            "window_size": 112,
        },
        tie_word_embeddings=False,
        **ids(tokenizer),
    )
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessorPil(), tokenizer, Qwen2VLVideoProcessor(), chat_template=QWEN25_TEMPLATE
    )
    return finish(
        folder, seed, Qwen2_5_VLForConditionalGeneration(config), processor, {"merger.mlp.2.weight": 0.3, "q_proj": 2.0}
    )


def make_3(folder: Path, seed: int) -> tuple:
    tokenizer = qwen_tokenizer()
    config = Qwen3VLConfig(
        text_config={
            **text_config(-(-len(tokenizer) // 64) * 64, tokenizer),
            "head_dim": 16,
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": [3, 3, 2],
                "mrope_interleaved": True,
                "rope_theta": 5000000.0,
            },
        },
        # Positions are learned on a grid of 4 x 4 and stretched to the picture's; block 0 feeds the deepstack.
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        tie_word_embeddings=False,
        **ids(tokenizer),
    )
    processor = Qwen3VLProcessor(
        Qwen2VLImageProcessorPil(
            patch_size=16,
            image_mean=[0.5, 0.5, 0.5],
            image_std=[0.5, 0.5, 0.5],
            size={"shortest_edge": 65536, "longest_edge": 16777216},
        ),
        tokenizer,
        Qwen3VLVideoProcessor(),
        chat_template=QWEN3_TEMPLATE,
    )
    return finish(
        folder, seed, Qwen3VLForConditionalGeneration(config), processor, {"linear_fc2.weight": 0.4, "q_proj": 2.0}
    )


def planes(patch: int) -> object:
    """The flattened patches of Qwen's processor as a picture; both frames are the same, the first is taken."""

    def unflatten(inputs: dict) -> list[np.ndarray]:
        _, rows, columns = inputs["image_grid_thw"][0].tolist()
        flat = (
            inputs["pixel_values"].numpy().reshape(rows // 2, columns // 2, 2, 2, 3, 2, patch, patch)[:, :, :, :, :, 0]
        )
        return [flat.transpose(4, 0, 2, 5, 1, 3, 6).reshape(3, rows * patch, columns * patch)]

    return unflatten


SUBJECTS = [
    Subject(
        name="qwen2.5-vl",
        title="Qwen2.5-VL",
        make=make_25,
        mark=PICTURE,
        pre_tokenizer="qwen2",
        exact_size=(168, 140),
        wide_size=(201, 97),
        pixels=planes(14),
    ),
    Subject(
        name="qwen3-vl",
        title="Qwen3-VL",
        make=make_3,
        mark=PICTURE,
        pre_tokenizer="qwen2",
        exact_size=(320, 256),
        wide_size=(401, 197),
        pixels=planes(16),
    ),
]
