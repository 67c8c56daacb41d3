"""What many tests need: the real scans, a small scan, and a model that was trained for a few steps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import SimpleITK as sitk
import torch
from soak import scans
from soak.tiny import NETWORK

from umaddpm_core.data.cache import ArrayCache, CachedScan, write_index, write_settings, write_volume
from umaddpm_core.data.cohorts import data_root
from umaddpm_core.errors import InputError
from umaddpm_core.preprocessing.pipeline import Preprocessor
from umaddpm_core.preprocessing.settings import PreprocessingSettings

pytest_plugins = ["running_server", "training_people"]
"""One server process for all tests that talk to one, and people to train on."""

SAMPLES = Path(__file__).parents[1] / "sample-data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real scans; absent, the test is skipped, and in CI it fails."""
    try:
        return data_root()
    except InputError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sample() -> Path:
    """The sample scan with a tumour that is known."""
    return SAMPLES / "sample1-tumour-T1.nii.gz"


@pytest.fixture(scope="session")
def sample_truth(sample) -> sitk.Image:
    return sitk.ReadImage(str(SAMPLES / "truth" / sample.name))


@pytest.fixture(scope="session")
def small_scan(tmp_path_factory) -> Path:
    """A sample scan at 3 mm, so that it is prepared quickly."""
    return scans.small_scan(tmp_path_factory.mktemp("scan"))


@pytest.fixture(scope="session")
def tiny_cache(small_scan, tmp_path_factory) -> ArrayCache:
    """A cache of one prepared scan under six names: four to train on, one to validate with, one to test.

    Without bias correction, which takes more than a third of the time in which a small scan is examined.
    """
    folder = tmp_path_factory.mktemp("cache")
    preprocessing = PreprocessingSettings(bias_correction=False)
    volume = Preprocessor(preprocessing).prepare(small_scan).volume
    parts = ["training"] * 4 + ["validation", "test"]
    scans = [CachedScan(f"S{i}-T1", f"S{i}", "T1", part) for i, part in enumerate(parts)]
    for scan in scans:
        write_volume(folder, scan.name, volume)
    write_settings(folder, "one sample scan", preprocessing.model_dump(), {})
    write_index(folder, scans)
    return ArrayCache(folder)


@pytest.fixture(scope="session")
def tiny_model(tiny_cache, tmp_path_factory) -> Path:
    """A model file that went through training and calibration, for a few steps: it works, it is not good."""
    from umaddpm_core.artefact import Artefact
    from umaddpm_core.evaluation.calibrate import calibrate
    from umaddpm_core.methods import from_artefact
    from umaddpm_core.training.config import TrainingConfig
    from umaddpm_core.training.engine import train

    folder = tmp_path_factory.mktemp("tiny")
    config = TrainingConfig(method_config={"network": NETWORK}, steps=20, batch=4, checkpoint_every=10)
    train(config, tiny_cache, folder, quiet=True)
    artefact = Artefact.load(folder / "model.safetensors")
    method = from_artefact(artefact, t_test=250, shared_noise_test=False)
    artefact.config = method.config.model_dump(mode="json")
    artefact.calibration = {"T1": calibrate(method, tiny_cache, "T1", score="both", threshold="synthetic_dice")}
    return artefact.save(folder / "tiny.safetensors", torch.float16)
