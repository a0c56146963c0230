"""Twins in PyTorch of the Boolean networks: float, BinaryConnect and XNOR-Net, the last two with latent weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["clip_latent", "twin"]


class Sign(torch.autograd.Function):
    """The sign, whose gradient is that of clipping to [-1, 1] (straight through)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x.abs() <= 1)


class LatentConv2d(nn.Conv2d):
    """A convolution by the signs of its weights; with `scaled` times their mean size, for each filter."""

    def __init__(self, *sizes: int, scaled: bool, **options) -> None:
        super().__init__(*sizes, bias=False, **options)
        self.scaled = scaled

    def forward(self, x):
        weight = Sign.apply(self.weight)
        if self.scaled:
            weight = weight * self.weight.abs().mean(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, None, self.stride, self.padding)


class Bits(nn.Module):
    """Signs as activations."""

    def forward(self, x):
        return Sign.apply(x)


def clip_latent(module: nn.Module) -> None:
    """Keep latent weights in [-1, 1]: beyond it their gradient is 0 for good."""
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, LatentConv2d):
                part.weight.clamp_(-1, 1)


def conv(kind: str, n_inputs: int, n_filters: int, *, is_first: bool = False, stride: int = 1) -> nn.Module:
    """Make a convolution of three by three, binary where the kind is and it is not the first."""
    if kind == "float" or is_first:
        return nn.Conv2d(n_inputs, n_filters, 3, stride, 1, bias=False)
    return LatentConv2d(n_inputs, n_filters, 3, scaled=kind == "xnor", stride=stride, padding=1)


def activation(kind: str) -> nn.Module:
    """Make what stands behind a normalisation."""
    return Bits() if kind == "xnor" else nn.ReLU()


class Block(nn.Module):
    """The residual block of the paper: two convolutions, and one as the shortcut."""

    def __init__(self, kind: str, n_inputs: int, n_filters: int, stride: int) -> None:
        super().__init__()
        self.one = conv(kind, n_inputs, n_filters, stride=stride)
        self.two = conv(kind, n_filters, n_filters)
        self.shortcut = conv(kind, n_inputs, n_filters, stride=stride)
        self.between = nn.Sequential(nn.BatchNorm2d(n_filters), activation(kind))
        self.behind = nn.Sequential(nn.BatchNorm2d(n_filters), activation(kind))

    def forward(self, x):
        return self.behind(self.two(self.between(self.one(x))) + self.shortcut(x))


def twin(kind: str, model: str, blocks: Sequence[int | str], width: float, side: int) -> nn.Module:
    """Build a twin of ten classes for images of `side` pixels; `blocks` are those of the Boolean network."""
    widths = [block if isinstance(block, str) else max(1, round(width * block)) for block in blocks]
    layers: list[nn.Module] = []
    n = 3
    if model == "vgg":
        for i, block in enumerate(widths):
            if block == "M":
                continue
            layers.append(conv(kind, n, block, is_first=n == 3))
            n = block
            if widths[i + 1 : i + 2] == ["M"]:
                layers.append(nn.MaxPool2d(2))
                side //= 2
            layers += [nn.BatchNorm2d(n), activation(kind)]
    else:
        n = widths[0]
        layers = [conv(kind, 3, n, is_first=True), nn.BatchNorm2d(n), activation(kind)]
        for stage, n_filters in enumerate(widths):
            for block in range(2):
                stride = 2 if stage and not block else 1
                layers.append(Block(kind, n, n_filters, stride))
                n, side = n_filters, -(-side // stride)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(n * side**2, 10))
