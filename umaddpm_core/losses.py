"""The dual-domain loss of UMA-DDPM."""

from __future__ import annotations

import torch
from torch import Tensor


def amplitude(x: Tensor) -> Tensor:
    """|F(x)| of images [B, 1, H, W]: orthonormal, zero frequency in the middle."""
    return torch.fft.fftshift(torch.fft.fft2(x.float(), norm="ortho"), dim=(-2, -1)).abs()


def dual_domain_loss(x: Tensor, composite: Tensor, amplitude_rec: Tensor, alpha: float = 1.0, beta: float = 1.0) -> dict[str, Tensor]:
    """L1 distances in space and in frequency (eqs. 4 and 5), each a mean over pixels or frequencies.

    Args:
        x: clean slices X0 [B, 1, H, W] in [0, 1].
        composite: X_rec inside the noised patch, X0 outside.
        amplitude_rec: A_rec, the amplitude the second head predicts, non-negative, as `amplitude` scales it.

    Returns:
        `loss` = α·`frequency` + β·`pixel`, with `frequency` = |A0-A_img| + |A0-A_rec| and
        `pixel` = |X0-X_freq| + |X0-X_rec|, where X_freq has the predicted amplitude and the phase of X0.
    """
    spectrum = torch.fft.fft2(x.float(), norm="ortho")
    target = torch.fft.fftshift(spectrum.abs(), dim=(-2, -1))
    phase = spectrum / spectrum.abs().clamp_min(1e-8)
    x_freq = torch.fft.ifft2(torch.fft.ifftshift(amplitude_rec, dim=(-2, -1)) * phase, norm="ortho").real
    frequency = (target - amplitude(composite)).abs().mean() + (target - amplitude_rec).abs().mean()
    reconstruction = (x - composite).abs().mean()
    pixel = (x - x_freq).abs().mean() + reconstruction
    return {
        "loss": alpha * frequency + beta * pixel,
        "frequency": frequency,
        "pixel": pixel,
        "reconstruction": reconstruction,
    }
