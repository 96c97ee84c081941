"""Gemma 3: pictures attend to themselves both ways, five of six layers look at a window."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3Processor, GemmaTokenizer
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from names import rename
from subject import Subject
from vocabulary import sentence_piece
from weights import randomize

TEMPLATE = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
"""
CONTROLS = ["<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"]
PICTURE_ROWS = 16


def make(folder: Path, seed: int) -> tuple:
    sentence_piece(
        folder,
        400,
        controls=CONTROLS,
        add_dummy_prefix=False,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        user_defined_symbols=["\n", "\n\n"],
    )
    tokenizer = GemmaTokenizer.from_pretrained(
        folder,
        add_bos_token=True,
        additional_special_tokens=[*CONTROLS, "<image_soft_token>"],
        extra_special_tokens={
            "image_token": "<image_soft_token>",
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
        },
    )
    tokens = len(tokenizer)
    size = -(-tokens // 64) * 64
    known = tokenizer.convert_tokens_to_ids
    config = Gemma3Config(
        text_config={
            "vocab_size": size,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 6,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": 24,
            "max_position_embeddings": 4096,
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 112,
            "patch_size": 14,
            "vision_use_head": False,
        },
        mm_tokens_per_image=PICTURE_ROWS,
        boi_token_index=known("<start_of_image>"),
        eoi_token_index=known("<end_of_image>"),
        image_token_index=known("<image_soft_token>"),
        eos_token_id=[1, known("<end_of_turn>")],
    )
    model = Gemma3ForConditionalGeneration(config)
    quiet = [
        index
        for index in range(size)
        if index >= tokens or tokenizer.convert_ids_to_tokens(index)[:3] in ("<0x", "<un")
    ]
    randomize(model, seed, quiet, {"q_proj": 1.5})
    scale_gemma(model, [*quiet, *tokenizer.all_special_ids])
    model.generation_config.eos_token_id = [1, known("<end_of_turn>")]
    processor = Gemma3Processor(
        Gemma3ImageProcessorPil(size={"height": 112, "width": 112}, image_seq_length=PICTURE_ROWS),
        tokenizer,
        chat_template=TEMPLATE,
        image_seq_length=PICTURE_ROWS,
    )
    model.save_pretrained(folder)
    rename(folder, {"vision_tower.": "vision_tower.vision_model."})
    processor.save_pretrained(folder)
    return model, processor


def scale_gemma(model: object, quiet: list[int]) -> None:
    """Gemma's norms add 1 to their weight, and its output matrix is its input's: without care it repeats a token."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" not in name or "vision" in name:
                continue
            parameter.normal_(0.6 if "post_" in name else 2.0 if "q_norm" in name else 0.0, 0.3)
        embedding = model.get_input_embeddings().weight
        embedding.mul_(0.67)
        embedding[quiet] *= 0.67
        model.model.language_model.norm.weight.normal_(4.0, 1.5)
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())


SUBJECTS = [
    Subject(
        name="gemma3",
        title="Gemma 3",
        make=make,
        mark="<start_of_image>",
        marker="\n\n<__media__>\n\n",
        margins={"text": 0.03, "exact": 0.1, "wide": 0.005, "both": 0.1},
        seeds=range(187, 1500),  # the search takes minutes; 187 is the first that will do
        exact_size=(112, 112),
        wide_size=(180, 90),
    )
]
