"""LLaVA-1.5, LLaVA-NeXT and LLaVA-OneVision: towers with a projector in front of a language model."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlamaTokenizer,
    PreTrainedTokenizerFast,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionProcessor,
    LlavaProcessor,
)
from transformers.models.llava.image_processing_llava import LlavaImageProcessor
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.llava_onevision.video_processing_llava_onevision import LlavaOnevisionVideoProcessor

from converter import convert_clip_tower
from qwen import SPECIALS as QWEN_SPECIALS
from qwen import text_config
from subject import Subject
from vocabulary import byte_level, sentence_piece
from weights import randomize

# The template of the llava-hf repositories of LLaVA-1.5.
LLAVA_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}"
    "{# Render all images first #}{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}"
    "{{ '<image>\\n' }}{% endfor %}{# Render all text next #}{% if message['role'] != 'assistant' %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' '}}{% endfor %}"
    "{% else %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{% generation %}"
    "{{ content['text'] + ' '}}{% endgeneration %}{% endfor %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
# LLaVA-OneVision's (Qwen2).
ONEVISION_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + ' '}}{# Render all images first #}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>' }}{% endfor %}"
    "{# Render all video then #}{% for content in message['content'] | selectattr('type', 'equalto', 'video') %}"
    "{{ '<video>' }}{% endfor %}{# Render all text next #}{% for content in message['content'] | "
    "selectattr('type', 'equalto', 'text') %}{{ '\n' + content['text'] }}{% endfor %}{{'<|im_end|>'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
VISION = {
    "image_size": 56,
    "patch_size": 14,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "projection_dim": 32,
}


def llama_config(vocabulary: int, **options: object) -> LlamaConfig:
    settings = {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    return LlamaConfig(**{**settings, **options})


def llama_tokenizer(folder: Path) -> LlamaTokenizer:
    sentence_piece(folder, 384)
    tokenizer = LlamaTokenizer.from_pretrained(folder, legacy=True, add_bos_token=True, model_max_length=4096)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"], "pad_token": "<pad>"})
    tokenizer.image_token = "<image>"
    return tokenizer


def make_llava(folder: Path, seed: int) -> tuple[torch.nn.Module, LlavaProcessor]:
    tokenizer = llama_tokenizer(folder)
    tokens = len(tokenizer)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**VISION),
        text_config=llama_config(-(-tokens // 64) * 64),  # padded, as the original's
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    model = LlavaForConditionalGeneration(config)
    randomize(
        model,
        seed,
        [*range(3, 259), *tokenizer.all_special_ids, *range(tokens, config.text_config.vocab_size)],
        {"multi_modal_projector.linear_2.weight": 0.2, "q_proj": 2.0},
    )
    model.generation_config.eos_token_id = 2
    # LLaVA-1.5 pads to a square with the mean colour; the llava-hf repositories crop, unless told.
    images = LlavaImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}, do_pad=True)
    processor = LlavaProcessor(
        images,
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=LLAVA_TEMPLATE,
        num_additional_image_tokens=1,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


PINPOINTS = [[56, 112], [112, 56], [112, 112], [168, 56], [56, 168]]


def make_next(folder: Path, seed: int) -> tuple[torch.nn.Module, LlavaNextProcessor]:
    """LLaVA-1.6 with Vicuna: a picture and its tiles, rows of which end in a learned newline."""
    tokenizer = llama_tokenizer(folder)
    tokens = len(tokenizer)
    config = LlavaNextConfig(
        vision_config=CLIPVisionConfig(**VISION),
        text_config=llama_config(-(-tokens // 64) * 64, architectures=["LlamaForCausalLM"]),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=PINPOINTS,
        image_seq_length=16,
    )
    model = LlavaNextForConditionalGeneration(config)
    randomize(
        model,
        seed,
        [*range(3, 259), *tokenizer.all_special_ids, *range(tokens, config.text_config.vocab_size)],
        {"multi_modal_projector.linear_2.weight": 0.2, "q_proj": 2.0},
    )
    model.generation_config.eos_token_id = 2
    images = LlavaNextImageProcessorPil(
        size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}, image_grid_pinpoints=PINPOINTS
    )
    processor = LlavaNextProcessor(
        images,
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=LLAVA_TEMPLATE,
        num_additional_image_tokens=1,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


def make_onevision(folder: Path, seed: int) -> tuple[torch.nn.Module, LlavaOnevisionProcessor]:
    specials = [*QWEN_SPECIALS[:3], "<image>", "<video>"]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(specials, 400),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=specials,
    )
    size = -(-len(tokenizer) // 64) * 64
    config = LlavaOnevisionConfig(
        text_config={
            **text_config(size, tokenizer),
            "model_type": "qwen2",
            "architectures": ["Qwen2ForCausalLM"],
            "tie_word_embeddings": False,
        },
        vision_config={
            "model_type": "siglip_vision_model",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
            "vision_use_head": False,
        },
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[56, 56], [56, 112], [112, 56], [112, 112]],
    )
    model = LlavaOnevisionForConditionalGeneration(config)
    randomize(model, seed, [*range(256), *range(len(tokenizer) - len(specials), size)], {"q_proj": 2.0})
    model.generation_config.eos_token_id = config.text_config.eos_token_id
    processor = LlavaOnevisionProcessor(
        LlavaOnevisionImageProcessorPil(
            size={"height": 56, "width": 56}, image_grid_pinpoints=config.image_grid_pinpoints
        ),
        tokenizer,
        LlavaOnevisionVideoProcessor(size={"height": 56, "width": 56}),
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=ONEVISION_TEMPLATE,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


SUBJECTS = [
    Subject(
        name="llava-next",
        title="LLaVA-NeXT (1.6)",
        make=make_next,
        mark="<image>",
        cli_prefix="<__media__>\n",
        exact_size=(112, 112),
        wide_size=(170, 60),
        pixels=lambda inputs: list(inputs["pixel_values"][0].numpy()),
        # The names of the tower's configuration that the converter's manual offers for LLaVA-1.6.
        convert_projector=lambda llama, model, work, target: convert_clip_tower(
            llama,
            model,
            work,
            target,
            {
                "image_aspect_ratio": "anyres",
                "image_grid_pinpoints": PINPOINTS,
                "mm_patch_merge_type": "spatial_unpad",
                "mm_projector_type": "mlp2x_gelu",
                "mm_vision_select_layer": -2,
            },
        ),
    ),
    Subject(
        name="llava-onevision",
        title="LLaVA-OneVision",
        make=make_onevision,
        mark="<image>",
        pre_tokenizer="qwen2",
        pixels=lambda inputs: list(inputs["pixel_values"][0].numpy()),
    ),
    Subject(
        name="llava-1.5",
        title="LLaVA-1.5",
        make=make_llava,
        mark="<image>",
        cli_prefix="<__media__>\n",
        convert_projector=lambda llama, model, work, target: convert_clip_tower(
            llama, model, work, target, {"vision_feature_layer": -2}
        ),
    ),
    Subject(
        name="llava-1.5-published",
        title="LLaVA-1.5, projector without feature layer (the published files)",
        language_model_of="llava-1.5",
        make=make_llava,
        mark="<image>",
        cli_prefix="<__media__>\n",
        convert_projector=lambda llama, model, work, target: convert_clip_tower(llama, model, work, target, {}),
    ),
]
