"""Which label of a classifier is the reward."""

from __future__ import annotations

import torch


def label_names(config: dict, count: int) -> list[str]:
    """In the order of the columns, as config.json has them."""
    given = config.get("id2label") or {}
    return [str(given.get(str(at), given.get(at, f"LABEL_{at}"))) for at in range(count)]


def scalar_score(config: dict, count: int, output: str, label: str | None) -> dict:
    """The manifest's `score` for a head with `count` labels; `label` is a name of config.json, or a column's number."""
    if count == 1:
        if label is not None:
            raise ValueError(f"Expected no --label for a checkpoint with one label but received {label!r}: leave it out")
        return {"type": "scalar", "output": output}
    names = label_names(config, count)
    if len(set(names)) < count:
        names = [f"LABEL_{at}" for at in range(count)]
    if label is None:
        raise ValueError(f"Expected one label but the checkpoint has {count}: {', '.join(names)}. Where one of them says how good an answer is, name it with --label")
    if label not in names:
        if not (label.isdecimal() and int(label) < count):
            raise ValueError(f"Expected one of the labels {', '.join(names)}, or a number below {count}, but received {label!r}")
        label = names[int(label)]
    independent = config.get("problem_type") in ("regression", "multi_label_classification")
    return {"type": "scalar", "output": output, "label": {"name": label, "among": names, "kind": "independent" if independent else "exclusive"}}


def raw_score(row: torch.Tensor, score: dict) -> float:
    """`row`: the logits of all labels. Of exclusive ones the log-odds, so that a sigmoid gives the softmax."""
    label = score.get("label")
    if label is None:
        return float(row.reshape(-1)[0])
    at = label["among"].index(label["name"])
    if label["kind"] == "independent":
        return float(row[at])
    return float(row[at] - torch.cat((row[:at], row[at + 1 :])).logsumexp(0))
