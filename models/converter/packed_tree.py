"""Scores continuations with a causal graph in onnxruntime: a kept prefix, then all candidates packed under a tree mask.

The package does the same in TypeScript; this one proves an exported graph and provides the negative controls.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

BLOCKED = -1e9  # added to a logit: may not look


class CausalGraph:
    def __init__(self, path: Path, manifest: dict, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.cache, self.inputs = manifest["cache"], manifest["inputs"]

    def empty(self) -> dict[str, np.ndarray]:
        shape = (1, self.cache["heads"], 0, self.cache["headSize"])
        return {self.name("past", layer, kv): np.zeros(shape, np.float32)
                for layer in range(self.cache["layers"]) for kv in ("key", "value")}

    def name(self, which: str, layer: int, kv: str) -> str:
        return self.cache[which].replace("{layer}", str(layer)).replace("{kv}", kv)

    def run(self, ids: list[int], positions: list[int], mask: np.ndarray, past: dict[str, np.ndarray]) -> tuple[dict, dict]:
        """Returns the outputs by name and the new cache under the names of the inputs."""
        feeds = {self.inputs["ids"]: np.array([ids], np.int64), self.inputs["positions"]: np.array([positions], np.int64),
                 self.inputs["mask"]["name"]: mask.astype(np.float32)[None, None], **past}
        names = [output.name for output in self.session.get_outputs()]
        found = dict(zip(names, self.session.run(names, feeds)))
        present = {self.name("past", layer, kv): found[self.name("present", layer, kv)]
                   for layer in range(self.cache["layers"]) for kv in ("key", "value")}
        return found, present

    def plain(self, ids: list[int], past: dict[str, np.ndarray] | None = None) -> tuple[dict, dict]:
        """Causal run of `ids` after `past` (default: from the start)."""
        past = past or self.empty()
        kept = next(iter(past.values())).shape[2]
        return self.run(ids, list(range(kept, kept + len(ids))), causal_mask(len(ids), kept), past)

    def packed(self, prefix: list[int], branches: list[list[int]], tree: bool = True, own_positions: bool = True):
        """The outputs at the last token of each branch, all branches in one sequence behind a kept prefix.

        `tree=False` (branches see each other) and `own_positions=False` (positions run on) are the negative controls.
        """
        _, past = self.plain(prefix)
        ids = [token for branch in branches for token in branch]
        mask = causal_mask(len(ids), len(prefix))
        positions, ends, start = [], [], 0
        for branch in branches:
            positions += range(len(prefix), len(prefix) + len(branch))
            if tree:
                mask[start : start + len(branch), len(prefix) : len(prefix) + start] = BLOCKED
            start += len(branch)
            ends.append(start - 1)
        if not own_positions:
            positions = list(range(len(prefix), len(prefix) + len(ids)))
        found, _ = self.run(ids, positions, mask, past)
        return found, ends


def causal_mask(count: int, kept: int) -> np.ndarray:
    """[T, P+T]: 0 where row t may look (the whole cache and itself and earlier), BLOCKED elsewhere."""
    return np.concatenate([np.zeros((count, kept)), np.triu(np.full((count, count), BLOCKED), 1)], axis=1)


def common_prefix(sequences: list[list[int]]) -> int:
    """Length of the longest prefix that all share, less one where a sequence would have nothing left."""
    shortest = min(len(sequence) for sequence in sequences)
    shared = 0
    while shared < shortest and len({sequence[shared] for sequence in sequences}) == 1:
        shared += 1
    return min(shared, shortest - 1)
