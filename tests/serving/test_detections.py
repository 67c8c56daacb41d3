"""The models of a server, and what it keeps of earlier detections."""

from umaddpm_core.preprocessing import memory
from umaddpm_core.preprocessing.available_memory import MemoryState
from umaddpm_core.serving.detections import Detections
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.parameters import Parameters


def test_earlier_detections_make_room_for_a_scan_that_would_not_fit_beside_them(tiny_model, small_scan, unseen, monkeypatch, tmp_path):
    detections = Detections(Catalogue(tmp_path, str(tiny_model)))
    detections.detect(small_scan, Parameters())
    kept = detections.memory.size
    assert kept > 0
    # Stands for a computer on which nothing is free beside what is kept.
    monkeypatch.setattr(memory, "memory_state", lambda: MemoryState(10**12, 0 if detections.memory.size else 10**12))
    assert detections.detect(unseen(small_scan), Parameters()).report["brain_ml"] > 0
    assert detections.memory.size == kept
