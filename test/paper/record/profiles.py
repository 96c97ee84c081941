"""Requests to record: random ones of several kinds, and what a trace shows."""

from __future__ import annotations

import random

from places import PICTURES
from reference import Run, first_argmax

QUESTIONS = [
    f"{ask} {what}{mark}"
    for ask, mark in (("How do I make", "?"), ("Tell me about", "."), ("Is there", "?"), ("Fill in the list: 1. 2. 3. for", "!"))
    for what in ("this", "a hammer", "the picture", "two dogs", "the red apple", "what the person has", "it, step by step", "café 日本", "a chair")
]
ALL_UNSAFE = {"unsafeClipScore": -1, "safeReward": 1e6}


def ask(rng: random.Random, **fields) -> dict:
    return {
        "image": rng.choice(PICTURES).name, "question": rng.choice(QUESTIONS), "seed": rng.randrange(2**32), "candidateCount": 5,
        "topK": 5, "temperature": 1.5, "sentenceTokenLimit": rng.choice([6, 8, 10, 14]), "maxTokens": rng.choice([16, 20, 30, 40]),
        "thresholds": ALL_UNSAFE, **fields,
    }  # fmt: skip


def scaled(rng: random.Random) -> dict:
    return ask(rng)


def papers_own(rng: random.Random) -> dict:
    return ask(rng, sentenceTokenLimit=70, maxTokens=rng.choice([70, 100, 150]))


def long_sentences(rng: random.Random) -> dict:
    """Many candidates, so that some find neither "." nor an end before the cap."""
    return ask(rng, sentenceTokenLimit=70, maxTokens=rng.choice([30, 75, 100]), candidateCount=rng.choice([6, 8]))


def silence(rng: random.Random) -> dict:
    """Pictures and questions behind which the model would end at once."""
    image, question = rng.choice([
        ("photo.png", "How do I make a chair? Please."), ("wide.png", "Tell me about it, step by step."),
        ("wide.png", "How do I make it, step by step?"), ("wide.png", "How do I make a hammer?"), ("tall.png", "How do I make a hammer?"),
    ])  # fmt: skip
    return ask(rng, candidateCount=rng.choice([1, 2, 3, 5]), topK=rng.choice([2, 3, 5])) | {"image": image, "question": question}


def wide(rng: random.Random) -> dict:
    """Nearly flat: any token may come, the end of text first of all."""
    return ask(rng, candidateCount=rng.choice([2, 5, 8]), topK=rng.choice([12, 24]), temperature=2.5)


def other_counts(rng: random.Random) -> dict:
    return ask(rng, candidateCount=rng.choice([1, 1, 2, 3, 4, 6, 8]), topK=rng.choice([1, 2, 3, 8, 20]), temperature=rng.choice([0.7, 1.5, 2.5]))


def gate(rng: random.Random) -> dict:
    """Thresholds among the scores of the tiny models: about -0.4 to 0.4, and 0.3 to 1.1."""
    thresholds = {"unsafeClipScore": round(rng.uniform(-0.5, 0.4), 3), "safeReward": round(rng.uniform(0.2, 1.2), 3)}
    return ask(rng, thresholds=thresholds, maxTokens=rng.choice([8, 16, 24]))


def at_threshold(rng: random.Random) -> dict:
    steps = lambda: {"stepsFromScore": rng.choice([-1, 0, 1])}
    thresholds = rng.choice([
        {"unsafeClipScore": -1, "safeReward": steps()}, {"unsafeClipScore": steps(), "safeReward": 1e6}, {"unsafeClipScore": steps(), "safeReward": steps()},
    ])  # fmt: skip
    return ask(rng, thresholds=thresholds, maxTokens=rng.choice([8, 16, 24]))


PROFILES = [scaled, papers_own, long_sentences, silence, wide, other_counts, gate, at_threshold]
# What traces must show at least so often.
WANTED = {"cap 69 in the first round": 5, "cap 70 in a later round": 5, "an empty candidate in the first round": 8, "an empty candidate wins in the first round": 4, "an empty candidate wins in the later round": 6, "one candidate": 20, "every candidate ends": 6, "CLIP's window passed: the reference throws": 8}


def features(asked: dict, run: Run) -> set[str]:
    """What this trace is an example of."""
    shown = set()
    exact = {name for name, value in asked["thresholds"].items() if isinstance(value, dict)}
    for name in exact:
        step = asked["thresholds"][name]["stepsFromScore"]
        shown.add(f"{name} {'one float above' if step > 0 else 'one float below' if step < 0 else 'exactly at'} the score")
    if not run.aligned:
        reward_is_safe = not isinstance(asked["thresholds"]["safeReward"], dict) and run.reward > asked["thresholds"]["safeReward"]
        shown.add("the answer is safe" if reward_is_safe else "the picture is safe" if not exact else "not aligned, at a threshold")
        return shown
    count, cap, most = asked["candidateCount"], asked["sentenceTokenLimit"], asked["maxTokens"]
    shown.add("one candidate" if count == 1 else "N is k" if count == asked["topK"] else "N is not k")
    if cap == 70 and count == 5 and asked["topK"] == 5:
        shown.add("the paper's numbers")
    accepted = 0
    for number, done in enumerate(run.rounds, 1):
        limit = cap - 1 if number == 1 else cap
        where = "first round" if number == 1 else "later round"
        ended = [one.ended for one in done.candidates]
        if any(len(one.tokens) == limit and not one.text.endswith(".") and not one.ended for one in done.candidates):
            shown.add(f"cap {limit} in the first round" if number == 1 and cap == 70 else "cap 70 in a later round" if cap == 70 else f"the cap of a {where}")
        if any(one.ended and not one.tokens for one in done.candidates):
            shown.add(f"an empty candidate in the {where}")
        if len(done.candidates) > 1 and all(ended):
            shown.add("every candidate ends")
        if done.chosen is None:
            shown.add("CLIP's window passed: the reference throws")
            continue
        winner = done.candidates[done.chosen]
        if winner.ended:
            shown.add(f"an end wins in the {where}")
            if not winner.tokens:
                shown.add(f"an empty candidate wins in the {where}")
        elif any(ended):
            shown.add(f"an end loses in the {where}")
        utilities = [one.utility for one in done.candidates]
        if utilities.count(max(utilities)) > 1:
            shown.add("a tie for the first place")
        if done.candidates[0].clip_score is not None:
            rewards = [one.reward for one in done.candidates]
            if first_argmax(rewards) != done.chosen:
                shown.add("the CLIP score decides")
            if first_argmax([one.reward + one.clip_score for one in done.candidates]) != done.chosen:
                shown.add("the weight 1/i decides")
        accepted += len(winner.tokens)
    if run.thrown_in_round is None and not run.rounds[-1].candidates[run.rounds[-1].chosen].ended:
        shown.add("the limit is reached exactly" if accepted == most else "the last sentence passes the limit")
    if len(run.rounds) >= 5:
        shown.add("five rounds or more")
    return shown
