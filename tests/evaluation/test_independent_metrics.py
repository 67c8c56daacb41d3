"""Figures of merit agree with implementations of others: scikit-learn, scikit-image, MONAI and torchmetrics."""

import math

import numpy as np
import pytest
import torch
from monai.metrics import compute_dice
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr

from umaddpm_core.evaluation.metrics import average_precision, dice, psnr, ssim, voxel_rates

TOLERANCE = 1e-6
SHAPE = (12, 12, 8)


def maps_and_truths():
    random = np.random.default_rng(0)
    truth = random.random(SHAPE) < 0.1
    one = np.zeros(SHAPE, bool)
    one[5, 5, 4] = True
    values = (random.random(SHAPE) * 0.5 + 0.3 * truth).astype(np.float32)
    ties = np.where(values > 0.4, np.round(values, 1), 0).astype(np.float32)
    return {
        "a lesion": (values, truth),
        "equal values": (ties, truth),
        "one voxel, found": (np.where(one, 1, values).astype(np.float32), one),
        "one voxel, missed": (np.where(one, 0, values).astype(np.float32), one),
        "a map of zeros": (np.zeros(SHAPE, np.float32), truth),
        "all is lesion": (values, np.ones(SHAPE, bool)),
    }


@pytest.mark.parametrize("case", maps_and_truths())
def test_average_precision(case):
    values, truth = maps_and_truths()[case]
    assert average_precision(values, truth) == pytest.approx(average_precision_score(truth.ravel(), values.ravel()), abs=TOLERANCE)


def masks_and_truths():
    random = np.random.default_rng(1)
    truth, other = random.random(SHAPE) < 0.2, random.random(SHAPE) < 0.2
    empty = np.zeros(SHAPE, bool)
    one, beside = empty.copy(), empty.copy()
    one[5, 5, 4] = beside[5, 5, 5] = True
    return {
        "overlapping": (truth | other, truth),
        "an empty mask": (empty, truth),
        "an empty truth": (truth, empty),
        "both empty": (empty, empty),
        "one voxel, found": (one, one),
        "one voxel, missed": (beside, one),
        "one voxel in many": (truth | one, one),
        "everything": (~empty, ~empty),
    }


@pytest.mark.parametrize("case", masks_and_truths())
def test_masks(case):
    mask, truth = masks_and_truths()[case]
    overlap = dice(mask, truth)
    assert overlap == pytest.approx(f1_score(truth.ravel(), mask.ravel(), zero_division=1.0), abs=TOLERANCE)
    theirs = compute_dice(torch.from_numpy(mask)[None, None].float(), torch.from_numpy(truth)[None, None].float(), ignore_empty=False)
    assert overlap == pytest.approx(theirs.item(), abs=TOLERANCE)
    (negative, invented), (missed, found) = confusion_matrix(truth.ravel(), mask.ravel(), labels=[False, True])
    expected = {
        "sensitivity": (found, found + missed),
        "specificity": (negative, negative + invented),
        "precision": (found, found + invented),
        "repo_specificity": (invented, invented + missed),
    }
    rates = voxel_rates(mask, truth, np.ones(SHAPE, bool))
    for name, (part, whole) in expected.items():
        if whole:
            assert rates[name] == pytest.approx(part / whole, abs=TOLERANCE), name
        else:
            assert math.isnan(rates[name]), name


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(2)
    scan = random.random((40, 40, 3)).astype(np.float32)
    return scan, np.clip(scan + 0.1 * random.standard_normal(scan.shape), 0, 1).astype(np.float32)


def test_psnr(images):
    scan, other = images
    ours = psnr(torch.from_numpy(other)[None], torch.from_numpy(scan)[None])
    assert ours == pytest.approx(peak_signal_noise_ratio(scan.astype(float), other.astype(float), data_range=1), abs=TOLERANCE)
    theirs = torchmetrics_psnr(torch.from_numpy(other).double(), torch.from_numpy(scan).double(), data_range=(0.0, 1.0))
    assert ours == pytest.approx(theirs.item(), abs=TOLERANCE)


def test_ssim(images):
    scan, other = images
    ours = ssim(torch.from_numpy(other)[None], torch.from_numpy(scan)[None])
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    theirs = [structural_similarity(scan[..., z].astype(float), other[..., z].astype(float), **settings) for z in range(3)]
    assert ours == pytest.approx(np.mean(theirs), abs=TOLERANCE)
