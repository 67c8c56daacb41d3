"""A device whose memory is used up is named in a sentence; what it could not do leaves nothing behind."""

import pytest
import torch

from umaddpm_core.detection import Detector
from umaddpm_core.errors import DeviceFull


def test_a_full_device_is_named(tiny_model, small_scan):
    detector = Detector.load(tiny_model)

    def refuse(module, arguments):
        raise torch.OutOfMemoryError("CUDA out of memory (a double of it, as there is no GPU)")

    hook = detector.method.network.register_forward_pre_hook(refuse)
    with pytest.raises(DeviceFull, match=r"^cpu has too little free memory, even for one slice at a time; .*\.$"):
        detector.detect(small_scan)
    hook.remove()
    assert detector.detect(small_scan).report["brain_ml"] > 0
