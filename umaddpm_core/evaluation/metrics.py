"""Figures of merit for one case."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from monai.metrics import compute_confusion_matrix_metric, get_confusion_matrix
from monai.metrics.regression import compute_ssim_and_cs
from torch import Tensor
from torchmetrics.functional.classification import binary_average_precision

SSIM_WINDOW, SSIM_SIGMA = 11, 1.5


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """2·|A∩B| / (|A|+|B|) of two boolean masks; 1 where both are empty."""
    total = int(np.count_nonzero(mask)) + int(np.count_nonzero(truth))
    return 2 * int(np.count_nonzero(mask & truth)) / total if total else 1.0


def voxel_rates(mask: np.ndarray, truth: np.ndarray, region: np.ndarray) -> dict[str, float]:
    """Sensitivity, specificity and precision of a boolean mask over a region (MONAI); NaN where there is nothing to divide by.

    `repo_specificity` is what the code of pDDPM and mDDPM calls specificity: FP / (FP + FN), with the entries of the confusion
    matrix in another order than their names.
    """
    predicted, labelled = (torch.from_numpy(array[region]).float().view(1, 1, -1) for array in (mask, truth))
    matrix = get_confusion_matrix(predicted, labelled)
    rates = {name: float(compute_confusion_matrix_metric(name, matrix)) for name in ("sensitivity", "specificity", "precision")}
    _, false_positive, _, false_negative = matrix.flatten().tolist()
    wrong = false_positive + false_negative
    return {**rates, "repo_specificity": false_positive / wrong if wrong else math.nan}


def psnr(reconstruction: Tensor, volume: Tensor, region: Tensor | None = None) -> float:
    """Peak signal-to-noise ratio in dB, peak 1, over a boolean region or everywhere."""
    squared = (reconstruction - volume) ** 2
    error = float((squared if region is None else squared[region]).mean())
    return -10 * math.log10(max(error, 1e-12))


def ssim(reconstruction: Tensor, volume: Tensor, region: Tensor | None = None) -> float:
    """Structural similarity of volumes [1, X, Y, S] in [0, 1], slice by slice (MONAI): Gaussian window of 11 × 11 pixels,
    σ = 1.5, K1 = 0.01, K2 = 0.03; the mean over a boolean region, or over all pixels whose window lies in the slice."""
    pair = [image.permute(3, 0, 1, 2).float().cpu() for image in (reconstruction, volume)]
    if region is not None:
        pair = [F.pad(image, [SSIM_WINDOW // 2] * 4) for image in pair]
    similarity, _ = compute_ssim_and_cs(*pair, 2, [SSIM_WINDOW] * 2, [SSIM_SIGMA] * 2)
    return float(similarity.mean() if region is None else similarity[region.permute(3, 0, 1, 2).cpu()].mean())


def average_precision(values: np.ndarray, truth: np.ndarray) -> float:
    """Area under the precision–recall curve of map values against a boolean truth of the same shape (torchmetrics), as the
    step sum Σ (R_n - R_{n-1}) P_n; NaN without a lesion."""
    if not truth.any():
        return float("nan")
    return float(binary_average_precision(torch.from_numpy(_scaled(values.ravel())), torch.from_numpy(truth.ravel()).long()))


def _scaled(values: np.ndarray) -> np.ndarray:
    """Values in [0, 1] in the same order: torchmetrics takes others for logits, and its sigmoid makes large ones equal."""
    low, high = float(values.min()), float(values.max())
    return ((values - low) / max(high - low, 1e-12)).astype(np.float32)


def restored_share(reconstruction: Tensor, lesioned: Tensor, healthy: Tensor, lesion: Tensor) -> float:
    """Share of the mean change inside a lesion that the reconstruction takes back: 0 for the identity, 1 for the healthy
    scan."""
    change = (healthy - lesioned)[lesion].mean()
    return float((reconstruction - lesioned)[lesion].mean() / change) if torch.abs(change) > 1e-6 else float("nan")


def error_ratio(reconstruction: Tensor, lesioned: Tensor, healthy: Tensor, lesion: Tensor) -> float:
    """Mean |X̂ - healthy| inside a lesion over mean |lesioned - healthy|: 1 for the identity, 0 for the healthy scan."""
    untouched = (lesioned - healthy)[lesion].abs().mean()
    return float((reconstruction - healthy)[lesion].abs().mean() / untouched) if untouched > 1e-6 else float("nan")
