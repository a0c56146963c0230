"""The float twin of the transformer of bits in PyTorch: the same blocks, with GELU where bits have a threshold."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from bvar.real import NGramEmbedding

__all__ = ["Twin"]


class Attention(nn.Module):
    """Attention that looks back, with a number added for each distance, as that of bits begins."""

    def __init__(self, width: int, n_positions: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.o = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        back = torch.arange(n_positions)[:, None] - torch.arange(n_positions)
        self.register_buffer("back", back)
        self.distance = nn.Parameter(-2.0 * (torch.arange(n_positions) - torch.arange(n_heads)[:, None]).abs())

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, length, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        extra = self.distance[:, self.back.clamp(min=0)].masked_fill(self.back < 0, float("-inf"))
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=extra)
        return self.o(self.norm2(found.transpose(1, 2).reshape(n, length, width)))


class Twin(nn.Module):
    """Embeddings, blocks, and a head: of the next token at each position, or of classes."""

    def __init__(
        self,
        n_tokens: int,
        n_positions: int,
        width: int,
        n_blocks: int,
        n_heads: int,
        n_classes: int | None,
        max_ngram: int,
        n_buckets: int,
    ) -> None:
        super().__init__()
        self.is_language = n_classes is None
        self.token, self.position = nn.Embedding(n_tokens, width), nn.Embedding(n_positions, width)
        self.parts = nn.ModuleList()
        for _ in range(n_blocks):
            units = nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, 4 * width, bias=False),
                nn.GELU(),
                nn.Linear(4 * width, width, bias=False),
            )
            self.parts += [Attention(width, n_positions, n_heads), units]
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, n_classes or n_tokens)
        self.hashes = None
        if max_ngram > 1:  # the last row, of what is no n-gram, stays 0
            self.hashes = NGramEmbedding(n_tokens, n_positions, 1, max_ngram, n_buckets, random_state=0)
            self.ngram = nn.Embedding(n_buckets + 1, width, padding_idx=n_buckets)
            nn.init.zeros_(self.ngram.weight)
        nn.init.normal_(self.token.weight, std=0.1)
        nn.init.normal_(self.position.weight, std=0.05)

    def forward(self, ids):
        x = self.token(ids) + self.position.weight
        if self.hashes is not None:
            buckets = torch.from_numpy(self.hashes.buckets(ids.numpy()))
            x = x + self.ngram(buckets.where(buckets >= 0, self.ngram.padding_idx)).sum(dim=0)
        for part in self.parts:
            x = x + part(x)
        x = self.norm(x)
        return self.head(x.flatten(0, 1) if self.is_language else x.sum(dim=1) / x.shape[1] ** 0.5)
