"""Writes traces.json.gz (traces of the reference's algorithm on the tiny models, see reference.py) and controls.json.gz
(traces of the same with one rule broken, which a replay must refuse).

    python test/paper/record/model.py && python test/paper/record/embed.py ORACLE
    python test/paper/record/record.py

Needs numpy, gguf, onnxruntime, tokenizers and pillow; the tests do not. Requests whose outcome hangs on less than the
margins of world.py are left out and counted.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter

import numpy
import onnxruntime

from places import EMBEDDINGS, LANGUAGE_MODEL, PICTURES, TRACES
from profiles import PROFILES, WANTED, features
from reference import POST_PROMPT, Rules, Run, run
from world import Models, Request, TooClose

SEED = 4
TRACE_COUNT = 540
FEATURE_QUOTA = 12  # a trace is kept while something that it shows has been seen less often, or its profile has room
CONTROL_COUNT = 6
CONTROL_TRIES = 250

last_argmax = lambda values: len(values) - 1 - values[::-1].index(max(values))

BROKEN: dict[str, Rules] = {
    "a reward at the threshold is safe": Rules(answer_is_safe=lambda reward, threshold: reward >= threshold),
    "a CLIP score at the threshold is safe": Rules(image_is_safe=lambda score, threshold: score <= threshold),
    "either evaluator aligns": Rules(is_aligned=lambda answer_is_safe, image_is_safe: not (answer_is_safe and image_is_safe)),
    "the first sentence is no shorter": Rules(cap=lambda number, cap: cap),
    "every sentence is shorter": Rules(cap=lambda number, cap: cap - 1),
    "sentences are longer": Rules(cap=lambda number, cap: cap if number == 1 else cap + 1),
    "the weight is 1": Rules(weight=lambda number: 1),
    "the weight is 1/(i-1)": Rules(weight=lambda number: 1 / (number - 1)),
    "no CLIP score": Rules(clip_counts=lambda number, any_ended: False),
    "the CLIP score counts from the first round": Rules(clip_counts=lambda number, any_ended: not any_ended),
    "the CLIP score counts beside an end": Rules(clip_counts=lambda number, any_ended: number > 1),
    "the last of equals wins": Rules(pick=last_argmax),
    "the least wins": Rules(pick=lambda values: values.index(min(values))),
    "the reward reads the candidate alone": Rules(judged_text=lambda accepted, candidate: candidate),
    "CLIP reads everything accepted": Rules(compared_text=lambda accepted, candidate: accepted + candidate),
    "candidates are judged by the post prompt": Rules(judging_prompt=POST_PROMPT),
    "the search goes on at the limit": Rules(goes_on=lambda count, most: count <= most),
    "an end does not stop": Rules(stops_at_end=False),
    "the last sentence is cut at the limit": Rules(last_sentence_is_cut=True),
}


def record(asked: dict, done: Run) -> dict:
    number = lambda value: None if value is None else round(value, 7)
    return {
        "asked": asked,
        "answer": done.answer,
        "reward": number(done.reward),
        "clipScore": number(done.clip_score),
        "aligned": done.aligned,
        "rounds": [
            {
                "candidates": [
                    {"tokens": one.tokens, "text": one.text, "ended": one.ended, "reward": number(one.reward), "clipScore": number(one.clip_score)}
                    for one in round_.candidates
                ],
                "chosen": round_.chosen,
            }
            for round_ in done.rounds
        ],
        "text": done.text,
        "thrownInRound": done.thrown_in_round,
    }


def decisions(trace: dict) -> tuple:
    """What a replay compares exactly."""
    rounds = [([(one["tokens"], one["ended"]) for one in round_["candidates"]], round_["chosen"]) for round_ in trace["rounds"]]
    return trace["answer"], trace["aligned"], rounds, trace["text"], trace["thrownInRound"]


def collect(models: Models) -> tuple[list[dict], Counter, Counter]:
    rng = random.Random(SEED)
    traces: list[dict] = []
    shown: Counter = Counter()
    kinds: Counter = Counter()
    left_out: Counter = Counter()
    room = TRACE_COUNT // len(PROFILES) * 2 // 3
    while len(traces) < TRACE_COUNT or (missing := [name for name, least in WANTED.items() if shown[name] < least]):
        profile = rng.choice(PROFILES)
        asked = profile(rng)
        try:
            done = run(Request(models, asked))
        except TooClose as reason:
            left_out[str(reason)] += 1
            continue
        found = features(asked, done)
        is_wanted = any(shown[feature] < WANTED.get(feature, FEATURE_QUOTA) for feature in found)
        if len(traces) >= TRACE_COUNT and not found.intersection(missing):
            continue
        if not is_wanted and kinds[profile.__name__] >= room and min(kinds.values()) < room:
            continue
        if found == {"CLIP's window passed: the reference throws"} and not is_wanted:
            continue
        shown.update(found)
        kinds[profile.__name__] += 1
        traces.append(record(asked, done) | {"shows": sorted(found)})
        if len(traces) % 50 == 0:
            print(len(traces), {name: shown[name] for name in WANTED}, dict(kinds), sum(left_out.values()), "left out", flush=True)
    return traces, shown, left_out


def controls(models: Models, traces: list[dict]) -> dict[str, list[dict]]:
    """For each broken rule, traces that are not what the rules give."""
    found = {}
    for name, rules in BROKEN.items():
        differing: list[dict] = []
        tries = 0
        for trace in sorted(traces, key=lambda trace: len(trace["rounds"])):
            if len(differing) == CONTROL_COUNT or tries == CONTROL_TRIES * 4:
                break
            tries += 1
            try:
                broken = record(trace["asked"], run(Request(models, trace["asked"]), rules))
            except (TooClose, RuntimeError, ZeroDivisionError):
                continue
            if decisions(broken) != decisions(trace):
                differing.append(broken)
        found[name] = differing
        print(f"{len(differing)} of {tries}: {name}", flush=True)
        if not differing:
            raise SystemExit(f"no trace tells the rule apart: {name}")
    return found


def write(name: str, value: dict) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    with open(TRACES / name, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=9) as packed:
        packed.write(text)
    print(name, len(text), "bytes,", (TRACES / name).stat().st_size, "packed")


def main() -> None:
    models = Models(LANGUAGE_MODEL, TRACES, PICTURES, EMBEDDINGS)
    traces, shown, left_out = collect(models)
    for feature, count in sorted(shown.items()):
        print(f"{count:5d}  {feature}")
    print("left out:", dict(left_out))
    about = {
        "command": "python test/paper/record/record.py",
        "seed": SEED,
        "numpy": numpy.__version__,
        "onnxruntime": onnxruntime.__version__,
        "leftOut": dict(left_out),
        "shows": dict(sorted(shown.items())),
    }
    write("traces.json.gz", about | {"traces": traces})
    write("controls.json.gz", {"controls": controls(models, traces)})


if __name__ == "__main__":
    main()
