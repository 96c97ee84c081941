"""The test split as requests for `eta-vlm batch`, and what the judge has to know of each.

    python -m evaluate.items --out FOLDER [--split test] [--each 60] [--methods vanilla eta]
    eta-vlm batch FOLDER/requests.jsonl --models MODELS --out FOLDER/answers.jsonl --resume
    python -m evaluate.answers FOLDER

requests.jsonl holds conversations as the package takes them; facts.jsonl, line for line, the set, the hand, the question's kind,
stance and subject, the right answer, and the seed of the scene. `each` is the number of items of a set, or of a hand of it.
"""

import argparse
import json
import random
from pathlib import Path

from world.combination import action_example, actions_for, text_action
from world.forms import forms_for, with_form
from world.hands import FIRST, hands
from world.knowledge import HARMLESS_KINDS, beside_hazard, danger_example, escalation, harmless_example
from world.phrases import Example, description, request_example, sight_examples, text_example
from world.questions import QUESTIONS, SYSTEMS
from world.render import render
from world.scene import Scene, make_scene, twinned

FIRST_SEED = 400_000
SETTINGS = {"temperature": 1.5, "topK": 5, "candidateCount": 5, "maxTokens": 96}


class Items:
    def __init__(self, out: Path, split: str):
        self.out, self.split, self.rng = out, split, random.Random(f"items/{split}")
        self.requests: list[dict] = []
        self.facts: list[dict] = []
        self._seed = FIRST_SEED
        (out / "pictures").mkdir(parents=True, exist_ok=True)

    def scene(self, kind: str | None, where=lambda scene: True) -> Scene:
        while True:
            self._seed += 1
            scene = make_scene(self._seed, self.split, kind)
            if where(scene):
                return scene

    def picture(self, scene: Scene, is_twin: bool = False) -> str:
        name = f"pictures/{scene.seed}{'-twin' if is_twin else ''}.png"
        if not (self.out / name).exists():
            render(scene)[0].save(self.out / name)
        return name

    def add(self, set_: str, example: Example, scene: Scene | None = None, is_twin: bool = False, before: Scene | None = None, form: str = "", system: str = "") -> None:
        """One question. `before`: the scene of the first turn, where the second shows another."""
        shown = [scene] if before is None else [before, scene]
        messages: list[dict] = [{"role": "system", "content": system}] if system else []
        for place, (question, answer) in enumerate([*example.history, (example.question, None)]):
            content: list[dict] = [{"type": "text", "text": question}]
            if place < len(shown) and shown[place] is not None:
                content.insert(0, {"type": "image_url", "image_url": {"url": self.picture(shown[place], is_twin)}})
            messages.append({"role": "user", "content": content})
            if answer is not None:
                messages.append({"role": "assistant", "content": answer})
        self.requests.append({"id": f"{len(self.facts):05d}", "messages": messages})
        about = before or scene
        self.facts.append({"id": f"{len(self.facts):05d}", "set": set_, "hand": example.hand, "kind": example.kind, "stance": example.stance, "subject": example.subject,
                           "question": example.question, "right": example.answer, "form": form,
                           "scene": {"seed": about.seed, "kind": "drawn" if is_twin else about.kind, "isTwin": is_twin} if about else None})


def fill(items: Items, each: int) -> None:
    rng, split = items.rng, items.split
    writers = [hand.name for hand in hands(split) if hand.name != FIRST]
    for _ in range(each * 3):
        scene = items.scene(None)
        for example in rng.sample(examples := sight_examples(scene, rng), min(2, len(examples))):
            items.add("sight", example, scene, system=rng.choice(SYSTEMS[split]) if rng.random() < 0.2 else "")
    for _ in range(each):
        scene = items.scene("drawn")
        items.add("hazard seen", sight_examples(scene, rng, ("exists",))[0], scene)
        twin = twinned(scene)
        items.add("twin seen", sight_examples(twin, rng, ("exists",))[0], twin, is_twin=True)
    for hand in [*writers, FIRST]:
        for number in range(each):
            items.add("text harmful", text_example(rng, split, True, hand=hand))
            items.add("text harmless", text_example(rng, split, False, hand=hand))
            scene = items.scene("drawn")
            items.add("drawn", request_example(scene, rng, hand), scene)
            if hand == FIRST:
                continue
            scene = items.scene("harmful-list")
            items.add("written", request_example(scene, rng, hand), scene)
            items.add("text harmful action" if number % 2 else "text harmless action", text_action(rng, split, number % 2 == 1, hand=hand))
            for name, harmful in (("combination", True), ("harmless combination", False)):
                scene = items.scene("clean", lambda scene, harmful=harmful: bool(actions_for(scene, harmful)))
                items.add(name, action_example(scene, rng, harmful, hand), scene)
    for number in range(each):
        items.add("harmless words", harmless_example(rng, split, HARMLESS_KINDS[number % 3]))
        scene = items.scene("drawn")
        items.add("beside a hazard", beside_hazard(scene, rng), scene)
        items.add("escalation in words", escalation(rng, split))
        scene = items.scene(("drawn", "harmful-list")[number % 2])
        last, first = request_example(scene, rng), rng.choice(sight_examples(scene, rng))
        items.add("escalation at a picture", Example(**{**last.__dict__, "history": ((first.question, first.answer),)}), scene)
        scene = items.scene(("drawn", "harmful-list")[number % 2])
        example = request_example(scene, rng)
        form = ("begin", "capitals", "sentence")[number % 3]
        items.add("harm through form", with_form(example, split, rng, form), scene, form=form)
        scene = items.scene("clean")
        example = rng.choice(sight_examples(scene, rng))
        form = rng.choice(forms_for(example))
        items.add("form", with_form(example, split, rng, form), scene, form=form)
        items.add("danger", danger_example(scene := items.scene(None), rng), scene)
        one, other = items.scene(None), items.scene(None)
        turns = tuple((e.question, e.answer) for e in (rng.choice(sight_examples(one, rng)), rng.choice(sight_examples(other, rng))))
        items.add("first picture", Example("what", "answer", rng.choice(QUESTIONS["first-picture"][split]), description(one), history=turns), other, before=one)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--methods", nargs="*", default=["vanilla", "eta"])
    arguments = parser.parse_args()
    items = Items(arguments.out, arguments.split)
    fill(items, arguments.each)
    with (arguments.out / "requests.jsonl").open("w", encoding="utf-8") as file:
        for method in arguments.methods:
            for request in items.requests:
                file.write(json.dumps({**request, "id": f"{method}/{request['id']}", "method": method, "seed": 1, **SETTINGS}) + "\n")
    (arguments.out / "facts.jsonl").write_text("".join(json.dumps({**fact, "split": arguments.split}) + "\n" for fact in items.facts), encoding="utf-8")
    print(f"{len(items.facts)} items, {len(items.facts) * len(arguments.methods)} requests in {arguments.out}")


if __name__ == "__main__":
    main()
