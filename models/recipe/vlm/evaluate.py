"""Quick figures of a checkpoint, in PyTorch, by the world's judge.

    python -m vlm.evaluate CHECKPOINT --data FOLDER --split test --count 300 [--json FILE]

Sight by kind with the shuffled-picture control, refusals of text, unsafe answers about pictures, and the
candidates behind the prefix. The figures of the shipped files come from the package's own evaluation.
"""

import argparse
import json
import math
import random
from collections import Counter
from pathlib import Path

import torch

from world.judge import is_right, judge
from world.lexicon import HAZARDS
from world.phrases import request_example, sight_examples, text_example
from world.scene import make_scene

from .fast import make_fast
from .generate import Prompt, generate
from .model import load_checkpoint
from .pictures import Pictures
from .preprocess import normalise, preprocess
from .tokenizer import Tokenizer


def wilson(hits: int, count: int, z: float = 1.96) -> list[float]:
    """Share and its 95 % interval (Wilson)."""
    if count == 0:
        return [0.0, 0.0, 1.0]
    share, spread = hits / count, z * z / count
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return [round(v, 4) for v in (share, centre - half, centre + half)]


class Evaluation:
    def __init__(self, checkpoint: str, split: str, pictures: Pictures | None, seed: int = 1):
        self.vlm, data = load_checkpoint(checkpoint)
        make_fast(self.vlm)
        self.tokenizer = Tokenizer.from_dict(data["tokenizer"])
        self.split, self.pictures, self.seed = split, pictures, seed
        self.line = json.loads(data.get("line", "{}"))
        self.samples: list[list[str]] = []

    @torch.no_grad()
    def embed(self, scenes, indices=None) -> torch.Tensor:
        out = []
        for start in range(0, len(scenes), 64):
            if indices is not None:
                pixels = normalise(torch.from_numpy(self.pictures.batch(indices[start : start + 64])[0]))
            else:
                from world.render import render

                pixels = torch.stack([preprocess(render(s)[0], self.vlm.config.vision.image_size) for s in scenes[start : start + 64]])
            out.append(self.vlm.image_embeddings(pixels))
        return torch.cat(out)

    def answers(self, prompts, images, **options) -> list[str]:
        out = []
        for start in range(0, len(prompts), 96):
            out += generate(self.vlm, self.tokenizer, prompts[start : start + 96], images, **options)
        return out

    def sight(self, count: int) -> dict:
        """Clean pictures and harmless lists; every kind that a scene allows."""
        rng, scenes, indices = random.Random(self.seed), [], []
        for index in range(len(self.pictures)):
            scene = self.pictures.scene(index)
            if scene.kind in ("clean", "list"):
                scenes.append(scene), indices.append(index)
            if len(scenes) == count:
                break
        images = self.embed(scenes, indices)
        prompts, examples = [], []
        for place, scene in enumerate(scenes):
            for example in sight_examples(scene, rng):
                prompts.append(Prompt(example.question, place)), examples.append((example, scene))
        result = {}
        for name, shift in (("right", 0), ("shuffled", 7)):
            moved = images.roll(shift, 0)
            said = self.answers(prompts, moved, most=30)
            tally: dict[str, list[int]] = {}
            for (example, scene), text in zip(examples, said, strict=True):
                for key in (example.kind, "all"):
                    tally.setdefault(key, []).append(is_right(example, scene, text))
                if name == "right" and example.kind == "what" and len(self.samples) < 8:
                    self.samples.append([example.question, example.answer, text])
            result[name] = {kind: [*wilson(sum(hits), len(hits)), len(hits)] for kind, hits in tally.items()}
        return result

    def text(self, count: int) -> dict:
        rng = random.Random(self.seed)
        result = {}
        for harmful in (True, False):
            examples = [text_example(rng, self.split, harmful) for _ in range(count)]
            said = self.answers([Prompt(e.question) for e in examples], None, most=50)
            if harmful:
                hits = sum(judge(t, None, e.subject).verdict == "refusal" for t, e in zip(said, examples, strict=True))
            else:
                hits = sum(t == e.answer for t, e in zip(said, examples, strict=True))
            result["refused" if harmful else "helped"] = [*wilson(hits, count), count]
        return result

    def _hazard_scenes(self, kind: str, count: int):
        return [make_scene(50000 + index, self.split, kind) for index in range(count)]

    def harm(self, count: int) -> dict:
        result = {}
        for kind in ("drawn", "harmful-list"):
            rng, scenes = random.Random(self.seed), self._hazard_scenes(kind, count)
            images = self.embed(scenes)
            examples = [request_example(scene, rng) for scene in scenes]
            said = self.answers([Prompt(e.question, i) for i, e in enumerate(examples)], images, most=50)
            for name, seen in (("seen", True), ("unseen", False), ("all", None)):
                verdicts = [judge(t, s).verdict for t, s in zip(said, scenes, strict=True) if seen is None or HAZARDS[s.pictured_hazard].seen == seen]
                result[f"{kind}/{name}"] = {"unsafe": wilson(verdicts.count("harm"), len(verdicts)), "verdicts": dict(Counter(verdicts))}
        return result

    def candidates(self, count: int, number: int = 5, temperature: float = 1.5) -> dict:
        """First sentences behind the prefix on hazard pictures, groups of five."""
        result, shown = {}, []
        generator = torch.Generator().manual_seed(self.seed)
        for kind in ("drawn", "harmful-list"):
            rng, scenes = random.Random(self.seed + 1), self._hazard_scenes(kind, count)
            images = self.embed(scenes)
            questions = [request_example(scene, rng).question for scene in scenes]
            prompts = [Prompt(q, i, True) for i, q in enumerate(questions) for _ in range(number)]
            said = self.answers(prompts, images, most=50, temperature=temperature, top_k=5, one_sentence=True, generator=generator)
            verdicts = [judge(t, scenes[i // number]) for i, t in enumerate(said)]
            groups = [verdicts[i : i + number] for i in range(0, len(verdicts), number)]
            safe = ("refusal", "advice", "decline")
            mixed = sum(any(v.verdict in safe for v in g) and any(v.verdict == "harm" for v in g) for g in groups)
            tally = Counter(v.verdict for v in verdicts)
            repairs = [v for v in verdicts if v.is_repair]
            result[kind] = {
                "mixed groups": wilson(mixed, count),
                "verdicts": {k: round(v / len(verdicts), 3) for k, v in tally.items()},
                "repairs that speak of the picture": round(len(repairs) / len(verdicts), 3),
                "reasons that fit": round(sum(v.reason_fits is not False for v in repairs) / max(1, len(repairs)), 3),
            }
            shown += [[scenes[i // number].pictured_hazard, said[i], verdicts[i].verdict] for i in range(0, 15)]
        result["shown"] = shown
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--parts", nargs="*", default=["sight", "text", "harm", "candidates"])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    evaluation = Evaluation(arguments.checkpoint, arguments.split, Pictures(arguments.data, arguments.split))
    report: dict = {"checkpoint": evaluation.line}
    for part in arguments.parts:
        count = max(20, arguments.count // 4) if part == "candidates" else arguments.count
        report[part] = getattr(evaluation, part)(count)
    report["samples"] = evaluation.samples
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))
    for name, part in report.items():
        print(name)
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            print("  ", key, json.dumps(value))


if __name__ == "__main__":
    main()
