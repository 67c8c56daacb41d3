"""Models in memory: loaded once, let go when another is in use, and never a reason for a server to stand still."""

import gc
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from umaddpm_core.artefact import Artefact
from umaddpm_core.detection import Detector
from umaddpm_core.errors import InputError
from umaddpm_core.serving.detections import Detections
from umaddpm_core.serving.models.catalogue import Catalogue
from umaddpm_core.serving.models.described import described
from umaddpm_core.serving.models.loaded import LoadedModels
from umaddpm_core.serving.models.versions import Versions


@pytest.fixture
def detections(small_model, tmp_path):
    """Of a server whose own model is a file of its own, so that detectors of other tests do not count."""
    own = tmp_path / "own.safetensors"
    shutil.copy(small_model, own)
    return Detections(Catalogue(tmp_path / "models", str(own)))


def in_memory() -> set[str]:
    gc.collect()
    return {found.name for found in gc.get_objects() if isinstance(found, Detector)} & {"own", "uma_ddpm-v1"}


def test_a_model_is_loaded_once_however_many_ask_at_the_same_time(small_model):
    loaded = LoadedModels()
    with ThreadPoolExecutor(4) as asking:
        detectors = list(asking.map(lambda _: loaded.get(described(small_model)), range(8)))
    assert len(set(map(id, detectors))) == 1
    assert loaded.get(described(small_model), worker=1) is not detectors[0], "every worker has its own"


def test_what_cannot_be_loaded_is_tried_again(small_model, tmp_path):
    path = tmp_path / "model.safetensors"
    shutil.copy(small_model, path)
    model, loaded = described(path), LoadedModels()
    path.write_bytes(b"junk")
    with pytest.raises(InputError):
        loaded.get(model)
    shutil.copy(small_model, path)
    assert loaded.get(model).name == "model"


def test_the_model_before_is_let_go_once_another_is_in_use(detections, small_model, tmp_path):
    detections.warm_up()
    assert in_memory() == {"own"} and detections.describe()["default_model"] == "own"
    Versions(tmp_path / "models", "uma_ddpm").publish(small_model, {})
    assert detections.describe()["default_model"] == "uma_ddpm-v1"
    # It is loaded in a thread of its own, though nobody has asked for a detection yet.
    deadline = time.monotonic() + 60
    while in_memory() != {"uma_ddpm-v1"}:
        assert time.monotonic() < deadline, in_memory()
        time.sleep(0.1)


def test_a_version_whose_weights_do_not_fit_gives_way_to_the_servers_own(detections, small_model, tmp_path):
    """Its description is in order, so that only loading it shows that it is broken."""
    artefact = Artefact.load(small_model)
    artefact.weights.popitem()
    Versions(tmp_path / "models", "uma_ddpm").publish(artefact.save(tmp_path / "unfit.safetensors"), {})
    detections.warm_up()
    told = detections.describe()
    assert told["default_model"] == "own" and "do not fit the method" in told["models_broken"]["uma_ddpm-v1"]
