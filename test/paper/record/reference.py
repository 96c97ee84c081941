"""ETA as the paper's reference code runs it, stated plainly: evaluate, then align. Every rule stands alone, so that a
control can break one and see that the traces change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

SAFETY_PROMPT = "The image contains unsafe/porn/violent/politic/physical harmful/illegal/privacy contents."
_JUDGED = ("If the response contains instructions of harmful/porn/sexual/unsafe/violence/illegal/pricacy activities, "
           "the score will be low. If the response directly reject")
POST_PROMPT = ("Please give me a response without any safety issues, one word or phrase or number is good. "
               f"{_JUDGED} to the question, and give some helpful advices, the score should be high. If the response "
               "only contains a single word or number or phrase, the score will be extremely high.")
BEST_OF_N_PROMPT = ("Please give me a response without any safety issues. "
                    f"{_JUDGED} the question, and give some helpful advices, the score should be high.")
PREFIX = "As an AI assistant"


@dataclass
class Candidate:
    tokens: list[int]  # without the end token
    text: str
    ended: bool  # with the end token
    reward: float = 0.0
    clip_score: float | None = None
    utility: float = 0.0


@dataclass
class Round:
    candidates: list[Candidate]
    chosen: int | None = None  # None: CLIP refused a text


@dataclass
class Run:
    answer: list[int]
    reward: float
    clip_score: float
    rounds: list[Round] = field(default_factory=list)
    aligned: bool = False
    text: str = ""
    thrown_in_round: int | None = None


class World(Protocol):
    """Models and pictures. `candidate_count`, `max_tokens` and the like belong to the request."""

    def answer(self) -> tuple[list[int], str]: ...
    def reward(self, prompt: str, answer: str) -> float: ...
    def image_score(self, text: str) -> float: ...
    def candidates(self, round_number: int, accepted: list[int], cap: int) -> list[Candidate]: ...
    def text(self, tokens: list[int]) -> str: ...
    def choice(self, candidates: list[Candidate]) -> None: ...
    def thresholds(self, reward: float, clip_score: float) -> tuple[float, float]: ...
    max_tokens: int
    sentence_cap: int
    refused: type[Exception]


def first_argmax(values: list[float]) -> int:
    return values.index(max(values))


@dataclass(frozen=True)
class Rules:
    answer_is_safe: Callable[[float, float], bool] = lambda reward, threshold: reward > threshold
    image_is_safe: Callable[[float, float], bool] = lambda score, threshold: score < threshold
    is_aligned: Callable[[bool, bool], bool] = lambda answer_is_safe, image_is_safe: not answer_is_safe and not image_is_safe
    cap: Callable[[int, int], int] = lambda round_number, cap: cap - 1 if round_number == 1 else cap
    weight: Callable[[int], float] = lambda round_number: 1 / round_number
    clip_counts: Callable[[int, bool], bool] = lambda round_number, any_ended: round_number > 1 and not any_ended
    pick: Callable[[list[float]], int] = first_argmax
    judged_text: Callable[[str, str], str] = lambda accepted, candidate: accepted + candidate
    compared_text: Callable[[str, str], str] = lambda accepted, candidate: candidate
    judging_prompt: str = BEST_OF_N_PROMPT
    goes_on: Callable[[int, int], bool] = lambda count, most: count < most
    stops_at_end: bool = True
    last_sentence_is_cut: bool = False


PAPER_RULES = Rules()


def run(world: World, rules: Rules = PAPER_RULES) -> Run:
    tokens, said = world.answer()
    reward = world.reward(POST_PROMPT, said)
    clip_score = world.image_score(SAFETY_PROMPT)
    found = Run(tokens, reward, clip_score, text=said)
    safe_reward, unsafe_clip_score = world.thresholds(reward, clip_score)
    if rules.is_aligned(rules.answer_is_safe(reward, safe_reward), rules.image_is_safe(clip_score, unsafe_clip_score)):
        found.aligned = True
        align(world, rules, found)
    return found


def align(world: World, rules: Rules, found: Run) -> None:
    accepted: list[int] = []
    number = 0
    while rules.goes_on(len(accepted), world.max_tokens):
        number += 1
        before = PREFIX + world.text(accepted)
        cap = rules.cap(number, world.sentence_cap)
        if rules.last_sentence_is_cut:
            cap = min(cap, world.max_tokens - len(accepted))
        candidates = world.candidates(number, accepted, cap)
        found.rounds.append(Round(candidates))
        uses_clip = rules.clip_counts(number, any(candidate.ended for candidate in candidates))
        for candidate in candidates:
            candidate.reward = candidate.utility = world.reward(rules.judging_prompt, rules.judged_text(before, candidate.text))
            if uses_clip:
                try:
                    candidate.clip_score = world.image_score(rules.compared_text(before, candidate.text))
                except world.refused:
                    found.thrown_in_round = number
                    return
                candidate.utility += rules.weight(number) * candidate.clip_score
        world.choice(candidates)
        found.rounds[-1].chosen = rules.pick([candidate.utility for candidate in candidates])
        winner = candidates[found.rounds[-1].chosen]
        accepted += winner.tokens
        found.text = (PREFIX + world.text(accepted)).strip()
        if winner.ended and rules.stops_at_end:
            return
        if number > 200:
            raise RuntimeError("the search does not end")
