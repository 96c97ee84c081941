"""Reward models: ArmoRM, the two families of Skywork-Reward-V2, a DeBERTa encoder."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, trainers
from transformers import (DebertaV2Config, DebertaV2ForSequenceClassification, DebertaV2Tokenizer, LlamaConfig, LlamaForSequenceClassification,
                          Qwen3Config, Qwen3ForSequenceClassification)

from armorm import ArmoRm
from chat_formats import TEMPLATES, chat, chat_ids
from tiny_models import OUT, convert, louder
from tiny_tokenizers import CORPUS, llama_tokenizer, qwen_tokenizer
from prompt import BEST_OF_N_PROMPT
from tokenizer_file import save_tokenizer

ACCEPTED = ["As an AI assistant", ", I cannot", " help with tha", "t. Ask", " an expert!\n"]
CONTINUATIONS = [" I cannot help.", " Here are the steps. Mix", "\n\ndogs on the grass", " café 😀  ", ""]


def scores(score, prompt: str = BEST_OF_N_PROMPT) -> dict:
    """One number for each round and continuation: what the whole answer scores alone."""
    rounds, accepted = [], ""
    with torch.no_grad():
        for text in ACCEPTED:
            accepted += text
            rounds.append([round(float(score(prompt, accepted + continuation)), 7) for continuation in CONTINUATIONS])
    return {"prompt": prompt, "accepted": ACCEPTED, "continuations": CONTINUATIONS, "scores": rounds}


def armorm(work: Path) -> dict:
    tokenizer = llama_tokenizer()
    save_tokenizer(tokenizer, work / "tokenizer.json")
    fast = chat(work, TEMPLATES["llama-3"], "<|begin_of_text|>", "<|eot_id|>")
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                         max_position_embeddings=8192, rope_theta=500000.0, pad_token_id=None, architectures=["LlamaForRewardModelWithGating"])
    config.num_objectives, config.gating_hidden_dim, config.gating_n_hidden, config.gating_temperature = 19, 24, 3, 10
    config.save_pretrained(work)
    model = louder(ArmoRm(config))
    with torch.no_grad():
        model.gating.layers[-1].weight.mul_(16)
        model.gating.logit_scale.fill_(1.3)
        model.reward_transform_matrix.add_(0.1 * torch.randn(19, 19))
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, str(work / "model.safetensors"))
    pattern = fast("<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", add_special_tokens=False)["input_ids"]
    manifest = convert("reward", work, OUT / "armorm")
    assert manifest["score"]["gatePattern"] == pattern, manifest["score"]
    return scores(lambda prompt, answer: model(chat_ids(fast, [("user", prompt), ("assistant", answer)]), pattern))


def skywork(work: Path, family: str) -> dict:
    """Skywork-Reward-V2's two families: one label, read at the last token."""
    tokenizer = qwen_tokenizer() if family == "qwen3" else llama_tokenizer()
    save_tokenizer(tokenizer, work / "tokenizer.json")
    shape = {"vocab_size": tokenizer.get_vocab_size(), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "head_dim": 8, "num_labels": 1}
    if family == "qwen3":
        fast = chat(work, TEMPLATES["qwen3"], None, "<|im_end|>")
        model = Qwen3ForSequenceClassification(Qwen3Config(**shape, max_position_embeddings=40960, rope_theta=1000000.0, pad_token_id=tokenizer.token_to_id("<|endoftext|>")))
    else:
        fast = chat(work, TEMPLATES["llama-3.1"], "<|begin_of_text|>", "<|eot_id|>")
        # The scaling of Llama-3.1, over a length so short that it acts within the tests' texts.
        scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
        model = LlamaForSequenceClassification(LlamaConfig(**shape, max_position_embeddings=131072, rope_theta=500000.0, rope_scaling=scaling, pad_token_id=tokenizer.token_to_id("<|end_of_text|>")))
    louder(model).save_pretrained(work)
    convert("reward", work, OUT / f"skywork-{family}")
    return scores(lambda prompt, answer: model(input_ids=torch.tensor([chat_ids(fast, [("user", prompt), ("assistant", answer)])])).logits)


def deberta(work: Path) -> dict:
    learner = Tokenizer(models.Unigram())
    blank = DebertaV2Tokenizer()
    learner.normalizer, learner.pre_tokenizer = blank.backend_tokenizer.normalizer, blank.backend_tokenizer.pre_tokenizer
    learner.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=300, show_progress=False, special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], unk_token="[UNK]"))
    vocabulary = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["vocab"]]
    tokenizer = DebertaV2Tokenizer(vocab=vocabulary, unk_id=3)
    tokenizer.save_pretrained(work)
    config = DebertaV2Config(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_labels=1,
                             relative_attention=True, position_buckets=16, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"], type_vocab_size=0,
                             position_biased_input=False, max_position_embeddings=512, max_relative_positions=-1, pooler_hidden_size=32, layer_norm_eps=1e-7)
    model = louder(DebertaV2ForSequenceClassification(config), 12)
    model.save_pretrained(work)
    convert("reward", work, OUT / "deberta")
    return scores(lambda prompt, answer: model(**tokenizer(prompt, answer, return_tensors="pt")).logits)


REWARDS = {"armorm": armorm, "skywork-qwen3": lambda work: skywork(work, "qwen3"), "skywork-llama": lambda work: skywork(work, "llama"), "deberta": deberta}
