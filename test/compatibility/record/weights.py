"""Random weights for a model of the original class: varied text, clear choices, and numbers that F16 holds exactly."""

from __future__ import annotations

import torch


@torch.no_grad()
def randomize(
    model: torch.nn.Module,
    seed: int,
    quiet_tokens: list[int],
    gains: dict[str, float] | None = None,
    norm: torch.nn.Parameter | None = None,
) -> None:
    """
    Matrices get a normal distribution whose gain keeps activations near 1; `gains` multiplies those whose name holds a
    key. Rows of quiet tokens (special ones, bytes) in the output matrix are small, so that greedy text goes on. `norm`
    is the last norm's weight, of models whose output matrix is their input's. Everything is rounded to F16: converters
    that write F16 lose nothing then.
    """
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        is_norm = "norm" in name or "ln_" in name or ".ln" in name
        if is_norm and name.endswith("weight"):
            parameter.normal_(1.0, 0.1) if parameter.abs().max() > 0 else parameter.normal_(0.0, 0.1)
        elif name.endswith("bias") or is_norm:
            parameter.normal_(0.0, 0.1)
        elif "embed" in name and "patch" not in name or parameter.dim() == 1:
            parameter.normal_(0.0, 1.0)
        else:
            inputs = parameter[0].numel() if parameter.dim() > 1 else 1
            parameter.normal_(0.0, 1.4 * inputs**-0.5)
        for part, gain in (gains or {}).items():
            if part in name:
                parameter.mul_(gain)
    head = model.get_output_embeddings()
    if head.weight is model.get_input_embeddings().weight:
        # A token would call itself: short rows on the way in, a large last norm on the way out.
        head.weight.mul_(0.3)
        norm.normal_(4.0, 1.5) if norm is not None else None
    else:
        head.weight.mul_(1.6)
    head.weight[quiet_tokens] *= 0.3
    for parameter in model.parameters():
        parameter.copy_(parameter.half().float())
