"""The original model, asked for what a golden file holds."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from subject import Subject

GREEDY_COUNT = 32


def message(question: str, pictures: int) -> list[dict]:
    content = [{"type": "image"}] * pictures + [{"type": "text", "text": question}]
    return [{"role": "user", "content": content}]


class Original:
    """With its own processor and chat template."""

    def __init__(self, subject: Subject, model: torch.nn.Module, processor: object) -> None:
        self.subject, self.model, self.processor = subject, model.eval(), processor
        self.tokenizer = getattr(processor, "tokenizer", processor)

    def prompt(self, question: str, pictures: int) -> str:
        """The conversation as the original's template writes it."""
        source = self.processor if getattr(self.processor, "chat_template", None) else self.tokenizer
        turns = message(question, pictures)
        return source.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)

    @torch.no_grad()
    def answer(self, question: str, pictures: list[Path]) -> dict:
        prompt = self.prompt(question, len(pictures))
        begin = self.begin
        # A template that writes the begin token itself is tokenised as it stands.
        options = {"add_special_tokens": not (begin and prompt.startswith(begin))}
        if not pictures:
            inputs = self.tokenizer([prompt], return_tensors="pt", **options)
        else:
            images = [Image.open(picture).convert("RGB") for picture in pictures]
            inputs = self.processor(text=[prompt], images=images, return_tensors="pt", **options)
        seen: list[torch.Tensor] = []

        def look(_module: object, _positional: tuple, named: dict) -> None:
            if not seen and named.get("inputs_embeds") is not None:
                seen.append(named["inputs_embeds"][0].clone())

        hook = self.subject.language(self.model).register_forward_pre_hook(look, with_kwargs=True)
        done = self.model.generate(
            **inputs,
            max_new_tokens=GREEDY_COUNT,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        hook.remove()
        ids = inputs["input_ids"][0]
        logits = torch.stack(done.logits)[:, 0].float()
        best = logits.topk(2).values
        greedy = done.sequences[0, len(ids) :].tolist()
        ends = self.model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        if greedy and greedy[-1] in ends:
            greedy = greedy[:-1]
        is_image = torch.zeros_like(ids, dtype=torch.bool)
        if pictures:
            is_image = ids == self.image_token
            for text in self.subject.row_tokens:
                is_image |= ids == self.tokenizer.convert_tokens_to_ids(text)
        return {
            "text": prompt,
            "tokens": torch.where(is_image, -1, ids).tolist(),
            "logits": logits[0].numpy(),
            "greedy": greedy,
            "margin": float((best[:, 0] - best[:, 1])[: len(greedy)].min()) if greedy else 0.0,
            "position": self.position(inputs, len(ids)),
            "embeddings": seen[0][is_image].numpy() if pictures and seen else None,
            "pixels": self.subject.pixels(inputs) if len(pictures) == 1 else [],
        }

    @property
    def begin(self) -> str:
        """The begin token's text where the tokenizer puts it in front by itself, as llama.cpp does then."""
        begin = self.tokenizer.bos_token_id
        return self.tokenizer.bos_token if begin is not None and self.tokenizer("a").input_ids[0] == begin else ""

    @property
    def image_token(self) -> int:
        config = self.model.config
        for name in ("image_token_id", "image_token_index"):
            if getattr(config, name, None) is not None:
                return getattr(config, name)
        raise ValueError("no image token")

    def position(self, inputs: dict, count: int) -> int:
        """Where the next token stands: behind the prompt, or where M-RoPE says."""
        inner = getattr(self.model, "model", None)
        deltas = getattr(inner, "rope_deltas", None)
        return count + (int(deltas[0]) if deltas is not None and "image_grid_thw" in inputs else 0)


def is_usable(case: dict, margin: float, tokenizer: object) -> bool:
    special = set(tokenizer.all_special_ids) | {len(tokenizer)}
    known = len(tokenizer)
    return (
        len(case["greedy"]) == GREEDY_COUNT
        and case["margin"] > margin
        and len(set(case["greedy"])) >= 6
        and not any(token in special or token >= known for token in case["greedy"])
    )
