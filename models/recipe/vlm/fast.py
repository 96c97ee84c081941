"""What makes training quick on a CPU: attention in the form that is faster, and Muon for the matrices.

Attention: in bfloat16 the backward pass of `scaled_dot_product_attention` takes about twice the written-out
form's time on the CPU, in f32 less. The functions here take the place of the blocks' `forward`; they compute the same.

Muon: K. Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024; the update scaled by
0.2 · sqrt(larger side) as in Liu et al., arXiv 2502.16982, so that AdamW's learning rates fit.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from precision import is_bfloat_faster

from .model import LanguageBlock, VisionBlock, rotate


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    if q.dtype == torch.float32 and k.dtype == v.dtype == torch.float32:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    scores = (q * (q.shape[-1] ** -0.5)) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    return scores.softmax(-1).to(v.dtype) @ v


def vision_forward(self: VisionBlock, x: Tensor) -> Tensor:
    b, n, d = x.shape
    q, k, v = self.qkv(self.ln1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
    x = x + self.out(_attend(q, k, v, None).transpose(1, 2).reshape(b, n, d))
    return x + self.down(self.activation(self.up(self.ln2(x))))


def language_forward(self: LanguageBlock, x: Tensor, cos, sin, mask, past):
    b, t, d = x.shape
    c = self.config
    q, k, v = self.qkv(self.attn_norm(x)).split([d, d, d], dim=-1)
    q = rotate(q.view(b, t, c.heads, c.head_width).transpose(1, 2), cos, sin)
    k = rotate(k.view(b, t, c.heads, c.head_width).transpose(1, 2), cos, sin)
    v = v.view(b, t, c.heads, c.head_width).transpose(1, 2)
    if past is not None:
        k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
    elif mask is None:
        mask = torch.full((t, t), -1e4).triu(1)
    if mask is not None:
        mask = mask.to(q.dtype)
    x = x + self.out(_attend(q, k, v, mask).transpose(1, 2).reshape(b, t, d))
    gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
    return x + self.down(F.silu(gate) * up), (k, v)


def make_fast(module: nn.Module) -> None:
    """Switches every block of the module (a Vlm or a VisionTower) to the forms above."""
    for child in module.modules():
        if isinstance(child, VisionBlock):
            child.forward = vision_forward.__get__(child)
        elif isinstance(child, LanguageBlock):
            child.forward = language_forward.__get__(child)


@torch.no_grad()
def _orthogonal(update: Tensor) -> Tensor:
    """Newton-Schulz on a stack of matrices [n, rows, columns], five steps, which bfloat16 is good enough for."""
    x = update.bfloat16() if is_bfloat_faster() else update
    flip = x.shape[1] > x.shape[2]
    if flip:
        x = x.transpose(1, 2)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.transpose(1, 2) if flip else x).float()


class Optimiser:
    """Muon on the blocks' matrices, AdamW on everything else."""

    def __init__(self, modules: dict[str, nn.Module], rates: dict[str, float], decay: float = 0.05, betas=(0.9, 0.97)):
        self.muon: dict[tuple, list[tuple[nn.Parameter, int, str]]] = {}
        self.decay = decay
        self.momentum: dict[nn.Parameter, Tensor] = {}
        groups = []
        for name, module in modules.items():
            rest = []
            for key, parameter in module.named_parameters():
                if parameter.dim() == 2 and ("blocks." in key or "layers." in key):
                    parts = 3 if "qkv" in key else 2 if "gate_up" in key else 1
                    shape = (parameter.shape[0] // parts, parameter.shape[1])
                    self.muon.setdefault(shape, []).append((parameter, parts, name))
                else:
                    rest.append(parameter)
            groups.append({"params": rest, "name": name, "lr": rates[name]})
        self.adam = torch.optim.AdamW(groups, betas=betas, weight_decay=0.0, eps=1e-8, foreach=True)
        self.rates = dict(rates)

    def zero_grad(self) -> None:
        self.adam.zero_grad(set_to_none=True)
        for items in self.muon.values():
            for parameter, _, _ in items:
                parameter.grad = None

    def _matrices(self) -> list[nn.Parameter]:
        return [parameter for items in self.muon.values() for parameter, _, _ in items]

    def state_dict(self) -> dict:
        """What a run that was stopped needs to go on; copies nothing."""
        return {"adam": self.adam.state_dict(), "momentum": [self.momentum.get(parameter) for parameter in self._matrices()]}

    def load_state_dict(self, state: dict) -> None:
        self.adam.load_state_dict(state["adam"])
        self.momentum = {parameter: value for parameter, value in zip(self._matrices(), state["momentum"], strict=True) if value is not None}

    @torch.no_grad()
    def step(self, scale: float) -> None:
        """One step at `scale` (0 to 1) times the peak rates."""
        for group in self.adam.param_groups:
            group["lr"] = self.rates[group["name"]] * scale
        self.adam.step()
        for shape, items in self.muon.items():
            active = [item for item in items if item[0].grad is not None]
            if not active:
                continue
            stack = []
            for parameter, parts, _ in active:
                buffer = self.momentum.setdefault(parameter, torch.zeros_like(parameter))
                buffer.mul_(0.95).add_(parameter.grad)
                stack.append((parameter.grad + 0.95 * buffer).view(parts, *shape))
            made = _orthogonal(torch.cat(stack)) * (0.2 * math.sqrt(max(shape)))
            start = 0
            for parameter, parts, name in active:
                rate = self.rates[name] * scale
                parameter.mul_(1 - rate * self.decay)
                parameter.add_(made[start : start + parts].reshape(parameter.shape), alpha=-rate)
                start += parts
