"""InternVL 3: InternViT with class token, pixel shuffle, tiles; in the original repositories' names and in -hf's."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GotOcr2ImageProcessor, InternVLConfig, InternVLForConditionalGeneration, InternVLProcessor
from transformers import PreTrainedTokenizerFast
from transformers.models.internvl.video_processing_internvl import InternVLVideoProcessor

from qwen import SPECIALS as QWEN_SPECIALS
from qwen import text_config
from subject import Subject
from vocabulary import byte_level
from weights import randomize

SPECIALS = [
    *QWEN_SPECIALS[:3],
    "<img>",
    "</img>",
    "<IMG_CONTEXT>",
    "<quad>",
    "</quad>",
    "<ref>",
    "</ref>",
    "<box>",
    "</box>",
    "<video>",
]
TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}{% if message['content'] is string %}"
    "{{ message['content'] }}{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' %}"
    "{{ '<IMG_CONTEXT>\n' }}{% elif content['type'] == 'video' %}{{ '<video>\n' }}{% elif content['type'] == 'text' %}"
    "{{ content['text'] }}{% endif %}{% endfor %}{% endif %}{{'<|im_end|>\n'}}{% endfor %}{% if add_generation_prompt %}"
    "{{'<|im_start|>assistant\n' }}{% endif %}"
)


def make(folder: Path, seed: int) -> tuple:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(SPECIALS, 400),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIALS,
        clean_up_tokenization_spaces=False,
        extra_special_tokens={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    )
    size = -(-len(tokenizer) // 64) * 64
    config = InternVLConfig(
        text_config={
            **text_config(size, tokenizer),
            "model_type": "qwen2",
            "architectures": ["Qwen2ForCausalLM"],
            "tie_word_embeddings": False,
        },
        vision_config={
            "architectures": ["InternVisionModel"],
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 4,  # fewer than the numbers in "mlp1.3", and the converter cannot name it
            "num_attention_heads": 2,
            "attention_bias": True,
            "image_size": [56, 56],
            "patch_size": [14, 14],
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    model = InternVLForConditionalGeneration(config)
    randomize(
        model,
        seed,
        [*range(256), *range(len(tokenizer) - len(SPECIALS), size)],
        {"multi_modal_projector.linear_2.weight": 0.4, "q_proj": 2.0},
    )
    model.generation_config.eos_token_id = config.text_config.eos_token_id
    images = GotOcr2ImageProcessor(
        size={"height": 56, "width": 56}, crop_to_patches=True, min_patches=1, max_patches=12
    )
    processor = InternVLProcessor(
        images, tokenizer, InternVLVideoProcessor(), image_seq_length=4, chat_template=TEMPLATE
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


def original_names(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights as OpenGVLab's own repositories name them (transformers reads them in the other direction)."""
    names = {
        "model.language_model.": "language_model.model.",
        "lm_head.": "language_model.lm_head.",
        "model.multi_modal_projector.layer_norm.": "mlp1.0.",
        "model.multi_modal_projector.linear_1.": "mlp1.1.",
        "model.multi_modal_projector.linear_2.": "mlp1.3.",
        "model.vision_tower.": "vision_model.",
        "embeddings.cls_token": "embeddings.class_embedding",
        "embeddings.patch_embeddings.projection": "embeddings.patch_embedding",
        "embeddings.position_embeddings": "embeddings.position_embedding",
        "encoder.layer.": "encoder.layers.",
        "attention.projection_layer": "attn.proj",
        "layernorm_before": "norm1",
        "layernorm_after": "norm2",
        "lambda_1": "ls1",
        "lambda_2": "ls2",
    }
    state = model.state_dict()
    renamed = {}
    for name, value in state.items():
        if ".attention.q_proj." in name:
            parts = [state[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
            name, value = name.replace("attention.q_proj", "attn.qkv"), torch.cat(parts)
        elif ".attention.k_proj." in name or ".attention.v_proj." in name:
            continue
        for mine, theirs in names.items():
            name = name.replace(mine, theirs)
        renamed[name] = value.clone()
    return renamed


def make_original(folder: Path, seed: int) -> tuple:
    model, processor = make(folder, seed)
    save_file(original_names(model), folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["InternVLChatModel"], "min_dynamic_patch": 1, "max_dynamic_patch": 12}
    (folder / "config.json").write_text(json.dumps(config))
    return model, processor


SUBJECTS = [
    Subject(
        name="internvl3-hf",
        title="InternVL 3, an -hf repository",
        make=make,
        mark="<IMG_CONTEXT>",
        pre_tokenizer="qwen2",
        exact_size=(56, 56),
        wide_size=(170, 60),
    ),
    Subject(
        name="internvl3",
        title="InternVL 3",
        make=make_original,
        mark="<IMG_CONTEXT>",
        cli_prefix="<__media__>\n",
        pre_tokenizer="qwen2",
        exact_size=(56, 56),
        wide_size=(170, 60),
    ),
]
