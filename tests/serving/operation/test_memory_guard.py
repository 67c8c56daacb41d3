"""A scan that does not fit is refused by the server, in the request and in a job, and it goes on."""

import numpy as np
import pytest
import SimpleITK as sitk
from attacks import assert_refused


@pytest.fixture(scope="module")
def large_scan(tmp_path_factory):
    """A head's field of view at 0.6 mm, empty."""
    path = tmp_path_factory.mktemp("large") / "large-T1.nii.gz"
    image = sitk.GetImageFromArray(np.zeros((280, 380, 380), np.uint8))
    image.SetSpacing([0.6] * 3)
    sitk.WriteImage(image, str(path))
    return path


def test_a_scan_that_never_fits_is_refused_with_both_figures(observed, observed_jobs, large_scan):
    before = observed.metrics()
    answer = observed.running.ask(file=large_scan, output="json")
    assert_refused(answer, 413, "large-T1.nii.gz has 380 × 380 × 280 voxels, for which 2.6 GB of memory are needed")
    assert "has 1.4 GB for one" in answer.json()["detail"]
    job = observed_jobs.submit(large_scan)
    failed = observed_jobs.until(job, lambda state: state["state"] == "failed")
    assert failed["error"] == answer.json()["detail"]
    after = observed.metrics()
    outcome = "umaddpm_detections_total", (("outcome", "too_large"),)
    assert after[outcome] - before[outcome] == 2
    peak = "process_resident_memory_bytes", ()
    assert after[peak] - before[peak] < 300e6
    assert observed.running.ask(image=observed.running.image, output="json").status_code == 200
