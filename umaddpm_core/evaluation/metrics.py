"""Figures of merit for one case."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """2·|A∩B| / (|A|+|B|) of two boolean masks; 1 where both are empty."""
    total = int(np.count_nonzero(mask)) + int(np.count_nonzero(truth))
    return 2 * int(np.count_nonzero(mask & truth)) / total if total else 1.0


def psnr(reconstruction: Tensor, volume: Tensor, region: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, peak 1, over a boolean region."""
    error = float(((reconstruction - volume)[region] ** 2).mean())
    return -10 * math.log10(max(error, 1e-12))


def average_precision(values: np.ndarray, truth: np.ndarray, levels: int = 4000) -> float:
    """Area under the precision–recall curve of map values against a boolean truth of the same length, as the step sum
    Σ (R_n - R_{n-1}) P_n over `levels` thresholds at quantiles of the values."""
    if not truth.any():
        return float("nan")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, levels)))
    order = np.searchsorted(edges, values, side="right")
    marked = np.bincount(order, minlength=len(edges) + 1)[::-1].cumsum()
    found = np.bincount(order, weights=truth, minlength=len(edges) + 1)[::-1].cumsum()
    precision, recall = found / np.maximum(marked, 1), found / truth.sum()
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def restored_share(reconstruction: Tensor, lesioned: Tensor, healthy: Tensor, lesion: Tensor) -> float:
    """Share of the mean change inside a lesion that the reconstruction takes back: 0 for the identity, 1 for the healthy
    scan."""
    change = (healthy - lesioned)[lesion].mean()
    return float((reconstruction - lesioned)[lesion].mean() / change) if torch.abs(change) > 1e-6 else float("nan")
