"""The modality-aware module (MAM) of UMA-DDPM and its self-prompting (MASP)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from umaddpm_core.networks.blocks import ResidualBlock
from umaddpm_core.networks.mamba import Mamba


class ModalityAwareSelfPrompt(nn.Module):
    """MASP: a prompt V_p [B, C, 1, 1] chosen by the bottleneck features h [B, C, H, W] themselves.

    Eq. 3: A = (γ(h⊙Q, K_1), …, γ(h⊙Q, K_n)) with γ the cosine similarity, and V_p = A·V. Q is channel-wise, so that
    taking the spatial mean before or after the product is the same. No softmax; no modality label.
    """

    def __init__(self, channels: int, prompts: int = 2) -> None:
        super().__init__()
        self.Q = nn.Parameter(torch.ones(channels))
        self.K = nn.Parameter(torch.randn(prompts, channels))
        self.V = nn.Parameter(torch.randn(prompts, channels) * 0.02)

    def weights(self, h: Tensor) -> Tensor:
        """A [B, n], each in [-1, 1]: how far the features match each key."""
        q = h.mean(dim=(2, 3)) * self.Q
        return F.cosine_similarity(q[:, None], self.K[None], dim=-1)

    def forward(self, h: Tensor) -> Tensor:
        return (self.weights(h) @ self.V)[:, :, None, None]


class ModalityAwareModule(nn.Module):
    """MAM: h_p = h_res + V_p from two residual blocks and MASP, then Mamba over the flattened positions.

    [B, C, H, W] to the same. The layer norm before Mamba (as in U-Mamba) and the skip around it are our additions for
    a stable start.
    """

    def __init__(self, channels: int, embedding: int, prompts: int = 2) -> None:
        super().__init__()
        self.prompt = ModalityAwareSelfPrompt(channels, prompts)
        self.block1 = ResidualBlock(channels, channels, embedding)
        self.block2 = ResidualBlock(channels, channels, embedding)
        self.norm = nn.LayerNorm(channels)
        self.mamba = Mamba(channels)

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        h_res = self.block2(self.block1(h, embedding), embedding)
        h_p = h_res + self.prompt(h)
        sequence = h_p.flatten(2).transpose(1, 2)
        mixed = self.mamba(self.norm(sequence)).transpose(1, 2)
        return h_p + mixed.reshape(h_p.shape)
