"""Trains the miniature's CLIP on scenes of the world, in two stages.

    python models/recipe/clip/train.py facts    --out DIR [--steps 600]
    python models/recipe/clip/train.py pictures --out DIR --begin DIR [--tower tower.pt] [--steps 450]

`facts`: the text side against an encoder of the scenes' facts, no pictures (see teacher.py). `pictures`: both sides of CLIP,
the vision tower begun from the VLM's and drawn to where the facts encoder puts each picture.

Every step shows a batch of scenes, one sentence about each, and two dozen sentences that call a picture safe or unsafe.
Two losses: InfoNCE between scenes and sentences, and a sigmoid loss on every pair, which fixes where the cosines lie
(a match above 0.2, about 0.27; no match below, about 0.13). What is true of a scene is known from its facts.
A run that was killed goes on from its last state (`state.pt` in DIR).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "converter")]

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch import Tensor
from transformers import CLIPModel

from captions import caption, facts_of, spelled_words
from pictures import load_pictures
from precision import autocast
from safety_wording import PAPER, SAFE_VALIDATION, UNSAFE_VALIDATION, training_text
from sentences import sentence_about
from steps import batch_of, load_state, save_whole, step_random
from teacher import FactsEncoder
from tokenizer_file import CLIP_END, clip_ids, save_tokenizer, train_clip_tokenizer
from tower import IMAGE_SIZE, MIDDLE, SCALE, begin_from, new_clip
from world.scene import Scene, make_scene

SAFETY_TEXTS = 24
CAPTION_TOKENS, SAFETY_TOKENS = 32, 40


def corpus(scenes: list[Scene], rng: random.Random) -> list[str]:
    texts = [caption(scene, rng).text for scene in scenes]
    texts += [found.text for scene in scenes if (found := sentence_about(scene, rng))]
    texts += [training_text(rng, unsafe) for unsafe in (True, False) for _ in range(3000)]
    return texts + [word for word in spelled_words() for _ in range(20)]


def padded(tokenizer: Tokenizer, texts: list[str], count: int, rng: random.Random | None = None) -> Tensor:
    """Ids [B, count], filled up with end tokens. With `rng`, one token in twenty is another: an unknown word must not decide."""
    end = tokenizer.token_to_id(CLIP_END)
    rows = []
    for text in texts:
        ids = clip_ids(tokenizer, text, count)
        if rng is not None and len(ids) > 5:
            ids = [ids[0], *(rng.randrange(end - 1) if rng.random() < 0.05 else token for token in ids[1:-1]), ids[-1]]
        rows.append(ids + [end] * (count - len(ids)))
    return torch.tensor(rows)


def shifted(pixels: Tensor, rng: random.Random, most: int = 5) -> Tensor:
    """Each picture moved by a few pixels and a little brighter or darker: fonts and sizes never met are read better."""
    found = torch.nn.functional.pad(pixels, (most, most, most, most), mode="replicate")
    size = pixels.shape[-1]
    corners = [(rng.randrange(2 * most + 1), rng.randrange(2 * most + 1)) for _ in pixels]
    moved = torch.stack([image[:, y : y + size, x : x + size] for image, (y, x) in zip(found, corners)])
    return moved * torch.tensor([rng.uniform(0.85, 1.15) for _ in pixels])[:, None, None, None]


def unit(rows: Tensor) -> Tensor:
    return rows.float() / rows.float().norm(dim=-1, keepdim=True)


def images_of(model: CLIPModel, pixels: Tensor) -> Tensor:
    return unit(model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output))


def texts_of(model: CLIPModel, ids: Tensor) -> Tensor:
    return unit(model.text_projection(model.text_model(input_ids=ids).pooler_output))


def pair_loss(cosines: Tensor, truth: Tensor) -> Tensor:
    """The sigmoid loss of every pair; matches and mismatches weigh the same."""
    loss = torch.nn.functional.softplus(torch.where(truth, -1.0, 1.0) * SCALE * (cosines - MIDDLE))
    return loss[truth].mean() + loss[~truth].mean()


def contrast_loss(cosines: Tensor, truth: Tensor) -> Tensor:
    """InfoNCE both ways; other sentences that are true of a scene as well are left out of its negatives."""
    others = truth & ~torch.eye(len(truth), dtype=torch.bool)
    logits = (SCALE * cosines).masked_fill(others, -1e4)
    target = torch.arange(len(truth))
    return torch.nn.functional.cross_entropy(logits, target) + torch.nn.functional.cross_entropy(logits.T, target)


@torch.no_grad()
def validate(model: CLIPModel, tokenizer: Tokenizer, scenes: list[Scene], images: Tensor) -> dict[str, float]:
    """AUCs under the paper's prompt and others, and retrieval, for embeddings of validation scenes."""
    model.eval()
    kinds, unsafe = np.array([scene.kind for scene in scenes]), np.array([scene.is_unsafe for scene in scenes])
    drawn, lists = np.isin(kinds, ("clean", "drawn")), np.isin(kinds, ("list", "harmful-list"))
    found: dict[str, float] = {}
    for text in [PAPER, *UNSAFE_VALIDATION, *SAFE_VALIDATION]:
        sign = -1 if text in SAFE_VALIDATION else 1
        scores = (images @ texts_of(model, padded(tokenizer, [text], SAFETY_TOKENS))[0]).numpy()
        found[text[:24]] = round(float(roc_auc_score(unsafe, sign * scores)), 4)
        if text == PAPER:
            found |= {"drawn": round(float(roc_auc_score(unsafe[drawn], scores[drawn])), 4), "lists": round(float(roc_auc_score(unsafe[lists], scores[lists])), 4),
                      "unsafe mean": round(float(scores[unsafe].mean()), 3), "safe mean": round(float(scores[~unsafe].mean()), 3)}
    rng = random.Random(5)
    captions = [caption(scene, rng) for scene in scenes]
    cosines = images @ texts_of(model, padded(tokenizer, [found.text for found in captions], CAPTION_TOKENS)).T
    right = 0
    for row, scene in enumerate(scenes):
        facts = facts_of(scene)
        wrong = [other for other in rng.sample(range(len(captions)), 30) if not captions[other].facts <= facts][:9]
        right += bool(cosines[row, row] > cosines[row, wrong].max())
    found["one of ten"] = round(right / len(scenes), 3)
    model.train()
    return found


def begin(args, scenes: list[Scene], rng: random.Random) -> tuple[CLIPModel, Tokenizer, FactsEncoder]:
    if args.begin:
        tokenizer = Tokenizer.from_file(str(args.begin / "tokenizer.json"))
        model = CLIPModel.from_pretrained(args.begin, dtype=torch.float32, attn_implementation="eager")
        model.text_model.eos_token_id = tokenizer.token_to_id(CLIP_END)
        kept = torch.load(args.begin / "facts.pt", weights_only=True)
        teacher = FactsEncoder([tuple(fact) for fact in kept["vocabulary"]])
        teacher.load_state_dict(kept["state"])
    else:
        tokenizer = train_clip_tokenizer(corpus(scenes[:6000], rng), 2048)
        model = new_clip(tokenizer.get_vocab_size(), tokenizer.token_to_id(CLIP_END))
        teacher = FactsEncoder(sorted({fact for scene in scenes for fact in facts_of(scene)}))
    if args.tower:
        begin_from(model, args.tower)
    model.logit_scale.requires_grad_(False).fill_(math.log(SCALE))
    return model, tokenizer, teacher


def save(model: CLIPModel, tokenizer: Tokenizer, teacher: FactsEncoder, out: Path) -> None:
    model.save_pretrained(out)
    save_tokenizer(tokenizer, out / "tokenizer.json")
    torch.save({"vocabulary": [list(fact) for fact in teacher.rows], "state": teacher.state_dict()}, out / "facts.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["facts", "pictures"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tower", type=Path, help="the VLM's tower, from which the vision side begins")
    parser.add_argument("--begin", type=Path, help="a checkpoint of this script to begin from")
    parser.add_argument("--cache", type=Path, default=Path("build/recipe/pictures"))
    parser.add_argument("--data", type=Path, help="pictures of vlm.pictures, which need not be drawn again")
    parser.add_argument("--steps", type=int, help="default: 600 of facts, 450 of pictures")
    parser.add_argument("--scenes", type=int, default=20000)
    parser.add_argument("--batch", type=int, help="default: 128 of facts, 64 of pictures")
    parser.add_argument("--rate", type=float, help="default: 1e-3 of facts, 8e-4 of pictures")
    parser.add_argument("--encoder-share", type=float, default=0.8, help="learning rate of a tower that was begun from another, as a share")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    sees = args.stage == "pictures"
    args.steps, args.batch, args.rate = args.steps or (450 if sees else 600), args.batch or (64 if sees else 128), args.rate or (8e-4 if sees else 1e-3)
    pictures = load_pictures("train", args.scenes, IMAGE_SIZE, args.cache, drawn=args.data) if sees else None
    held = load_pictures("validation", 600, IMAGE_SIZE, args.cache) if sees else None
    scenes = pictures.scenes if pictures else [make_scene(seed) for seed in range(args.scenes)]
    held_scenes = held.scenes if held else [make_scene(seed, "validation") for seed in range(600)]
    facts, unsafe = [facts_of(scene) for scene in scenes], torch.tensor([scene.is_unsafe for scene in scenes])
    model, tokenizer, teacher = begin(args, scenes, rng)
    print(json.dumps({"vocabulary": tokenizer.get_vocab_size(), "parameters": sum(p.numel() for p in model.parameters()), "facts": len(teacher.rows)}), flush=True)

    @torch.no_grad()
    def look() -> dict[str, float]:
        if held is None:
            return validate(model, tokenizer, held_scenes, teacher([facts_of(scene) for scene in held_scenes]))
        return validate(model, tokenizer, held_scenes, torch.cat([images_of(model, held.tensor(slice(start, start + 100))) for start in range(0, 600, 100)]))

    if sees:
        teacher.requires_grad_(False)
        begun = [p for name, p in model.named_parameters() if "vision_model.encoder" in name]
        text = [p for name, p in model.named_parameters() if name.startswith("text_")]
        new = [p for name, p in model.named_parameters() if not name.startswith("text_") and "vision_model.encoder" not in name and p.requires_grad]
        groups = [{"params": begun, "share": args.encoder_share}, {"params": text, "share": 0.3}, {"params": new, "share": 1.0}]
    else:
        groups = [{"params": [*model.text_model.parameters(), *model.text_projection.parameters(), *teacher.parameters()], "share": 1.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, weight_decay=0.05, betas=(0.9, 0.98))
    kept = args.out / "state.pt"
    state = load_state(kept)
    if state:
        model.load_state_dict(state["model"])
        teacher.load_state_dict(state["teacher"])
        optimizer.load_state_dict(state["optimizer"])
    started, first = time.time(), state["step"] if state else 0
    for step in range(first, args.steps):
        rng, passed = step_random(args.seed, step), step / args.steps
        for group in optimizer.param_groups:
            group["lr"] = args.rate * group["share"] * min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * passed)))
        rows = batch_of(args.seed, step, args.batch, args.scenes)
        about = [sentence_about(scenes[row], rng) if rng.random() < 0.4 else None for row in rows]
        texts = [found or caption(scenes[row], rng) for found, row in zip(about, rows)]
        truth = torch.tensor([[text.facts <= facts[row] for text in texts] for row in rows])
        says_unsafe = [index % 2 == 0 for index in range(SAFETY_TEXTS)]
        safety = [training_text(rng, value) for value in says_unsafe]
        with autocast():
            images = images_of(model, shifted(pictures.tensor(rows), rng)) if pictures else teacher([facts[row] for row in rows])
            # The text side has learnt in the first stage: it moves again only at the end, when the tower has caught up.
            with torch.set_grad_enabled(not sees or passed > 0.7):
                told_of = texts_of(model, padded(tokenizer, [text.text for text in texts], CAPTION_TOKENS, rng))
                called = texts_of(model, padded(tokenizer, safety, SAFETY_TOKENS, rng))
        cosines = images @ told_of.T
        parts = [contrast_loss(cosines, truth), pair_loss(cosines, truth), pair_loss(images @ called.T, unsafe[rows][:, None] == torch.tensor(says_unsafe)[None])]
        loss = 0.5 * parts[0] + parts[1] + 2 * parts[2]
        if sees:
            parts.append(1 - (images * teacher([facts[row] for row in rows])).sum(-1).mean())
            loss = loss + 8 * parts[3]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for group in groups for p in group["params"]], 1.0)
        optimizer.step()
        done = step + 1
        if done % 20 == 0:
            print(done, f"{(time.time() - started) / (done - first):.2f}s", *(f"{part.item():.3f}" for part in parts), flush=True)
        if done % 100 == 0 or done == args.steps:
            save_whole({"model": model.state_dict(), "teacher": teacher.state_dict(), "optimizer": optimizer.state_dict(), "step": done}, kept)
        if done % 200 == 0:
            print(done, json.dumps(look()), flush=True)
    print(args.steps, json.dumps(look()), flush=True)
    save(model, tokenizer, teacher, args.out)


if __name__ == "__main__":
    main()
