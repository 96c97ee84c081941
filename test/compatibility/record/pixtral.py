"""Pixtral: pictures of any size with row breaks, 2-D rotary positions in the tower, Mistral."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import LlavaConfig, LlavaForConditionalGeneration, PixtralProcessor, PreTrainedTokenizerFast
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil

from converter import convert
from subject import Subject
from vocabulary import byte_level
from weights import randomize

SPECIALS = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
]
TEKKEN_SPLIT = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEMPLATE = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('After the optional system message, conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST]" + system_message + "\\n\\n" }}
        {%- else %}
            {{- "[INST]" }}
        {%- endif %}
        {%- if message["content"] is not string %}
            {%- for chunk in message["content"] %}
                {%- if chunk["type"] == "text" %}
                    {%- if "content" in chunk %}
                        {{- chunk["content"] }}
                    {%- elif "text" in chunk %}
                        {{- chunk["text"] }}
                    {%- endif %}
                {%- elif chunk["type"] == "image" %}
                    {{- "[IMG]" }}
                {%- else %}
                    {{- raise_exception("Unrecognized content type!") }}
                {%- endif %}
            {%- endfor %}
        {%- else %}
            {{- message["content"] }}
        {%- endif %}
        {{- "[/INST]" }}
    {%- elif message["role"] == "assistant" %}
        {%- if message["content"] is not string %}
            {%- for chunk in message["content"] %}
                {%- if chunk["type"] == "text" %}
                    {%- if "content" in chunk %}
                        {{- chunk["content"] }}
                    {%- elif "text" in chunk %}
                        {{- chunk["text"] }}
                    {%- endif %}
                {%- else %}
                    {{- raise_exception("Unrecognized content type!") }}
                {%- endif %}
            {%- endfor %}
            {{- eos_token }}
        {%- else %}
            {{- message["content"] + eos_token }}
        {%- endif %}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}"""


def make(folder: Path, seed: int) -> tuple:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(SPECIALS, 400, split=TEKKEN_SPLIT, normalize=False, front=True, begin="<s>"),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        additional_special_tokens=SPECIALS[3:],
        clean_up_tokenization_spaces=False,
    )
    size = -(-len(tokenizer) // 64) * 64
    config = LlavaConfig(
        text_config={
            "model_type": "mistral",
            "vocab_size": size,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "rms_norm_eps": 1e-5,
            "max_position_embeddings": 4096,
            "rope_theta": 1000000000.0,
            "sliding_window": None,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={
            "model_type": "pixtral",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,  # fewer than the numbers in "linear_2", and the converter cannot name it
            "num_attention_heads": 2,
            "image_size": 224,
            "patch_size": 16,
            "hidden_act": "silu",
            "rope_theta": 10000.0,
        },
        image_token_index=10,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        image_seq_length=1,
    )
    model = LlavaForConditionalGeneration(config)
    randomize(
        model,
        seed,
        [*range(14 + 256), *range(len(tokenizer), size)],
        {"multi_modal_projector.linear_2.weight": 0.3, "language_model.layers.0.self_attn.q_proj": 2.0},
    )
    model.generation_config.eos_token_id = 2
    processor = PixtralProcessor(
        PixtralImageProcessorPil(size={"longest_edge": 224}, patch_size={"height": 16, "width": 16}),
        tokenizer,
        patch_size=16,
        chat_template=TEMPLATE,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


def convert_with_break(llama: Path, _model: torch.nn.Module, work: Path, target: Path) -> None:
    """
    The converter takes the row of [IMG_BREAK] from the language model's embeddings, but leaves out every tensor whose
    name holds "language_model.", where they are: here they stand under a second name too.
    """
    source = work / "with-break"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(work / "original", source)
    path = source / "model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith("embed_tokens.weight"))
    tensors["model.embed_tokens.weight"] = tensors[name].clone()
    save_file(tensors, path, metadata={"format": "pt"})
    convert(llama, source, target, "pixtral", ["--mmproj"])


def subject(**options: object) -> Subject:
    return Subject(
        make=make,
        mark="[IMG]",
        pre_tokenizer="pixtral",
        row_tokens=["[IMG_BREAK]"],
        exact_size=(96, 64),
        wide_size=(150, 90),
        **options,
    )


SUBJECTS = [
    subject(
        name="pixtral",
        title="Pixtral, row of [IMG_BREAK] given to the converter",
        convert_projector=convert_with_break,
    ),
    subject(name="pixtral-as-published", title="Pixtral", language_model_of="pixtral"),
]
