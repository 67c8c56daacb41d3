"""The modality-aware module (MAM) of UMA-DDPM and its self-prompting (MASP)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from umaddpm_core.networks.blocks import ResidualBlock, self_attention
from umaddpm_core.networks.mamba import Mamba
from umaddpm_core.networks.selective_scan import Backend


class ModalityAwareSelfPrompt(nn.Module):
    """MASP: a prompt V_p [B, C, 1, 1] chosen by the bottleneck features h [B, C, H, W] themselves.

    Eq. 3: A = (γ(h⊙Q, K_1), …, γ(h⊙Q, K_n)) with γ the cosine similarity, and V_p = A·V. Q is channel-wise, so that
    taking the spatial mean before or after the product is the same. No softmax; no modality label.

    Args:
        channels: C of Q [C], K [n, C] and V [n, C].
        prompts: n.
        size: side of the features, where every prompt is a map (V [n, C, size, size], V_p [B, C, size, size]) instead of one
            value a channel.
    """

    def __init__(self, channels: int, prompts: int = 2, size: int | None = None) -> None:
        super().__init__()
        self.Q = nn.Parameter(torch.ones(channels))
        self.K = nn.Parameter(torch.randn(prompts, channels))
        self.V = nn.Parameter(torch.randn(prompts, channels, *([size, size] if size else [])) * 0.02)

    def weights(self, h: Tensor) -> Tensor:
        """A [B, n], each in [-1, 1]: how far the features match each key."""
        q = h.mean(dim=(2, 3)) * self.Q
        return F.cosine_similarity(q[:, None], self.K[None], dim=-1)

    def forward(self, h: Tensor) -> Tensor:
        prompt = torch.einsum("bn,nc...->bc...", self.weights(h), self.V)
        return prompt if prompt.dim() == 4 else prompt[:, :, None, None]


class ModalityAwareModule(nn.Module):
    """MAM: h_p = h_res + V_p from two residual blocks and MASP, then Mamba over the flattened positions.

    Features [B, C, H, W] and the time embedding [B, E] to [B, C, H, W]. The layer norm before Mamba (as in U-Mamba) and the
    skip around it are our additions for a stable start.

    Args:
        prompts, size: as for `ModalityAwareSelfPrompt`.
        backend: of Mamba's scan.
        attention: keep the self-attention of the middle block that MAM replaces, between the two residual blocks.
    """

    def __init__(
        self,
        channels: int,
        embedding: int,
        prompts: int = 2,
        *,
        size: int | None = None,
        backend: Backend = "auto",
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.prompt = ModalityAwareSelfPrompt(channels, prompts, size)
        self.block1 = ResidualBlock(channels, channels, embedding)
        self.attention = self_attention(channels) if attention else nn.Identity()
        self.block2 = ResidualBlock(channels, channels, embedding)
        self.norm = nn.LayerNorm(channels)
        self.mamba = Mamba(channels, backend=backend)

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        h_res = self.block2(self.attention(self.block1(h, embedding)), embedding)
        h_p = h_res + self.prompt(h)
        sequence = h_p.flatten(2).transpose(1, 2)
        mixed = self.mamba(self.norm(sequence)).transpose(1, 2)
        return h_p + mixed.reshape(h_p.shape)
