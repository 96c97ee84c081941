"""MiniCPM-V 4.6: slices, a tower that merges twice, Qwen3.5 (gated delta rule and attention: hybrid memory)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from transformers import MiniCPMV4_6Config, MiniCPMV4_6ForConditionalGeneration, MiniCPMV4_6Processor
from transformers import PreTrainedTokenizerFast
from transformers.models.minicpmv4_6.image_processing_pil_minicpmv4_6 import MiniCPMV4_6ImageProcessorPil
from transformers.models.minicpmv4_6.video_processing_minicpmv4_6 import MiniCPMV4_6VideoProcessor

from qwen import SPECIALS as QWEN_SPECIALS
from subject import Subject
from vocabulary import byte_level
from weights import randomize

NAMED = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "image_start_token": "<image>",
    "image_end_token": "</image>",
    "slice_start_token": "<slice>",
    "slice_end_token": "</slice>",
    "image_id_start_token": "<image_id>",
    "image_id_end_token": "</image_id>",
}
SPECIALS = list(dict.fromkeys([*QWEN_SPECIALS, *NAMED.values()]))
# The user's and the assistant's part of its template, thinking switched off as by default here.
TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}{%- if message.content is string %}"
    "{{- message.content }}{%- else %}{%- for item in message.content %}{%- if item.type == 'image' %}"
    "{{- '<|image_pad|>' }}{%- elif item.type == 'text' %}{{- item.text }}{%- endif %}{%- endfor %}{%- endif %}"
    "{{- '<|im_end|>\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def make(folder: Path, seed: int) -> tuple:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(SPECIALS, 400),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIALS,
        clean_up_tokenization_spaces=False,
        extra_special_tokens=NAMED,
    )
    size = -(-len(tokenizer) // 64) * 64
    known = tokenizer.convert_tokens_to_ids
    config = MiniCPMV4_6Config(
        text_config={
            "model_type": "qwen3_5_text",
            "vocab_size": size,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 32,
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 2,
            "layer_types": ["linear_attention", "full_attention"],
            "full_attention_interval": 2,
            "max_position_embeddings": 4096,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000000.0,
                "partial_rotary_factor": 0.5,
                "mrope_section": [3, 3, 2],
                "mrope_interleaved": True,
            },
            "eos_token_id": known("<|im_end|>"),
            "tie_word_embeddings": False,
        },
        # 70 x 70 positions are llama.cpp's own number: fewer cannot be.
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
            "image_size": 980,
            "patch_size": 14,
        },
        insert_layer_id=1,
        image_size=112,
        image_token_id=known("<|image_pad|>"),
        video_token_id=known("<|video_pad|>"),
        tie_word_embeddings=False,
    )
    model = MiniCPMV4_6ForConditionalGeneration(config)
    randomize(model, seed, [*range(256), *range(len(tokenizer) - len(SPECIALS), size)], {"q_proj": 2.0})
    model.generation_config.eos_token_id = known("<|im_end|>")
    processor = MiniCPMV4_6Processor(
        MiniCPMV4_6ImageProcessorPil(scale_resolution=112),
        MiniCPMV4_6VideoProcessor(),
        tokenizer,
        chat_template=TEMPLATE,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


def planes(inputs: dict) -> list[np.ndarray]:
    """Slices from the row of patches [1, 3, 14, patches * 14]."""
    row, pictures, start = inputs["pixel_values"][0].numpy(), [], 0
    for height, width in inputs["target_sizes"].tolist():
        part = row[:, :, start : start + height * width * 14].reshape(3, 14, height, width, 14)
        pictures.append(part.transpose(0, 2, 1, 3, 4).reshape(3, height * 14, width * 14))
        start += height * width * 14
    return pictures


SUBJECTS = [
    Subject(
        name="minicpm-v",
        title="MiniCPM-V 4.6 (hybrid memory)",
        make=make,
        mark="<|image_pad|>",
        marker="<image_id>{index}</image_id><__media__>",
        pre_tokenizer="qwen35",
        exact_size=(112, 112),
        wide_size=(230, 110),
        pixels=planes,
        converter_options=["--no-nextn"],  # no layer that predicts several tokens
    )
]
