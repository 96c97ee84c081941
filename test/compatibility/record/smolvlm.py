"""SmolVLM (and Idefics3, whose form it has): SigLIP tower, pixel shuffle, tiles with row and column tokens."""

from __future__ import annotations

from pathlib import Path

from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor, PreTrainedTokenizerFast
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from subject import Subject
from vocabulary import byte_level
from weights import randomize

# SmolVLM's template, whole.
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == "
    "'image' %}{{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}"
    "{{line['text']}}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
FRONT = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
ROWS = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
SPECIALS = [*FRONT, "<global-img>", *ROWS, "<fake_token_around_image>", "<image>", "<end_of_utterance>"]


def make(folder: Path, seed: int) -> tuple:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(SPECIALS, 400, split=None, normalize=False, more=("\n\n",) * 20),
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        unk_token="<|endoftext|>",
        pad_token="<|im_end|>",
        additional_special_tokens=SPECIALS,
        clean_up_tokenization_spaces=False,
    )
    size = -(-len(tokenizer) // 64) * 64
    known = tokenizer.convert_tokens_to_ids
    config = Idefics3Config(
        text_config={
            "architectures": ["VLlama3ForCausalLM"],
            "model_type": "llama",
            "vocab_size": size,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "rms_norm_eps": 1e-5,
            "max_position_embeddings": 4096,
            "rope_theta": 273768.0,
            "bos_token_id": known("<|im_start|>"),
            "eos_token_id": known("<end_of_utterance>"),
            "pad_token_id": known("<|im_end|>"),
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
        },
        image_token_id=known("<image>"),
        scale_factor=2,
        pad_token_id=known("<|im_end|>"),
        tie_word_embeddings=False,
    )
    model = Idefics3ForConditionalGeneration(config)
    randomize(
        model,
        seed,
        [*range(256), *range(len(tokenizer) - len(SPECIALS), size)],
        {"connector.modality_projection": 1.0, "q_proj": 2.0},
    )
    model.generation_config.eos_token_id = known("<end_of_utterance>")
    processor = Idefics3Processor(
        Idefics3ImageProcessorPil(size={"longest_edge": 224}, max_image_size={"longest_edge": 56}),
        tokenizer,
        image_seq_len=4,
        chat_template=TEMPLATE,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor


SUBJECTS = [
    Subject(
        name="smolvlm",
        title="SmolVLM / Idefics3",
        make=make,
        mark="<image>",
        pre_tokenizer="smollm",
        exact_size=(224, 112),
        wide_size=(190, 130),
        pixels=lambda inputs: list(inputs["pixel_values"][0].numpy()),
        language=lambda model: model.model.text_model,
    )
]
