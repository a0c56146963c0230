"""Float twins in PyTorch of the networks from images to images: ReLU where those have bits."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["Edsr", "Segmenter"]


class Block(nn.Module):
    """The residual block of EDSR: no normalisation, and the input itself as the shortcut."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(n, n, 3, padding=1), nn.ReLU(), nn.Conv2d(n, n, 3, padding=1))

    def forward(self, x):
        return x + self.inner(x)


class Edsr(nn.Module):
    """EDSR without its upscaling stages: a pixel shuffle is behind the last convolution."""

    def __init__(self, n_filters: int, n_blocks: int, factor: int = 2) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, n_filters, 3, padding=1)
        self.blocks = nn.Sequential(*[Block(n_filters) for _ in range(n_blocks)])
        self.last = nn.Conv2d(n_filters, 3 * factor**2, 3, padding=1)
        self.factor = factor

    def forward(self, x):
        first = self.first(x)
        return F.pixel_shuffle(self.last(first + self.blocks(first)), self.factor)


def conv(n: int, m: int, size: int = 3, dilation: int = 1) -> nn.Module:
    """Make a convolution that keeps the size of images, normalised, with ReLU."""
    layer = nn.Conv2d(n, m, size, padding=size // 2 * dilation, dilation=dilation, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(m), nn.ReLU())


class NormedBlock(nn.Module):
    """A residual block with a convolution in its shortcut, as the Boolean one has."""

    def __init__(self, n: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(n, n, 3, stride, dilation, dilation, bias=False),
            nn.BatchNorm2d(n),
            nn.ReLU(),
            nn.Conv2d(n, n, 3, 1, dilation, dilation, bias=False),
            nn.BatchNorm2d(n),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(n, n, 3, stride, 1, bias=False), nn.BatchNorm2d(n))

    def forward(self, x):
        return F.relu(self.inner(x) + self.shortcut(x))


class Segmenter(nn.Module):
    """The layers of `bvar.real.segmenter`, with batch normalisation behind each convolution but the last."""

    def __init__(self, n_classes: int, n_filters: int, dilations: tuple[int, ...], global_branch: bool) -> None:
        super().__init__()
        n, fine = n_filters, n_filters // 2
        self.stem, self.fine = conv(3, n), conv(n, fine)
        self.encoder = nn.Sequential(NormedBlock(n, stride=2), NormedBlock(n, dilation=2))
        self.pyramid = nn.ModuleList([conv(n, n, 1), *(conv(n, n, 3, d) for d in dilations)])
        self.overall = conv(n, n, 1) if global_branch else None
        self.merge = conv(n * (1 + len(dilations) + global_branch), n, 1)
        self.grow = nn.Sequential(nn.Conv2d(n, 4 * fine, 3, padding=1, bias=False), nn.PixelShuffle(2))
        self.grown = nn.Sequential(nn.BatchNorm2d(fine), nn.ReLU())
        self.last = nn.Conv2d(2 * fine, n_classes, 1)

    def forward(self, x):
        x = self.stem(x)
        coarse = self.encoder(x)
        seen = [branch(coarse) for branch in self.pyramid]
        if self.overall is not None:
            seen.append(self.overall(coarse.mean(dim=(2, 3), keepdim=True)).expand_as(coarse))
        grown = self.grown(self.grow(self.merge(torch.cat(seen, dim=1))))
        return self.last(torch.cat([self.fine(x), grown], dim=1))
