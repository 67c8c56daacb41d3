"""The dual-domain loss of UMA-DDPM, and the pixel loss of its ancestors."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Phase = Literal["input", "reconstruction"]


def amplitude(x: Tensor) -> Tensor:
    """|F(x)| of images [B, 1, H, W]: orthonormal, zero frequency in the middle."""
    return torch.fft.fftshift(torch.fft.fft2(x.float(), norm="ortho"), dim=(-2, -1)).abs()


def dual_domain_loss(
    x: Tensor,
    composite: Tensor,
    amplitude_rec: Tensor,
    alpha: float = 1.0,
    beta: float = 1.0,
    *,
    phase: Phase = "input",
    log_amplitude: bool = False,
) -> dict[str, Tensor]:
    """L1 distances in space and in frequency (eqs. 4 and 5), each a mean over pixels or frequencies.

    Args:
        x: clean slices X0 [B, 1, H, W] in [0, 1].
        composite: X_rec where it counts, X0 elsewhere.
        amplitude_rec: A_rec, the amplitude the second head predicts, non-negative, as `amplitude` scales it.
        phase: X_freq has the phase of X0 (`input`) or of X_rec (`reconstruction`); no gradient passes through either.
        log_amplitude: compare log(1 + A) instead of A in frequency, so that high frequencies count more.

    Returns:
        `loss` = α·`frequency` + β·`pixel`, with `frequency` = |A0-A_img| + |A0-A_rec| and
        `pixel` = |X0-X_freq| + |X0-X_rec|, where X_freq has the predicted amplitude.
    """
    spectrum = torch.fft.fft2((x if phase == "input" else composite.detach()).float(), norm="ortho")
    direction = spectrum / spectrum.abs().clamp_min(1e-8)
    x_freq = torch.fft.ifft2(torch.fft.ifftshift(amplitude_rec, dim=(-2, -1)) * direction, norm="ortho").real
    scaled = torch.log1p if log_amplitude else torch.nn.Identity()
    target = scaled(amplitude(x))
    frequency = (target - scaled(amplitude(composite))).abs().mean() + (target - scaled(amplitude_rec)).abs().mean()
    reconstruction = (x - composite).abs().mean()
    pixel = (x - x_freq).abs().mean() + reconstruction
    return {
        "loss": alpha * frequency + beta * pixel,
        "frequency": frequency,
        "pixel": pixel,
        "reconstruction": reconstruction,
    }


def pixel_loss(x: Tensor, composite: Tensor) -> dict[str, Tensor]:
    """|X0 - X_rec| alone, as in pDDPM and mDDPM; arguments as for `dual_domain_loss`."""
    reconstruction = (x - composite).abs().mean()
    return {"loss": reconstruction, "reconstruction": reconstruction}
